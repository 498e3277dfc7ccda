import { msOf } from '#core/base/iso-date.ts';
import { carrierTask } from '#core/celery/carrier.ts';
import type { DecodeError } from '#core/celery/decode-error.ts';
import { earlierDeliveries } from '#core/celery/redelivery.ts';
import { onLostHeader, type TaskMessage } from '#core/celery/task-message.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import type { Delivery } from '#io/brokers/broker.ts';
import { isMap } from '../tasks/run-map.ts';
import { accumulate, accumulateTask } from './accumulate.ts';
import type { TaskInfos } from './call-runner.ts';
import { decodeMessage } from './inflate.ts';

/** A message that was handed out so often without an end is not run again. */
const MAX_DELIVERIES = 3;

/** What is to be done with a message that was just taken. */
export type Received =
  | { readonly todo: 'Run'; readonly message: TaskMessage }
  | { readonly todo: 'Wait'; readonly message: TaskMessage; readonly delayMs: number }
  | { readonly todo: 'Carry'; readonly message: TaskMessage }
  /** It ends here, without having run. */
  | { readonly todo: 'End'; readonly message: TaskMessage; readonly outcome: Outcome }
  | { readonly todo: 'Bury'; readonly error: DecodeError };

export interface Surroundings {
  readonly tasks: TaskInfos;
  readonly isRevoked: (id: string) => boolean;
  readonly nowMs: number;
}

/** The first row that holds. */
export function receive(delivery: Pick<Delivery, 'text' | 'isWithdrawn'>, around: Surroundings): Received {
  const decoded = decodeMessage(delivery.text);
  if (!decoded.ok) return { todo: 'Bury', error: decoded.error };
  const message = decoded.value;
  const { tasks, isRevoked, nowMs } = around;
  const lost = lostBefore(message);
  if (lost !== undefined) return { todo: 'End', message, outcome: lost };
  if (delivery.isWithdrawn === true || isRevoked(message.id)) {
    return { todo: 'End', message, outcome: { kind: 'Revoked', reason: 'revoked' } };
  }
  if (message.expires !== null && msOf(message.expires) <= nowMs) {
    return { todo: 'End', message, outcome: { kind: 'Revoked', reason: 'expired' } };
  }
  const delayMs = message.eta === null ? 0 : msOf(message.eta) - nowMs;
  if (delayMs > 0) return { todo: 'Wait', message, delayMs };
  return dueNow(message, tasks);
}

/** Why it is not run, after what became of it in other hands. */
function lostBefore(message: TaskMessage): Outcome | undefined {
  const deliveries = earlierDeliveries(message);
  if (deliveries > 0 && message.headers.has(onLostHeader)) {
    return { kind: 'Lost', message: 'the worker that had it before was lost, and retry.onLost is Fail' };
  }
  return deliveries >= MAX_DELIVERIES ? { kind: 'Poisonous', deliveries } : undefined;
}

function dueNow(message: TaskMessage, tasks: TaskInfos): Received {
  const { task } = message;
  if (task === carrierTask) return { todo: 'Carry', message };
  if (task === accumulateTask) return { todo: 'End', message, outcome: accumulate(message) };
  if (tasks.has(task) || isMap(task)) return { todo: 'Run', message };
  return { todo: 'End', message, outcome: { kind: 'NotRegistered' } };
}
