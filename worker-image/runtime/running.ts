import { parsePythonJson } from '#core/base/python-json.ts';
import { keyHeader, type TaskMessage, type TimeLimit } from '#core/celery/task-message.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import { decodeString } from '#core/celery/signature.ts';
import type { TaskCall } from '../tasks/call.ts';

/** What can end a running task from outside, as the name of the signal's reason. */
export type StopReason = 'SoftTimeLimitExceeded' | 'TimeLimitExceeded' | 'MessageLost' | 'WorkerStopping';

/** One task in a slot, with what can stop it. */
export class Running {
  readonly message: TaskMessage;
  readonly startedMs: number;
  #abort: AbortController | undefined;
  #reason: StopReason | undefined;
  #isOverdue = false;
  #hasEnded = false;
  readonly #overdue = Promise.withResolvers<undefined>();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(message: TaskMessage, nowMs: number) {
    this.message = message;
    this.startedMs = nowMs;
  }

  /** Made when it is asked for: most tasks never do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#reason !== undefined) this.#abort.abort(stopError(this.#reason));
    return this.#abort.signal;
  }

  stop(reason: StopReason): void {
    this.#reason ??= reason;
    this.#abort?.abort(stopError(reason));
    if (reason !== 'TimeLimitExceeded') return;
    this.#isOverdue = true;
    this.#overdue.resolve(undefined);
  }

  /** Resolves at the hard time limit. */
  get overdue(): Promise<undefined> {
    return this.#overdue.promise;
  }

  /** Begins the task's time: it is asked to stop at the soft limit and ended at the hard one. */
  limit([hard, soft]: TimeLimit): void {
    if (soft !== null && soft > 0) this.#stopAfter(soft, 'SoftTimeLimitExceeded');
    if (hard !== null && hard > 0) this.#stopAfter(hard, 'TimeLimitExceeded');
  }

  /** A call that was ended at its hard limit timed out; it was not lost. */
  judge(outcome: Outcome): Outcome {
    const [hard] = this.message.timelimit;
    return outcome.kind === 'Lost' && hard !== null && this.#isOverdue
      ? { kind: 'TimedOut', hardSeconds: hard }
      : outcome;
  }

  /** Nothing of this run counts any more, whatever code of it still goes on. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  end(): void {
    this.#hasEnded = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #stopAfter(seconds: number, reason: StopReason): void {
    this.#timers.push(setTimeout(() => this.stop(reason), Math.min(seconds * 1_000, 2 ** 31 - 1)));
  }
}

function stopError(reason: StopReason): Error {
  return Object.assign(new Error(`the task was stopped: ${reason}`), { name: reason });
}

/** A message as its task sees it. */
export function callOf(message: TaskMessage, hostname: string): TaskCall {
  const { argsText, kwargsText, headers } = message;
  const request = {
    id: message.id,
    task: message.task,
    retries: message.retries,
    rootId: message.rootId,
    parentId: message.parentId,
    group: message.group,
    groupIndex: message.groupIndex,
    eta: message.eta,
    expires: message.expires,
    queue: message.routingKey,
    priority: message.priority,
    redelivered: message.redelivered,
    headers: Object.fromEntries([...headers].map(([name, text]) => [name, parsePythonJson(text)])),
    key: decodeString(headers.get(keyHeader)),
    hostname,
  };
  return { request, argsText, kwargsText };
}
