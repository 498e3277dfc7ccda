import type { Route } from '#operator/runs/route.ts';
import type { RunDriver } from '#operator/runs/run-driver.ts';
import type { RunEngine } from '#operator/runs/run-engine.ts';
import type { OutboxEntry, RunPorts } from '#operator/runs/run-ports.ts';
import { settle } from '../support/hand-clock.ts';
import { RunWorld } from './run-world.ts';

/** A world whose queue is with a broker that is not the Redis of its runs. */
export class ApartWorld extends RunWorld {
  /** `Refuses`: it answers, and takes nothing. `Hangs`: it answers nothing at all until it is asked to. */
  broker: 'Takes' | 'Refuses' | 'Hangs' = 'Refuses';
  /** Calls that were made while it hung. */
  readonly hanging: {
    readonly entries: readonly OutboxEntry[];
    reject: (error: Error) => void;
    resolve: () => void;
  }[] = [];

  constructor() {
    super();
    const { router } = this;
    this.router = (...asked) => ({ ...(router(...asked) as Route), place: { broker: 'other' } });
  }

  override ports(): RunPorts {
    const ports = super.ports();
    const { broker } = ports;
    const publish = (entries: readonly OutboxEntry[]): Promise<void> => {
      if (this.broker === 'Refuses') return Promise.reject(new Error('OOM command not allowed'));
      if (this.broker === 'Takes') return broker.publish(entries);
      return new Promise((resolve, reject) => this.hanging.push({ entries, resolve, reject }));
    };
    return { ...ports, broker: { ...broker, publish } };
  }

  /** What was asked for while it hung is done, whoever still waits for it. */
  arrive(): void {
    for (const { entries } of this.hanging) this.waiting.push(...entries.map(({ message }) => message));
  }

  async configure(driver: RunDriver, settings: Partial<RunWorld['settings']>): Promise<void> {
    this.settings = { ...this.settings, ...settings };
    driver.configure(this.settings);
    await settle();
  }

  async begun(spec: object, changed: Partial<RunPorts> = {}): Promise<{ engine: RunEngine; driver: RunDriver }> {
    const engine = await this.engine(changed);
    return { engine, driver: await this.begin(engine, spec) };
  }
}
