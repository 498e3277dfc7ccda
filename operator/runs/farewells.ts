import type { RunPorts } from './run-ports.ts';

/** A worker that said that it leaves is given this long to finish what it runs: meanwhile it answers nothing. */
export const leavingMs = 600_000;
/** Listening begins as a task is sent: that someone takes it, and leaves within this time, is not reckoned with. */
const beginningMs = 1_000;

/** Which of Celery's workers said that they leave, and since when it is certain that whoever says so is heard. */
export class Farewells {
  readonly #ports: Pick<RunPorts, 'broker' | 'clock'>;
  readonly #leftAtMs = new Map<string, number>();
  #heardSinceMs: number | undefined;
  #stop: (() => void) | undefined;

  constructor(ports: Pick<RunPorts, 'broker' | 'clock'>) {
    this.#ports = ports;
  }

  /** Begins with the first call. */
  listen(): void {
    const { broker, clock } = this.#ports;
    this.#stop ??= broker.hearLeaving({
      left: (nodename) => this.#leftAtMs.set(nodename, clock.nowMs()),
      missed: () => (this.#heardSinceMs = clock.nowMs() - beginningMs),
    });
  }

  close(): void {
    this.#stop?.();
  }

  /** Who may still run what they had, and since when. */
  leftAtMs(): ReadonlyMap<string, number> {
    const nowMs = this.#ports.clock.nowMs();
    for (const [nodename, leftMs] of this.#leftAtMs) {
      if (nowMs - leftMs > leavingMs) this.#leftAtMs.delete(nodename);
    }
    return this.#leftAtMs;
  }

  /** Who left before this, unheard, may still run what they had; undefined when their time is over, or nobody can be heard. */
  unheardUntilMs(): number | undefined {
    const since = this.#heardSinceMs;
    return since === undefined || this.#ports.clock.nowMs() - since > leavingMs ? undefined : since;
  }

  /** Who leaves answers nothing: one that was asked at this time, and answered, is another process of that name. */
  answered(nodename: string, askedAtMs: number): void {
    if ((this.#leftAtMs.get(nodename) ?? Infinity) < askedAtMs) this.#leftAtMs.delete(nodename);
  }
}
