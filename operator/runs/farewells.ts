import type { RunPorts } from './run-ports.ts';

/** A worker that said that it leaves is given this long to finish what it runs: meanwhile it answers nothing. */
export const leavingMs = 600_000;
/** The first task is sent while listening begins: that someone takes it, and leaves within this time, is not reckoned with. */
const beginningMs = 1_000;
/** A moment that is reckoned in ticks by one operator, and by another's clock: their difference is smaller. */
const reckoningMs = 100;

/** Which of Celery's workers said that they leave, and since when it is certain that whoever says so is heard. */
export class Farewells {
  readonly #ports: Pick<RunPorts, 'broker' | 'clock'>;
  readonly #leftAtMs = new Map<string, number>();
  #heardSinceMs: number | undefined;
  #stop: (() => void) | undefined;

  constructor(ports: Pick<RunPorts, 'broker' | 'clock'>) {
    this.#ports = ports;
  }

  /** Begins with the first call, to be made before the first task is sent about which workers may have to be asked. */
  listen(): void {
    if (this.#stop !== undefined) return;
    const { broker, clock } = this.#ports;
    // What was sent earlier another operator sent, and who took it may have left before anyone listened here.
    const calledAtMs = clock.nowMs();
    this.#stop = broker.hearLeaving({
      left: (nodename) => this.#leftAtMs.set(nodename, clock.nowMs()),
      missed: () => {
        const isFirst = this.#heardSinceMs === undefined;
        this.#heardSinceMs = isFirst ? Math.max(calledAtMs - reckoningMs, clock.nowMs() - beginningMs) : clock.nowMs();
      },
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
