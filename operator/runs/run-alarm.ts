import { tickMs } from '#core/workflow/slots.ts';
import { endOverdue } from './bounds.ts';
import { Cancellation } from './cancellation.ts';
import type { DrivenRun } from './driven-run.ts';
import type { RunPorts } from './run-ports.ts';

/** No longer than this at once: this machine's clock and that of Redis may drift apart meanwhile. */
const longestMs = 24 * 3_600_000;

/** Wakes one run when the time alone makes something due: a countdown, a retry, a bound, its deadline, a cancel's end. */
export class RunAlarm {
  readonly #driver: DrivenRun;
  readonly #ports: Pick<RunPorts, 'broker' | 'log' | 'clock'>;
  readonly #cancellation: Cancellation;
  #takeBack: () => void = () => undefined;
  #isClosed = false;

  constructor(driver: DrivenRun, ports: Pick<RunPorts, 'broker' | 'log' | 'clock'>) {
    this.#driver = driver;
    this.#ports = ports;
    this.#cancellation = new Cancellation(driver, ports);
  }

  /** Does what is due by now and sets the alarm for what comes next. Throws what the broker throws. */
  async attend(): Promise<void> {
    const { state, evaluation } = this.#driver.run.view;
    if (state.cancelled === '') this.#cancellation.reset();
    const waits = [
      state.cancelled === '' ? undefined : await this.#cancellation.pursue(),
      await endOverdue(this.#driver, this.#ports),
      this.#untilTicks(evaluation.nextDueTicks),
      this.#untilDeadline(),
    ].filter((wait) => wait !== undefined);
    this.#takeBack();
    if (waits.length === 0 || this.#isClosed) return;
    const waitMs = Math.min(longestMs, ...waits);
    this.#takeBack = this.#ports.clock.after(waitMs, () => this.#driver.schedule());
  }

  close(): void {
    this.#isClosed = true;
    this.#takeBack();
  }

  #untilTicks(ticks: number | undefined): number | undefined {
    return ticks === undefined ? undefined : Math.max(0, (ticks - this.#driver.run.nowTicks) * tickMs);
  }

  #untilDeadline(): number | undefined {
    const { settings, view, nowTicks } = this.#driver.run;
    if (settings.deadlineMs === undefined || view.state.cancelled !== '' || view.evaluation.stage !== 'Running') return;
    return Math.max(0, settings.deadlineMs - nowTicks * tickMs);
  }
}
