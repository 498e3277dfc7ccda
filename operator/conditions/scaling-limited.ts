import type { ScalingLimit, ScalingVerdict } from '#core/scaling/decide.ts';
import type { Verdict } from './condition-list.ts';

const messages: Readonly<Record<ScalingLimit, (replicas: number) => string>> = {
  WithinBounds: () => 'the number of pods is what the work asks for',
  TooManyReplicas: (replicas) => `the work asks for more than maxReplicas, which is ${String(replicas)}`,
  TooFewReplicas: (replicas) => `the work asks for fewer than minReplicas, which is ${String(replicas)}`,
  NotAutoscaled: (replicas) => `the number of pods is fixed at ${String(replicas)}`,
  UnknownDepth: (replicas) => `the depth of a queue is not known; the number of pods is held at ${String(replicas)}`,
};

const statuses: Readonly<Record<ScalingLimit, Verdict['status']>> = {
  WithinBounds: 'False',
  TooManyReplicas: 'True',
  TooFewReplicas: 'True',
  NotAutoscaled: 'False',
  UnknownDepth: 'Unknown',
};

/** Whether a bound keeps the number of pods from what the work asks for. */
export function judgeScalingLimited({ limit, replicas }: Pick<ScalingVerdict, 'limit' | 'replicas'>): Verdict {
  return { type: 'ScalingLimited', status: statuses[limit], reason: limit, message: messages[limit](replicas) };
}
