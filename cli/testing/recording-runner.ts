import { decodeTaskId } from '#core/base/task-id.ts';
import { parsePythonJson } from '#core/base/python-json.ts';
import type { Outcome } from '#core/execution/outcome.ts';
import { InlineRunner } from '#worker/runtime/inline-runner.ts';
import type { CallRunner, CallSupport } from '#worker/runtime/call-runner.ts';
import type { TaskCall } from '#worker/tasks/call.ts';
import type { Registry } from '#worker/tasks/registry.ts';
import { withinCall } from './test-scope.ts';
import type { TestedCall } from './tested-run.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A call as it is noted; `pathOf` needs the plan, which is there only when the run has begun. */
export type NotedCall = Omit<TestedCall, 'path'> & { readonly id: string };

type Open = { -readonly [K in keyof NotedCall]: NotedCall[K] };

/** Runs tasks in this thread, notes each call, and knows whether any of their code is at work. */
export class RecordingRunner implements CallRunner {
  readonly calls: NotedCall[] = [];
  readonly #inline: InlineRunner;
  readonly #clock: VirtualClock;
  #atWork = 0;
  #rested: (() => void)[] = [];

  constructor(registry: Registry, clock: VirtualClock) {
    this.#inline = new InlineRunner(registry);
    this.#clock = clock;
  }

  /** Resolves when no task's code is at work: all have ended, or wait for virtual time. */
  async rest(): Promise<void> {
    while (this.#atWork > 0) await new Promise<void>((resolve) => this.#rested.push(resolve));
  }

  get isResting(): boolean {
    return this.#atWork === 0;
  }

  async run(call: TaskCall, support: CallSupport): Promise<Outcome> {
    const noted = opened(call, this.#clock.nowMs());
    this.calls.push(noted);
    const work = this.#begin();
    const scope = { clock: this.#clock, signal: support.signal, nap: work.rest, wake: work.resume };
    const outcome = await withinCall(scope, () => this.#inline.run(call, support));
    work.end();
    close(noted, outcome);
    return outcome;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** One call's share in what is at work. Once it has ended, code that still goes on holds up nobody. */
  #begin() {
    let isAtWork = true;
    let hasEnded = false;
    this.#atWork += 1;
    const rest = (): void => {
      if (!isAtWork) return;
      isAtWork = false;
      this.#atWork -= 1;
      if (this.#atWork > 0) return;
      for (const resolve of this.#rested.splice(0)) resolve();
    };
    const resume = (): void => {
      if (isAtWork || hasEnded) return;
      isAtWork = true;
      this.#atWork += 1;
    };
    const end = (): void => {
      hasEnded = true;
      rest();
    };
    return { rest, resume, end };
  }
}

function opened({ request, argsText, kwargsText }: TaskCall, nowMs: number): Open {
  const { attempt = 0, member = 0 } = decodeTaskId(request.id) ?? {};
  return {
    id: request.id,
    task: request.task,
    item: member,
    args: parsePythonJson(argsText) as unknown[],
    kwargs: parsePythonJson(kwargsText) as Record<string, unknown>,
    attempt,
    queue: request.queue,
    at: new Date(nowMs),
    outcome: 'Running',
    result: undefined,
    error: undefined,
  };
}

function close(noted: Open, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'Succeeded':
      noted.outcome = 'Succeeded';
      noted.result = parsePythonJson(outcome.resultText);
      return;
    case 'Failed':
    case 'Retried': {
      const { type, messageText } = outcome.exception;
      noted.outcome = outcome.kind;
      noted.error = `${type}: ${(JSON.parse(messageText) as unknown[]).map(String).join(', ')}`;
      return;
    }
    case 'Ignored':
    case 'Requeued':
      noted.outcome = outcome.kind;
      return;
    default:
      noted.outcome = 'Stopped';
  }
}
