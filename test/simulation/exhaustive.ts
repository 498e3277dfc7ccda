import type { Agenda, Happening } from './kernel/agenda.ts';
import { isBefore } from './kernel/agenda.ts';
import type { Canvas } from './canvas/canvas.ts';
import { runSeed, type SeedOptions, type SeedResult } from './seed-run.ts';
import type { Swarm } from './swarm.ts';

/** A small world in which nothing fails by itself: two operators, two workers, one Workflow. */
export function smallWorld(canvas: Canvas, change: Partial<Swarm> = {}): SeedOptions {
  const calm: Partial<Swarm> = {
    ...{ operators: 2, workers: 2, workflows: 1, prefetch: 1, taskMs: 20, latencyMs: 1, tellsStart: false },
    ...{ isCelery: false, isElsewhere: false, showResults: false, knowsSlots: true, queueComesLate: false },
    ...{
      deletes: 0,
      cancels: 0,
      suspends: 0,
      retries: 0,
      deadlines: 0,
      collides: false,
      faultsEndMs: 60_000,
      pool: undefined,
      escalation: undefined,
      hasLease: false,
    },
  };
  return { kinds: [], canvases: [canvas], swarm: (drawn) => ({ ...drawn, ...calm, ...change }) };
}

/** One crash: at which call of the operators, and on which side of it. */
export interface CrashPoint {
  readonly effect: number;
  readonly when: 'Before' | 'After';
}

/** How many calls the operators make in a world in which none of them crashes. */
export async function effectsOf(seed: number, options: SeedOptions): Promise<number> {
  let effects = 0;
  const counts = countsCalls();
  const { violation } = await runSeed(seed, {
    ...options,
    effects: (when, client, what) => {
      if (when === 'Before' && counts(client.name, what)) effects += 1;
    },
  });
  if (violation !== undefined) throw new Error(`the world without a crash: ${violation}`);
  return effects;
}

/** Runs the world with one crash: the operator that makes the call is gone, and its pod starts another process. */
export async function crashedAt(seed: number, point: CrashPoint, options: SeedOptions): Promise<SeedResult> {
  let effects = 0;
  let isCounted = false;
  const counts = countsCalls();
  return runSeed(seed, {
    ...options,
    effects: (when, client, what, crash) => {
      if (when === 'Before') {
        isCounted = counts(client.name, what);
        if (isCounted) effects += 1;
      }
      if (isCounted && effects === point.effect && when === point.when) crash();
    },
  });
}

/** Calls for one shard after the other, of which there are 256, are alike but for the first few. */
const likeCalls: ReadonlySet<string> = new Set(['takeShard', 'registered']);
const mostLikeCalls = 3;

/** Whether a call of an operator is one at which a crash tells something new. */
function countsCalls(): (client: string, what: string) => boolean {
  const seen = new Map<string, number>();
  return (client, what) => {
    if (!client.startsWith('operator')) return false;
    if (!likeCalls.has(what)) return true;
    const times = (seen.get(`${client} ${what}`) ?? 0) + 1;
    seen.set(`${client} ${what}`, times);
    return times <= mostLikeCalls;
  };
}

/** At this many happenings someone else goes first, and whoever would have been next waits for all others. */
export type Preemptions = readonly number[];

/**
 * Orders by process, not by time: whoever goes on goes on until it waits; timers come when nothing else is left. At each
 * preemption the one whose turn it is falls behind everybody.
 */
export class PreemptiveAgenda implements Agenda {
  /** Turns so far at which another could have gone first. */
  choices = 0;
  readonly #preemptions: Preemptions;
  readonly #behind = new Map<string, number>();
  #happenings: Happening[] = [];

  constructor(preemptions: Preemptions) {
    this.#preemptions = preemptions;
  }

  push(happening: Happening): void {
    this.#happenings.push(happening);
  }

  pop(): Happening | undefined {
    this.#happenings = this.#happenings.filter(({ isOff, actor }) => !isOff && !actor.isDead);
    const exchanges = this.#happenings.filter(({ kind }) => kind === 'Io');
    // Time passes for all alike: whoever fell behind has its timers when they are due.
    let next = exchanges.length > 0 ? this.#first(exchanges) : earliest(this.#happenings);
    if (next === undefined) return undefined;
    const isChoice = exchanges.length > 0 && exchanges.some(({ actor }) => actor !== next?.actor);
    if (isChoice) {
      if (this.#preemptions.includes(this.choices)) {
        this.#behind.set(next.actor.name, this.#behind.size + 1);
        next = this.#first(exchanges)!;
      }
      this.choices += 1;
    }
    this.#happenings.splice(this.#happenings.indexOf(next), 1);
    return next;
  }

  #first(happenings: readonly Happening[]): Happening | undefined {
    const rank = ({ actor }: Happening): number => this.#behind.get(actor.name) ?? 0;
    return happenings.reduce<Happening | undefined>((first, each) => {
      if (first === undefined) return each;
      const byRank = rank(each) - rank(first);
      return byRank < 0 || (byRank === 0 && isBefore(each, first)) ? each : first;
    }, undefined);
  }
}

function earliest(happenings: readonly Happening[]): Happening | undefined {
  return happenings.reduce<Happening | undefined>(
    (first, each) => (first === undefined || isBefore(each, first) ? each : first),
    undefined,
  );
}

/** Runs the world in this order; says how many choices there were. */
export async function ordered(
  seed: number,
  preemptions: Preemptions,
  options: SeedOptions,
): Promise<SeedResult & { readonly choices: number }> {
  const agenda = new PreemptiveAgenda(preemptions);
  const result = await runSeed(seed, { ...options, agenda });
  return { ...result, choices: agenda.choices };
}
