import { defined } from '#core/base/defined.ts';
import type { PodFacts } from '../conditions/pool-pods.ts';
import type { ContainerStatus, Pod, TerminatedState } from './observed-objects.ts';

/** What conditions need of a pod. */
export function podFactsOf({ metadata, status = {} }: Pod): PodFacts {
  const { conditions = [], containerStatuses = [] } = status;
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  const isUnscheduled = scheduled?.status === 'False' && scheduled.reason === 'Unschedulable';
  return {
    name: metadata.name,
    isUnscheduled,
    ...defined({ schedulerMessage: isUnscheduled ? scheduled.message : undefined }),
    isReady: conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    ...containerFactsOf(containerStatuses[0] ?? { name: '' }),
  };
}

type ContainerFacts = Pick<PodFacts, 'restarts' | 'waitingReason' | 'waitingMessage' | 'lastEnd'>;

function containerFactsOf({ restartCount = 0, state = {}, lastState = {} }: ContainerStatus): ContainerFacts {
  const { reason: waitingReason, message: waitingMessage } = state.waiting ?? {};
  const ended = state.terminated ?? lastState.terminated;
  const lastEnd = ended === undefined ? undefined : lastEndOf(ended);
  return { restarts: restartCount, ...defined({ waitingReason, waitingMessage, lastEnd }) };
}

function lastEndOf({ exitCode, reason = '', message = '' }: TerminatedState): NonNullable<PodFacts['lastEnd']> {
  return { exitCode, reason, message: message.trim() };
}

/** A pod that is on its way out, or whose containers have ended for good, says nothing about the pool any more. */
export function isLivePod(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isEndedPod(pod);
}

/** Whether the pod's containers have ended and will not be started again. */
export function isEndedPod({ status }: Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}
