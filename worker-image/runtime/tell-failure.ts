import { decodeString } from '#core/celery/signature.ts';
import { keyHeader, type TaskMessage } from '#core/celery/task-message.ts';
import type { Outcome, Raised } from '#core/execution/outcome.ts';
import type { WorkerLog } from './worker-ports.ts';

const mostFrames = 8;
/** The frame in which the worker calls the user's function: what lies below is the worker's own. */
const calledByWorker = ' [as call] ';
/** A line of a stack that ends with a place in a file; one of an error's message may begin like it. */
const frameLine = /^\s+at .*:\d+:\d+\)?$/;

/** What is told of an outcome beside the task's name and id; undefined for one that nobody looks for in a log. */
interface Telling {
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
  readonly fields?: object;
}

/**
 * Tells the log of a run that did not end well: which task, of which step, the error's type and where it was thrown. Never
 * its message, which may hold what a user passed; that is in the result store and, cut, in the Workflow's status.
 */
export function tellFailure(log: WorkerLog, { id, task, retries, headers }: TaskMessage, outcome: Outcome): void {
  const telling = tellingOf(outcome);
  if (telling === undefined) return;
  const key = decodeString(headers.get(keyHeader));
  const step = key === undefined ? {} : { key };
  log[telling.level](
    { task, taskId: id, ...step, ...(retries === 0 ? {} : { retries }), ...telling.fields },
    telling.text,
  );
}

const plainly = {
  NotRegistered: { level: 'error', text: 'no module of this worker has a task of this name' },
  Ignored: { level: 'info', text: 'a task raised Ignore: it leaves no result' },
  Requeued: { level: 'info', text: 'a task raised Reject: its message is back in its queue' },
} as const satisfies Partial<Record<Outcome['kind'], Telling>>;

function isPlain(outcome: Outcome): outcome is Outcome & { readonly kind: keyof typeof plainly } {
  return outcome.kind in plainly;
}

function tellingOf(outcome: Outcome): Telling | undefined {
  if (isPlain(outcome)) return plainly[outcome.kind];
  switch (outcome.kind) {
    case 'Succeeded':
    case 'Revoked':
      return undefined;
    case 'Failed':
      return { level: 'error', text: 'a task failed', fields: thrown(outcome) };
    case 'Retried':
      return { level: 'warn', text: 'a task failed and asks to run again', fields: thrown(outcome) };
    case 'Lost':
      return { level: 'error', text: `a task was lost: ${outcome.told ?? outcome.message}` };
    case 'TimedOut':
      return {
        level: 'error',
        text: `a task ran longer than its time limit of ${outcome.hardSeconds} s, and was ended`,
      };
    case 'Poisonous':
      return {
        level: 'error',
        text: `a task was given out ${outcome.deliveries} times, each time its worker was lost`,
      };
  }
}

function thrown({ exception, traceback }: Raised): object {
  const frames = (traceback ?? '').split('\n').filter((line) => frameLine.test(line));
  const call = frames.findIndex((frame) => frame.includes(calledByWorker));
  const own = call === -1 ? frames : frames.slice(0, call + 1);
  return { type: exception.type, at: own.slice(0, mostFrames).map((frame) => frame.trim().slice('at '.length)) };
}
