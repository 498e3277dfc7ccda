import { entries } from '#core/base/json-span.ts';
import { decodeResultMeta } from '#core/celery/result-meta.ts';
import { decodeString } from '#core/celery/signature.ts';
import { fateOf, type Holder, type Workers } from '#core/workflow/absence.ts';
import { readSlot, slotStateAt, ticksAt, tickMs } from '#core/workflow/slots.ts';
import type { Census } from '#io/brokers/census.ts';
import { Farewells, leavingMs } from './farewells.ts';
import type { Outstanding } from './outstanding.ts';
import type { RunPorts } from './run-ports.ts';
import type { Vanished } from './vanished.ts';

/** An absence counts when it is seen again after this long. */
const absentForMs = 2_000;
/** Most tasks end before anyone need be asked about them. */
const patienceMs = 5_000;
/** A message that was found is looked for again after so long, then after twice as long. */
const lookAgainMs = 5_000;
const longestLookMs = 60_000;
/** Looking takes no more than a tenth of the time, however many messages and workers there are. */
const restFactor = 9;
/** STARTED is heard at once, or found by a sweep within this time. */
const hearingMs = 8_000;

/** What is known of one message that was looked for. */
interface Sighting {
  readonly holder?: Holder;
  /** When it was last seen to wait. */
  readonly waitedAtMs?: number;
  readonly absentSinceMs?: number;
  readonly againMs: number;
  readonly waitMs: number;
}

type Ports = Pick<RunPorts, 'broker' | 'clock' | 'log' | 'results'>;

/**
 * Finds messages that are nowhere any more in queues from which Celery's own workers take: those acknowledge early where
 * they are told so, and then only they can say what they run. Who does not answer may run anything, so nothing is
 * judged then.
 */
export class AskedAbsences {
  readonly #ports: Ports;
  readonly #farewells: Farewells;
  /** Since when it is certain that results are heard. */
  #hearingSinceMs: number | undefined;
  #sightings = new Map<string, Sighting>();
  #workers: Workers | undefined;
  /** How long the workers took to answer the last time. */
  #censusMs = 0;
  #restUntilMs = 0;
  #isTroubleTold = false;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#farewells = new Farewells(ports);
  }

  /** Hears from now on who leaves. To be called before a task is sent about which workers may have to be asked. */
  listen(): void {
    this.#farewells.listen();
  }

  close(): void {
    this.#farewells.close();
  }

  /** Those of which it is certain now, for the second time. Throws what the broker and the result store throw. */
  async among(silent: readonly Outstanding[]): Promise<readonly Vanished[]> {
    const { clock } = this.#ports;
    const nowMs = clock.nowMs();
    this.#hearingSinceMs ??= nowMs;
    this.#forgetOthers(silent);
    if (nowMs < this.#restUntilMs) return [];
    const due = silent.filter((each) => this.#isDue(each, nowMs));
    if (due.length === 0) return [];
    try {
      return await this.#vanished(due, nowMs);
    } finally {
      const endedMs = clock.nowMs();
      this.#restUntilMs = endedMs + (endedMs - nowMs) * restFactor;
    }
  }

  #forgetOthers(silent: readonly Outstanding[]): void {
    const known = silent.flatMap(({ id }) => {
      const sighting = this.#sightings.get(id);
      return sighting === undefined ? [] : [[id, sighting] as const];
    });
    this.#sightings = new Map(known);
  }

  #isDue(each: Outstanding, nowMs: number): boolean {
    // What lies in the outbox is in no queue yet.
    if (!isAsked(each) || each.driver.run.outbox.holds(each.messageId)) return false;
    return ageMsOf(each) >= patienceMs && (this.#sightings.get(each.id)?.againMs ?? 0) <= nowMs;
  }

  async #vanished(due: readonly Outstanding[], nowMs: number): Promise<readonly Vanished[]> {
    const unplaced = await this.#unplaced(due, nowMs);
    if (unplaced.length === 0) return [];
    const census = await this.#ports.broker.ask(new Set(unplaced.map(({ messageId }) => messageId)));
    const unheld = unplaced.filter((each) => !this.#isHeld(each, census, nowMs));
    this.#tell(unheld, census);
    if (!census.workers.ok) return [];
    const certain = unheld.filter((each) => this.#isAbsentAgain(each, nowMs));
    // When every task has a holder the workers were not told.
    return unheld.length === 0 ? [] : this.#judged(certain, this.#workersOf(census.workers.value, nowMs), nowMs);
  }

  /** Those in no list and in nobody's books. Who had one of the others before has it no more. */
  async #unplaced(due: readonly Outstanding[], nowMs: number): Promise<readonly Outstanding[]> {
    const unplaced: Outstanding[] = [];
    for (const [queue, sent] of Map.groupBy(due, ({ driver, slot }) => driver.run.queueOf(slot) ?? '')) {
      const present = await this.#ports.broker.present(queue, new Set(sent.map(({ messageId }) => messageId)));
      for (const each of sent) {
        if (present.has(each.messageId)) this.#found(each, nowMs, { waitedAtMs: nowMs });
        else unplaced.push(each);
      }
    }
    return unplaced;
  }

  #isHeld(each: Outstanding, { holders }: Census, nowMs: number): boolean {
    const nodename = holders.get(each.messageId);
    if (nodename !== undefined) this.#found(each, nowMs, { holder: { nodename, atMs: nowMs } });
    return nodename !== undefined;
  }

  #found({ id }: Outstanding, nowMs: number, where: Pick<Sighting, 'holder' | 'waitedAtMs'>): void {
    const before = this.#sightings.get(id);
    const waitMs = before === undefined ? lookAgainMs : Math.min(longestLookMs, before.waitMs * 2);
    this.#sightings.set(id, { againMs: nowMs + waitMs, waitMs, ...where });
  }

  #isAbsentAgain({ id }: Outstanding, nowMs: number): boolean {
    const before = this.#sightings.get(id);
    const absentSinceMs = before?.absentSinceMs ?? nowMs;
    this.#sightings.set(id, { waitMs: lookAgainMs, ...before, againMs: 0, absentSinceMs });
    return nowMs - absentSinceMs >= absentForMs;
  }

  #workersOf(uptimesMs: ReadonlyMap<string, number>, askedAtMs: number): Workers {
    const nowMs = this.#ports.clock.nowMs();
    const startedAtMs = new Map([...uptimesMs].map(([nodename, uptimeMs]) => [nodename, nowMs - uptimeMs]));
    for (const nodename of startedAtMs.keys()) this.#farewells.answered(nodename, askedAtMs);
    const before = this.#workers;
    const tookMs = nowMs - askedAtMs;
    const isSame =
      before !== undefined && areSame(before.startedAtMs, startedAtMs, samenessMs + this.#censusMs + tookMs);
    this.#censusMs = tookMs;
    this.#workers = {
      startedAtMs,
      leftAtMs: this.#farewells.leftAtMs(),
      unheardUntilMs: this.#farewells.unheardUntilMs(),
      sameSinceMs: isSame ? before.sameSinceMs : askedAtMs,
    };
    return this.#workers;
  }

  async #judged(certain: readonly Outstanding[], workers: Workers, nowMs: number): Promise<readonly Vanished[]> {
    const metas = certain.length === 0 ? [] : await this.#ports.results.read(certain.map(({ messageId }) => messageId));
    return certain.flatMap((each, index) => {
      const holder = this.#sightings.get(each.id)?.holder ?? this.#starterOf(each, metas[index], nowMs);
      const { slots } = each.driver.run.view.state;
      const unbegunAtMs = Math.max(sentAfterMs(each, nowMs), this.#sightings.get(each.id)?.waitedAtMs ?? 0);
      const wasLost = readSlot(slots, each.slot).lost > 0;
      const fate = fateOf({ holder, unbegunAtMs, wasLost }, this.#whoMayHaveIt(each, workers, nowMs));
      return fate === 'Unknown' ? [] : [{ outstanding: each, fate, nodename: holder?.nodename }];
    });
  }

  /** Who left with it had left when it was missed first, whoever left since: in the end nobody runs it any more. */
  #whoMayHaveIt({ id }: Outstanding, workers: Workers, nowMs: number): Workers {
    const sinceMs = this.#sightings.get(id)?.absentSinceMs ?? nowMs;
    return nowMs - sinceMs <= leavingMs ? workers : { ...workers, leftAtMs: new Map(), unheardUntilMs: undefined };
  }

  /** Who stored STARTED, where it is certain when: it was heard while this engine listened. */
  #starterOf(each: Outstanding, meta: string | undefined, nowMs: number): Holder | undefined {
    const { slots } = each.driver.run.view.state;
    const heardMs = nowMs - ageMsOf(each);
    if (slotStateAt(slots, each.slot) !== 'Running' || heardMs < (this.#hearingSinceMs ?? Infinity)) return undefined;
    const nodename = meta === undefined ? undefined : startedBy(meta);
    if (nodename === undefined) return undefined;
    return { nodename, atMs: Math.max(heardMs - hearingMs, sentAfterMs(each, nowMs)) };
  }

  #tell(unheld: readonly Outstanding[], { workers }: Census): void {
    if (workers.ok || unheld.length === 0) {
      this.#isTroubleTold = false;
      return;
    }
    if (this.#isTroubleTold) return;
    this.#isTroubleTold = true;
    const tasks = unheld.length === 1 ? 'a task that is' : `${unheld.length} tasks that are`;
    this.#ports.log.warn({ why: workers.error }, `what became of ${tasks} in no queue is not judged for the present`);
  }
}

/** Uptimes come in whole seconds, of some moment while all were asked. */
const samenessMs = 3_000;

function areSame(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>, withinMs: number): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([nodename, startedMs]) => {
    return Math.abs(startedMs - (other.get(nodename) ?? -Infinity)) <= withinMs;
  });
}

function isAsked({ driver, slot }: Outstanding): boolean {
  return driver.run.routeOf(slot)?.isAsked === true;
}

/** Since it was sent or, of one that runs, since that was heard. */
function ageMsOf({ driver, slot }: Outstanding): number {
  return (driver.run.nowTicks - ticksAt(driver.run.view.state.slots, slot)) * tickMs;
}

/** When it was sent or, of one that runs, when its run began. */
function sentAfterMs(each: Outstanding, nowMs: number): number {
  const { run } = each.driver;
  const isSent = slotStateAt(run.view.state.slots, each.slot) === 'Published';
  return nowMs - (isSent ? ageMsOf(each) : run.nowTicks * tickMs);
}

function startedBy(meta: string): string | undefined {
  const stored = decodeResultMeta(meta);
  if (!stored.ok || stored.value.status !== 'STARTED') return undefined;
  const hostname = entries(stored.value.resultText)?.get('hostname');
  return hostname === undefined ? undefined : decodeString(hostname);
}
