import { parsePythonJson } from '#core/base/python-json.ts';
import { keyHeader, type TaskMessage } from '#core/celery/task-message.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import { decodeString } from '#core/celery/signature.ts';
import type { TaskCall } from '../tasks/call.ts';
import { stopError, type StopReason } from '../tasks/stop-error.ts';
import type { WorkerClock } from './worker-clock.ts';

/** How long a revoked task may take to stop by itself. */
const REVOKED_GRACE_MS = 5_000;

/** One task in a slot, with what can stop it. */
export class Running {
  readonly message: TaskMessage;
  /** The message that it was called by, which for an errback is not its own. */
  readonly calledBy: string;
  readonly startedMs: number;
  #abort: AbortController | undefined;
  #reason: StopReason | undefined;
  #isCut = false;
  #isOverdue = false;
  #isRevoked = false;
  #stopped: ((reason: StopReason) => void) | undefined;
  #cutOff: (() => void) | undefined;
  readonly #after: WorkerClock['after'];
  readonly #timers: (() => void)[] = [];

  constructor(message: TaskMessage, calledBy: string, { nowMs, after }: WorkerClock) {
    this.message = message;
    this.calledBy = calledBy;
    this.startedMs = nowMs();
    this.#after = after;
  }

  /** Made when it is asked for: most tasks never do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#reason !== undefined) this.#abort.abort(stopError(this.#reason));
    return this.#abort.signal;
  }

  /** Asks it to stop. The first reason stands. */
  stop(reason: StopReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#abort?.abort(stopError(reason));
    this.#stopped?.(reason);
  }

  /** Asks it to stop and ends it if it does not. However it ends, it was revoked. */
  revoke(): void {
    if (this.#isRevoked) return;
    this.#isRevoked = true;
    this.stop('TaskRevoked');
    this.#timers.push(this.#after(REVOKED_GRACE_MS, () => this.#cut()));
  }

  onStop(call: (reason: StopReason) => void): void {
    this.#stopped = call;
    if (this.#reason !== undefined) call(this.#reason);
  }

  onCut(call: () => void): void {
    this.#cutOff = call;
    if (this.#isCut) call();
  }

  /** Begins the task's time: it is asked to stop at the soft limit and ended at the hard one. */
  begin(): void {
    const [hard, soft] = this.message.timelimit;
    if (soft !== null && soft > 0) this.#afterSeconds(soft, () => this.stop('SoftTimeLimitExceeded'));
    if (hard !== null && hard > 0) this.#afterSeconds(hard, () => this.#beOverdue());
  }

  /** What became of it, by what was done to it: a call that was ended was not lost. */
  judge(outcome: Outcome): Outcome {
    if (this.#isRevoked) return { kind: 'Revoked', reason: 'terminated' };
    const [hard] = this.message.timelimit;
    return outcome.kind === 'Lost' && hard !== null && this.#isOverdue
      ? { kind: 'TimedOut', hardSeconds: hard }
      : outcome;
  }

  end(): void {
    for (const stop of this.#timers) stop();
  }

  #beOverdue(): void {
    this.#isOverdue = true;
    this.stop('TimeLimitExceeded');
    this.#cut();
  }

  #cut(): void {
    this.#isCut = true;
    this.#cutOff?.();
  }

  #afterSeconds(seconds: number, call: () => void): void {
    this.#timers.push(this.#after(seconds * 1_000, call));
  }
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
