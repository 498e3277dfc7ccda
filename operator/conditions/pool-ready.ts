import { cutText } from '#core/base/cut-text.ts';
import type { WorkerPoolReadyReason } from '#core/resources/reasons.ts';
import type { Verdict } from './condition-list.ts';
import type { PodFacts } from './pool-pods.ts';

/** Something that keeps a pool from being what its spec says. */
export interface PoolProblem {
  readonly reason: WorkerPoolReadyReason;
  readonly message: string;
}

/** What decides whether a pool does what its spec says. */
export interface PoolReadyFacts {
  readonly namespace: string;
  readonly image: string;
  /** Of queues, connection or Deployment; the first that was found. */
  readonly problem?: PoolProblem;
  /** Why the API server refuses the Deployment's pods. */
  readonly podsRefused?: string;
  readonly pods: readonly PodFacts[];
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Every pod is of the newest template. */
  readonly isUpToDate: boolean;
}

type Check = (facts: PoolReadyFacts) => PoolProblem | undefined;

/** The first problem found is the one that a person reads. */
const checks: readonly Check[] = [
  ({ problem }) => problem,
  podsAreRefused,
  imageCannotBePulled, // Before crashes: a pod that never started has none.
  containerCannotBeMade,
  containerCrashes,
];

/** Whether a pool does what its spec says. */
export function judgePoolReady(facts: PoolReadyFacts): Verdict {
  for (const check of checks) {
    const problem = check(facts);
    if (problem !== undefined) return verdict('False', problem.reason, problem.message);
  }
  const { replicas, readyReplicas, isUpToDate, pods } = facts;
  if (replicas === 0) return verdict('True', 'ScaledToZero', 'there is no work, and no pod is wanted');
  if (readyReplicas >= replicas && isUpToDate)
    return verdict('True', 'Ready', replicas === 1 ? '1 pod is ready' : `${String(replicas)} pods are ready`);
  const message = `${String(readyReplicas)} of ${String(replicas)} pods are ready`;
  // Pods come and go with the work; only a pool without any worker is of no use.
  if (readyReplicas > 0) return verdict('True', 'Progressing', message);
  const homeless = pods.some(({ isUnscheduled }) => isUnscheduled) ? '; see the condition PodsSchedulable' : '';
  return verdict('False', 'Progressing', message + homeless);
}

function podsAreRefused({ podsRefused }: PoolReadyFacts): PoolProblem | undefined {
  if (podsRefused === undefined) return undefined;
  return { reason: 'PodsRefused', message: `pods cannot be made: ${podsRefused}` };
}

const pullReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
]);

function imageCannotBePulled({ pods, image }: PoolReadyFacts): PoolProblem | undefined {
  const pod = pods.find(({ waitingReason = '' }) => pullReasons.has(waitingReason));
  if (pod === undefined) return undefined;
  const said = pod.waitingMessage ?? pod.waitingReason ?? '';
  const message = `the image ${image} cannot be pulled for pod ${pod.name}: ${said}. Correct spec.image, or name the registry's credentials in spec.imagePullSecrets`;
  return { reason: 'ImagePullFailed', message };
}

const makeReasons = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

function containerCannotBeMade({ pods }: PoolReadyFacts): PoolProblem | undefined {
  const pod = pods.find(({ waitingReason = '' }) => makeReasons.has(waitingReason));
  if (pod === undefined) return undefined;
  const said = pod.waitingMessage ?? pod.waitingReason ?? '';
  return { reason: 'ContainerConfigError', message: `the container of pod ${pod.name} cannot be made: ${said}` };
}

function containerCrashes({ pods, namespace }: PoolReadyFacts): PoolProblem | undefined {
  const pod = pods.find(({ waitingReason, restarts, isReady }) => {
    return waitingReason === 'CrashLoopBackOff' || (restarts > 1 && !isReady);
  });
  if (pod === undefined) return undefined;
  const { lastEnd, name, restarts } = pod;
  const times = `${String(restarts)} restarts`;
  if (lastEnd?.reason === 'OOMKilled') {
    const message = `the worker in pod ${name} used more memory than it may and was killed (${times}): raise spec.resources.limits.memory or lower spec.concurrency`;
    return { reason: 'ContainerCrashing', message };
  }
  const ended = lastEnd === undefined ? 'ends again and again' : `ended with exit code ${String(lastEnd.exitCode)}`;
  const last = lastEnd === undefined || lastEnd.message === '' ? '' : `, saying: ${cutText(lastEnd.message, 300)}`;
  const message = `the worker in pod ${name} ${ended}${last} (${times}); see kubectl logs -n ${namespace} ${name} --previous`;
  return { reason: 'ContainerCrashing', message };
}

function verdict(status: Verdict['status'], reason: WorkerPoolReadyReason, message: string): Verdict {
  return { type: 'Ready', status, reason, message };
}
