import { readyStatuses, resultBytesOf, statusOf } from '#core/celery/result-meta.ts';
import { taskIdOf } from '#core/workflow/message.ts';
import type { ResultGlance } from '#io/results/result-store.ts';
import { Absences } from './absences.ts';
import { outstandingOf, type Outstanding } from './outstanding.ts';
import type { InboxRoom } from './inbox-room.ts';
import type { RunPorts } from './run-ports.ts';
import { tellingAsked, type Router } from './route.ts';
import type { RunDriver } from './run-driver.ts';
import { reportVanished } from './vanished.ts';

const keysPerCall = 500;
/** Hints are given this long before the store is asked. */
const patienceTicks = 200;
/** So long the runs are given to decide on what they were told, before a sweep ends where it is. */
const patienceMs = 5_000;

interface Ready {
  readonly id: string;
  readonly bytes: number;
}

/** Ids whose results are fetched in one answer: few large ones, or many small ones; one, if it is larger than that. */
function partsOf(ready: readonly Ready[], bytesPerRead: number): readonly (readonly string[])[] {
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

export interface SweepParts {
  readonly drivers: () => Iterable<RunDriver>;
  /** Told each result that was found. */
  readonly heard: (id: string, text: string) => void;
  /** What is full, the sweep waits for: the rest of the results stays in the store. */
  readonly room: InboxRoom;
}

/** Finds what no hint told: results that were stored unheard, and messages that are nowhere any more. */
export class Sweep {
  readonly #ports: RunPorts;
  readonly #drivers: () => Iterable<RunDriver>;
  readonly #heard: (id: string, text: string) => void;
  readonly #room: InboxRoom;
  readonly #absences: Absences;
  #isRunning = false;
  #again = false;

  constructor(ports: RunPorts, { drivers, heard, room }: SweepParts) {
    this.#ports = ports;
    this.#drivers = drivers;
    this.#heard = heard;
    this.#room = room;
    this.#absences = new Absences(ports);
  }

  /** The same router; with the first route to workers that may have to be asked one begins to hear which of them leave. */
  listening(router: Router): Router {
    return tellingAsked(router, () => this.#absences.listen());
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
    const ready: Ready[] = [];
    const silent: Outstanding[] = [];
    batch.forEach((each, index) => {
      const glance = glances[index];
      if (glance === undefined || !readyStatuses.has(statusOf(glance.head) ?? '')) silent.push(each);
      else if (!this.#isTooLarge(each, glance)) ready.push({ id: each.id, bytes: glance.bytes });
    });
    for (const ids of partsOf(ready, this.#room.part)) {
      await this.#makeRoom();
      const texts = await this.#ports.results.read(ids);
      ids.forEach((id, index) => {
        const text = texts[index];
        if (text !== undefined) this.#heard(id, text);
      });
    }
    return silent;
  }

  /** What is longer than a run keeps is not fetched: its length says all. */
  #isTooLarge({ driver, step, member, attempt, id }: Outstanding, { bytes, head, tail }: ResultGlance): boolean {
    if (bytes <= this.#ports.payloadLimits.resultBytes) return false;
    const resultBytes = resultBytesOf(bytes, head, tail ?? '');
    if (resultBytes === undefined || resultBytes <= this.#ports.payloadLimits.resultBytes) return false;
    // A further round may have begun meanwhile: this attempt is none of its.
    if (taskIdOf(driver.run.identity, { step, member, attempt }) !== id) return true;
    driver.see({ step, member, attempt, seen: 'TooLarge', bytes: resultBytes });
    return true;
  }

  /** Goes on when there is room; runs that stand still make it first. Throws when none of the others got on in time. */
  async #makeRoom(): Promise<void> {
    if (this.#room.isFull) for (const driver of this.#drivers()) if (driver.standsStill) driver.run.forgetSeen();
    if (!this.#room.isFull) return;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const takeBack = this.#ports.clock.after(patienceMs, () => {
      reject(new Error(`the results heard already wait to be decided on since ${patienceMs / 1000} s`));
    });
    this.#room.onceFree(() => {
      takeBack();
      resolve(undefined);
    });
    await promise;
  }
}
