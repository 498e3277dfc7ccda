import { durationText } from '#core/base/duration-text.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { RunDisplay } from '../show/run-display.ts';
import type { Terminal } from '../show/terminal.ts';
import type { LocalRun } from './local-run.ts';

/** npm and shells pass one Ctrl-C on more than once; what follows so soon is the same one. */
const sameMs = 1_000;

export interface CancellingOptions {
  readonly run: LocalRun;
  readonly display: RunDisplay;
  readonly terminal: Terminal;
  readonly timeoutMs: number | undefined;
}

/** Cancels a run by signal or when its time is over, and leaves at once when asked a second time. */
export class Cancelling {
  readonly #options: CancellingOptions;
  readonly #stop: () => void;
  #by: ExitCode | undefined;
  #firstMs = 0;

  constructor(options: CancellingOptions) {
    this.#options = options;
    const interrupted = (): void => this.#signalled('Ctrl-C', exitCodes.Cancelled);
    const terminated = (): void => this.#signalled('SIGTERM', exitCodes.Terminated);
    process.on('SIGINT', interrupted).on('SIGTERM', terminated);
    const { timeoutMs } = options;
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#timedOut(timeoutMs), timeoutMs);
    this.#stop = () => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', terminated);
    };
  }

  /** Why it was cancelled, as an exit code; undefined while it was not. */
  get by(): ExitCode | undefined {
    return this.#by;
  }

  end(): void {
    this.#stop();
  }

  #timedOut(timeoutMs: number): void {
    if (this.#by === undefined) this.#cancel(`--timeout ${durationText(timeoutMs)} passed`, exitCodes.TimedOut);
  }

  #signalled(what: string, code: ExitCode): void {
    if (this.#by === undefined) {
      this.#firstMs = performance.now();
      this.#cancel(what, code);
    } else if (performance.now() - this.#firstMs > sameMs) {
      this.#options.display.end();
      this.#options.terminal.err('left at once; what ran was cut off\n');
      process.exit(this.#by);
    }
  }

  #cancel(why: string, code: ExitCode): void {
    this.#by = code;
    this.#options.display.say(`${why}: cancelling; linkError and finally still run. Ctrl-C again leaves at once`);
    this.#options.run.configure({ cancel: true });
  }
}
