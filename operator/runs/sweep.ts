import { readyStatuses, statusOf } from '#core/celery/result-meta.ts';
import { Absences } from './absences.ts';
import { outstandingOf, type Outstanding } from './outstanding.ts';
import type { RunPorts } from './run-ports.ts';
import type { RunDriver } from './run-driver.ts';
import { reportVanished } from './vanished.ts';

const keysPerCall = 500;
/** Results of one answer, unless a single one is larger. */
const bytesPerRead = 8 * 1024 * 1024;
/** Hints are given this long before the store is asked. */
const patienceTicks = 200;

interface Ready {
  readonly id: string;
  readonly bytes: number;
}

/** Ids whose results are fetched in one answer: few large ones, or many small ones. */
function partsOf(ready: readonly Ready[]): readonly (readonly string[])[] {
  const parts: string[][] = [];
  let left = 0;
  for (const { id, bytes } of ready) {
    if (bytes > left || parts.length === 0) {
      parts.push([]);
      left = bytesPerRead;
    }
    parts.at(-1)?.push(id);
    left -= bytes;
  }
  return parts;
}

/** Finds what no hint told: results that were stored unheard, and messages that are nowhere any more. */
export class Sweep {
  readonly #ports: RunPorts;
  readonly #drivers: () => Iterable<RunDriver>;
  readonly #heard: (id: string, text: string) => void;
  readonly #absences: Absences;
  #isRunning = false;
  #again = false;

  constructor(ports: RunPorts, drivers: () => Iterable<RunDriver>, heard: (id: string, text: string) => void) {
    this.#ports = ports;
    this.#drivers = drivers;
    this.#heard = heard;
    this.#absences = new Absences(ports);
  }

  close(): void {
    this.#absences.close();
  }

  /** One at a time; a call during another makes that one start over. `everything`: also what was published just now. */
  async run({ everything }: { readonly everything: boolean }): Promise<void> {
    if (this.#isRunning) {
      this.#again ||= everything;
      return;
    }
    this.#isRunning = true;
    try {
      await this.#once(everything);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#ports.log.warn({ error: message }, 'could not look for results; trying again');
    } finally {
      this.#isRunning = false;
    }
    if (this.#again) {
      this.#again = false;
      await this.run({ everything: true });
    }
  }

  async #once(everything: boolean): Promise<void> {
    const outstanding = [...this.#drivers()].flatMap((driver) => {
      if (driver.stopped !== undefined) return [];
      return outstandingOf(driver, everything ? Infinity : driver.run.nowTicks - patienceTicks);
    });
    const silent: Outstanding[] = [];
    for (let at = 0; at < outstanding.length; at += keysPerCall) {
      silent.push(...(await this.#look(outstanding.slice(at, at + keysPerCall))));
    }
    if (everything) return;
    // The result is read last of all: a worker may have stored it while the queues were looked at.
    const vanished = await this.#absences.among(silent);
    if (vanished.length === 0) return;
    const stillSilent = new Set(await this.#look(vanished.map((each) => each.outstanding)));
    for (const each of vanished) if (stillSilent.has(each.outstanding)) reportVanished(each);
  }

  /** Hands on what ended; resolves to what has not. */
  async #look(batch: readonly Outstanding[]): Promise<readonly Outstanding[]> {
    const glances = await this.#ports.results.glance(batch.map(({ id }) => id));
    const isReady = glances.map((glance) => glance !== undefined && readyStatuses.has(statusOf(glance.head) ?? ''));
    const ready = batch.flatMap(({ id }, index) => (isReady[index] ? [{ id, bytes: glances[index]?.bytes ?? 0 }] : []));
    for (const ids of partsOf(ready)) {
      const texts = await this.#ports.results.read(ids);
      ids.forEach((id, index) => {
        const text = texts[index];
        if (text !== undefined) this.#heard(id, text);
      });
    }
    return batch.filter((_, index) => !isReady[index]);
  }
}
