import { once } from 'node:events';
import type { BoundProcess } from '../../test/support/bound-process.ts';
import type { InstalledChart } from '../../test/support/chart.ts';
import type { BenchOptions } from './bench-options.ts';
import { startOperatorProcess } from './programs.ts';

/** The operator that leads, and the one that stands by while a row wants one. */
export class OperatorSeat {
  readonly #start: () => Promise<BoundProcess>;
  #leader: BoundProcess;
  #standBy: BoundProcess | undefined;

  private constructor(leader: BoundProcess, start: () => Promise<BoundProcess>) {
    this.#leader = leader;
    this.#start = start;
  }

  static async open(chart: InstalledChart, options: BenchOptions): Promise<OperatorSeat> {
    let count = 0;
    const start = (): Promise<BoundProcess> => {
      count += 1;
      return startOperatorProcess(chart, `operator-${count}`, options);
    };
    return new OperatorSeat(await start(), start);
  }

  /** Of the one that leads. */
  get pid(): number {
    return this.#leader.pid;
  }

  /** Starts another one; resolves when it knows the cluster and waits for the Lease. */
  async standBy(): Promise<void> {
    this.#standBy ??= await this.#start();
  }

  /** Ends the leader, for which the one that stands by comes; resolves when the process is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this.#leader;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    if (this.#standBy === undefined) return;
    this.#leader = this.#standBy;
    this.#standBy = undefined;
  }

  /** Starts a new leader in place of one that was ended; resolves when it knows the cluster. */
  async begin(): Promise<void> {
    this.#leader = await this.#start();
  }

  async stop(): Promise<void> {
    await this.#standBy?.stop();
    await this.#leader.stop();
  }
}
