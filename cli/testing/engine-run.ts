import { parsePythonJson } from '#core/base/python-json.ts';
import type { LocalRun } from '../local/local-run.ts';
import { msOf } from './test-scope.ts';
import type { RecordingRunner } from './recording-runner.ts';
import type { TestClock, TestedCall, TestedFailure, TestedHandler, TestedRun } from './tested-run.ts';
import { turnOfLoop, type VirtualClock } from './virtual-clock.ts';

/** So many turns of the event loop without anything new, and nothing more happens by itself. */
const quietTurns = 8;
/** Beyond this nobody waits for anything but what never comes. */
const longestMs = 366 * 24 * 3_600_000;

export interface EngineRunParts {
  readonly run: LocalRun;
  readonly clock: VirtualClock;
  readonly runner: RecordingRunner;
}

/** A run, its clock and what was noted of its tasks. */
export class EngineRun implements TestedRun {
  readonly clock: TestClock;
  readonly #run: LocalRun;
  readonly #clock: VirtualClock;
  readonly #runner: RecordingRunner;
  #result: unknown;

  constructor({ run, clock, runner }: EngineRunParts) {
    this.#run = run;
    this.#clock = clock;
    this.#runner = runner;
    const startMs = clock.nowMs();
    this.clock = {
      get now() {
        return new Date(clock.nowMs());
      },
      get elapsedMs() {
        return clock.nowMs() - startMs;
      },
      advance: (duration) => this.#advance(msOf(duration)),
    };
  }

  get state(): string {
    return this.#run.status().state ?? 'Pending';
  }

  get message(): string {
    return this.#run.status().conditions?.[0]?.message ?? '';
  }

  get result(): unknown {
    return this.#result;
  }

  get calls(): readonly TestedCall[] {
    return this.#runner.calls.map(({ id, ...call }) => {
      const { path, isOfMap } = this.#run.placeOf(id);
      return { ...call, path, item: isOfMap ? call.item : undefined };
    });
  }

  get failures(): readonly TestedFailure[] {
    const { failures = [] } = this.#run.status();
    return failures.map(({ path, task = '', type, message = '' }) => ({ path, task, type, message }));
  }

  get handlers(): readonly TestedHandler[] {
    const { handlers = [] } = this.#run.status();
    return handlers.map(({ kind, path, task, state }) => ({ kind, path, task, state }));
  }

  stateOf(path: string): string {
    const rows = this.#run.elementRows();
    const row = rows.get(path);
    if (row !== undefined) return row.state;
    throw new RangeError(`no element stands at ${path}; there are ${[...rows.keys()].join(', ')}`);
  }

  callsOf(task: string): readonly TestedCall[] {
    return this.calls.filter((call) => call.task === task);
  }

  async finish(): Promise<void> {
    const endMs = this.#clock.nowMs() + longestMs;
    await this.settle();
    while (!this.#run.hasEnded) {
      const nextMs = this.#clock.nextMs();
      if (nextMs === undefined || nextMs > endMs)
        throw new Error(`the workflow does not end: it is ${this.state}, ${this.message}`);
      this.#clock.moveTo(nextMs);
      await this.settle();
    }
  }

  cancel(): Promise<void> {
    return this.#configure({ cancel: true });
  }

  suspend(): Promise<void> {
    return this.#configure({ suspended: true });
  }

  resume(): Promise<void> {
    return this.#configure({ suspended: false });
  }

  retryFailed(): Promise<void> {
    return this.#configure({ cancel: false, retryFailed: this.#run.settings.retryFailed + 1 });
  }

  /** Until nothing more happens without time passing. */
  async settle(): Promise<void> {
    let seen = -1;
    for (let quiet = 0; quiet < quietTurns; quiet += 1) {
      await this.#runner.rest();
      await turnOfLoop();
      const { events } = this.#clock;
      if (events !== seen || !this.#runner.isResting) quiet = 0;
      seen = events;
    }
    const text = await this.#run.resultText();
    this.#result = text === undefined ? undefined : parsePythonJson(text);
  }

  async #configure(changed: Parameters<LocalRun['configure']>[0]): Promise<void> {
    this.#run.configure(changed);
    await this.settle();
  }

  async #advance(ms: number): Promise<void> {
    const endMs = this.#clock.nowMs() + ms;
    await this.settle();
    for (let next = this.#clock.nextMs(); next !== undefined && next <= endMs; next = this.#clock.nextMs()) {
      this.#clock.moveTo(next);
      await this.settle();
    }
    this.#clock.moveTo(endMs);
  }
}
