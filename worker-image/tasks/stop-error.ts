/** What can end a running task from outside, as the name of the signal's reason. */
export type StopReason = 'SoftTimeLimitExceeded' | 'TimeLimitExceeded' | 'TaskRevoked' | 'MessageLost';

const messages: Readonly<Record<StopReason, string>> = {
  SoftTimeLimitExceeded: 'the soft time limit is over',
  TimeLimitExceeded: 'the time limit is over',
  TaskRevoked: 'the task was revoked',
  MessageLost: 'the message is in the hands of another worker',
};

/**
 * The reason of a task's `signal`, by its name the same in every thread. Its stack has no frames: it comes from outside, and
 * those of the worker would stand for the place in the task's code that they are not.
 */
export function stopError(reason: StopReason): Error {
  const message = messages[reason];
  return Object.assign(new Error(message), { name: reason, stack: `${reason}: ${message}` });
}

/** True for a reason after which nothing that the task does still counts. */
export function isFinal(reason: unknown): boolean {
  return reason instanceof Error && reason.name !== 'SoftTimeLimitExceeded';
}
