import { limits } from '#core/base/limits.ts';
import { engineFailure } from '#core/workflow/failure.ts';
import { outstandingOf, type Outstanding } from './outstanding.ts';
import type { DrivenRun } from './driven-run.ts';
import type { RunPorts } from './run-ports.ts';
import { withdraw } from './withdraw.ts';

const stopGraceMs = limits.stopGraceSeconds * 1_000;
/** A worker that began just now has not heard it. */
const askAgainMs = 5_000;

/**
 * Ends what a cancelled run has in flight: takes back what waits, asks what runs to stop, and after the grace says what
 * would not. Handlers are left alone. Begun anew by another operator, the grace begins anew as well.
 */
export class Cancellation {
  readonly #driver: DrivenRun;
  readonly #ports: Pick<RunPorts, 'broker' | 'log' | 'clock'>;
  #askedAtMs: number | undefined;
  #isBusy = false;

  constructor(driver: DrivenRun, ports: Pick<RunPorts, 'broker' | 'log' | 'clock'>) {
    this.#driver = driver;
    this.#ports = ports;
  }

  /** A new round begins: what happens in it has nothing to do with an earlier cancel. */
  reset(): void {
    this.#askedAtMs = undefined;
  }

  /** One pass; repeats are harmless. Milliseconds until the next is due, undefined when nothing is in flight. */
  async pursue(): Promise<number | undefined> {
    if (this.#isBusy) return undefined;
    this.#isBusy = true;
    try {
      return await this.#pass();
    } finally {
      this.#isBusy = false;
    }
  }

  async #pass(): Promise<number | undefined> {
    const members = outstandingOf(this.#driver).filter(({ role }) => role === 'Member');
    if (members.length === 0) return undefined;
    const withdrawn = await withdraw(members, this.#ports);
    for (const each of withdrawn) this.#end(each, 'Cancelled', 'its message was taken back from the queue');
    const gone = new Set(withdrawn);
    const running = members.filter((each) => !gone.has(each));
    if (running.length === 0) return undefined;
    const nowMs = this.#ports.clock.nowMs();
    this.#askedAtMs ??= nowMs;
    const leftMs = this.#askedAtMs + stopGraceMs - nowMs;
    if (leftMs > 0) {
      await this.#ask(running);
      return Math.min(leftMs, askAgainMs);
    }
    for (const each of running) {
      this.#end(each, 'Unstoppable', `it was asked to stop and had not ${limits.stopGraceSeconds} s later`);
    }
    return undefined;
  }

  async #ask(running: readonly Outstanding[]): Promise<void> {
    try {
      await this.#ports.broker.revoke(new Set(running.map(({ messageId }) => messageId)));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#ports.log.warn(
        { workflow: this.#driver.run.key.uid, error: message },
        'could not ask what runs to stop; asking again',
      );
    }
  }

  #end({ step, member, attempt }: Outstanding, type: 'Cancelled' | 'Unstoppable', message: string): void {
    this.#driver.see({ step, member, attempt, seen: 'Revoked', failure: engineFailure(type, message) });
  }
}
