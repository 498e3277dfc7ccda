import { entries } from '#core/base/json-span.ts';
import { decodeResultMeta } from '#core/celery/result-meta.ts';
import { decodeString } from '#core/celery/signature.ts';
import { fateOf, type Holder, type Workers } from '#core/workflow/absence.ts';
import { readSlot, slotStateAt, ticksAt, tickMs } from '#core/workflow/slots.ts';
import type { Census } from '#io/brokers/census.ts';
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
/** A worker that said that it leaves is given this long to finish what it runs: meanwhile it answers nothing. */
const leavingMs = 600_000;

/** What is known of one message that was looked for. */
interface Sighting {
  readonly holder?: Holder;
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
  readonly #leftAtMs = new Map<string, number>();
  /** Since when it is certain that results are heard. */
  #hearingSinceMs: number | undefined;
  #sightings = new Map<string, Sighting>();
  #workers: Workers | undefined;
  #restUntilMs = 0;
  #isTroubleTold = false;
  #stopHearing: (() => void) | undefined;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  close(): void {
    this.#stopHearing?.();
  }

  /** Those of which it is certain now, for the second time. Throws what the broker and the result store throw. */
  async among(silent: readonly Outstanding[]): Promise<readonly Vanished[]> {
    const { clock, broker } = this.#ports;
    const nowMs = clock.nowMs();
    this.#hearingSinceMs ??= nowMs;
    this.#forgetOthers(silent);
    if (silent.some(isAsked)) {
      this.#stopHearing ??= broker.hearLeaving((nodename) => this.#leftAtMs.set(nodename, clock.nowMs()));
    }
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
    const nowMs = this.#ports.clock.nowMs();
    for (const [nodename, leftMs] of this.#leftAtMs) {
      if (nowMs - leftMs > leavingMs) this.#leftAtMs.delete(nodename);
    }
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
        if (present.has(each.messageId)) this.#found(each, nowMs);
        else unplaced.push(each);
      }
    }
    return unplaced;
  }

  #isHeld(each: Outstanding, { holders }: Census, nowMs: number): boolean {
    const nodename = holders.get(each.messageId);
    if (nodename !== undefined) this.#found(each, nowMs, { nodename, atMs: nowMs });
    return nodename !== undefined;
  }

  #found({ id }: Outstanding, nowMs: number, holder?: Holder): void {
    const before = this.#sightings.get(id);
    const waitMs = before === undefined ? lookAgainMs : Math.min(longestLookMs, before.waitMs * 2);
    this.#sightings.set(id, { againMs: nowMs + waitMs, waitMs, ...(holder === undefined ? {} : { holder }) });
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
    // Who leaves answers nothing: one that did is another process of that name.
    for (const nodename of startedAtMs.keys()) {
      if ((this.#leftAtMs.get(nodename) ?? Infinity) < askedAtMs) this.#leftAtMs.delete(nodename);
    }
    const before = this.#workers;
    const isSame = before !== undefined && areSame(before.startedAtMs, startedAtMs);
    this.#workers = { startedAtMs, leftAtMs: this.#leftAtMs, sameSinceMs: isSame ? before.sameSinceMs : askedAtMs };
    return this.#workers;
  }

  async #judged(certain: readonly Outstanding[], workers: Workers, nowMs: number): Promise<readonly Vanished[]> {
    const metas = certain.length === 0 ? [] : await this.#ports.results.read(certain.map(({ messageId }) => messageId));
    return certain.flatMap((each, index) => {
      const holder = this.#sightings.get(each.id)?.holder ?? this.#starterOf(each, metas[index], nowMs);
      const { slots } = each.driver.run.view.state;
      const sentAtMs = slotStateAt(slots, each.slot) === 'Published' ? nowMs - ageMsOf(each) : undefined;
      const wasLost = readSlot(slots, each.slot).lost > 0;
      const fate = fateOf({ holder, sentAtMs, wasLost }, workers);
      return fate === 'Unknown' ? [] : [{ outstanding: each, fate, nodename: holder?.nodename }];
    });
  }

  /** Who stored STARTED, where it is certain when: it was heard while this engine listened. */
  #starterOf(each: Outstanding, meta: string | undefined, nowMs: number): Holder | undefined {
    const { slots } = each.driver.run.view.state;
    const heardMs = nowMs - ageMsOf(each);
    if (slotStateAt(slots, each.slot) !== 'Running' || heardMs < (this.#hearingSinceMs ?? Infinity)) return undefined;
    const nodename = meta === undefined ? undefined : startedBy(meta);
    return nodename === undefined ? undefined : { nodename, atMs: heardMs - hearingMs };
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

/** Uptimes come in whole seconds. */
const samenessMs = 3_000;

function areSame(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([nodename, startedMs]) => {
    return Math.abs(startedMs - (other.get(nodename) ?? -Infinity)) <= samenessMs;
  });
}

function isAsked({ driver, slot }: Outstanding): boolean {
  return driver.run.routeOf(slot)?.isAsked === true;
}

/** Since it was sent or, of one that runs, since that was heard. */
function ageMsOf({ driver, slot }: Outstanding): number {
  return (driver.run.nowTicks - ticksAt(driver.run.view.state.slots, slot)) * tickMs;
}

function startedBy(meta: string): string | undefined {
  const stored = decodeResultMeta(meta);
  if (!stored.ok || stored.value.status !== 'STARTED') return undefined;
  const hostname = entries(stored.value.resultText)?.get('hostname');
  return hostname === undefined ? undefined : decodeString(hostname);
}
