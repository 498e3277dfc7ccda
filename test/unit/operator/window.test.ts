import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { allowedUnclaimed } from '#core/workflow/share-window.ts';
import { usualPriority, Window } from '#operator/runs/window.ts';
import { HandClock, settle } from '../../support/hand-clock.ts';

const queue = 'gpu';

interface World {
  readonly clock: HandClock;
  readonly window: Window;
  slots: number | undefined;
  readonly told: (readonly string[])[];
}

function openWorld(slots: number | undefined): World {
  const clock = new HandClock();
  const told: (readonly string[])[] = [];
  const world: World = {
    clock,
    slots,
    told,
    window: new Window({ clock, slotsOf: () => world.slots, onRoom: (runs) => told.push(runs) }),
  };
  return world;
}

function want(window: Window, run: string, ...counts: readonly (readonly [priority: number, count: number])[]): void {
  window.want(run, new Map([[queue, new Map(counts)]]));
}

function wantAndTake(window: Window, run: string, count: number, most = Infinity): number {
  want(window, run, [usualPriority, count]);
  return window.grant(run, queue, usualPriority, most);
}

describe('the window', () => {
  let world: World;
  let window: Window;
  beforeEach(() => {
    world = openWorld(10);
    window = world.window;
  });

  test('a run alone gets all the room in one grant, and the rest is held', () => {
    expect(wantAndTake(window, 'a', 20_000)).toBe(46);
    expect(window.held()).toEqual(new Map([[queue, 19_954]]));
    expect(window.grant('a', queue, usualPriority, 500)).toBe(0);
  });

  test('what has ended makes room, of which the waiting run is told once', async () => {
    wantAndTake(window, 'a', 20_000);
    window.ended('a', queue, 3);
    window.ended('a', queue, 4);
    await settle();
    expect(world.told).toEqual([['a']]);
    expect(window.grant('a', queue, usualPriority, 500)).toBe(7);
  });

  test('a run that takes its grants at once is not told of them', async () => {
    wantAndTake(window, 'a', 5);
    await settle();
    expect(world.told).toEqual([]);
    expect(window.held()).toEqual(new Map());
  });

  test('one task gets in on the next free place beside a hundred thousand', async () => {
    wantAndTake(window, 'large', 100_000);
    expect(wantAndTake(window, 'small', 1)).toBe(0);
    window.ended('large', queue, 1);
    await settle();
    expect(world.told).toEqual([['small']]);
    expect(window.grant('small', queue, usualPriority, 1)).toBe(1);
  });

  test('the more urgent goes first, whoever waits longer', async () => {
    wantAndTake(window, 'large', 100_000);
    want(window, 'urgent', [3, 5]);
    want(window, 'large', [2, 100_000]);
    window.ended('large', queue, 4);
    await settle();
    expect(window.grant('large', queue, 2, 500)).toBe(0);
    expect(window.grant('urgent', queue, 3, 500)).toBe(4);
  });

  test('fast workers get as much as they took within the last 100 ms', async () => {
    window.inFlight('a', new Map([[queue, 500]]));
    want(window, 'a', [usualPriority, 20_000]);
    window.ended('a', queue, 400);
    await settle();
    // 100 are in flight, of which 10 fill the slots; 400 may wait.
    expect(window.grant('a', queue, usualPriority, 1_000)).toBe(310);
    await world.clock.turn(150);
    window.ended('a', queue, 10);
    await settle();
    expect(window.grant('a', queue, usualPriority, 1_000)).toBe(0);
  });

  test('what was taken back or lost is room, and no sign of fast workers', async () => {
    window.inFlight('a', new Map([[queue, 500]]));
    want(window, 'a', [usualPriority, 20_000]);
    window.gone('a', queue, 460);
    await settle();
    // 40 are in flight, of which 10 fill the slots; 36 may wait.
    expect(window.grant('a', queue, usualPriority, 1_000)).toBe(6);
    window.gone('a', queue, 1_000);
    await settle();
    expect(window.grant('a', queue, usualPriority, 1_000)).toBe(46);
  });

  test('new workers are noticed although nobody says so', async () => {
    wantAndTake(window, 'a', 20_000);
    world.slots = 20;
    await world.clock.turn(100);
    expect(world.told).toEqual([['a']]);
    expect(window.grant('a', queue, usualPriority, 500)).toBe(30);
  });

  test('workers that nobody knows are noticed by what is gone from the queue', async () => {
    world.slots = undefined;
    expect(wantAndTake(window, 'a', 1_000)).toBe(64);
    window.read(queue, 64);
    window.read(queue, 4);
    await world.clock.turn(100);
    expect(window.grant('a', queue, usualPriority, 500)).toBe(60);
  });

  test('places for which a run does not come go to the others, until it asks again', async () => {
    wantAndTake(window, 'stuck', 100);
    want(window, 'busy', [usualPriority, 100]);
    window.ended('stuck', queue, 20);
    await settle();
    expect(window.grant('busy', queue, usualPriority, 500)).toBe(10);
    await world.clock.turn(400);
    expect(window.grant('busy', queue, usualPriority, 500)).toBe(10);
    window.ended('stuck', queue, 10);
    expect(wantAndTake(window, 'stuck', 54)).toBe(5);
  });

  test('what was granted and not published is room again', async () => {
    expect(wantAndTake(window, 'a', 46)).toBe(46);
    want(window, 'b', [usualPriority, 100]);
    window.giveBack('a', queue, 40);
    await settle();
    expect(window.grant('b', queue, usualPriority, 500)).toBe(40);
  });

  test('a run that is gone leaves its places and its wishes', async () => {
    wantAndTake(window, 'a', 1_000);
    want(window, 'b', [usualPriority, 5]);
    window.drop('a');
    await settle();
    expect(window.grant('b', queue, usualPriority, 500)).toBe(5);
    expect(window.held()).toEqual(new Map());
    window.ended('a', queue, 40);
    window.giveBack('a', queue, 40);
    expect(wantAndTake(window, 'b', 1_000)).toBe(41);
  });

  test('what is wanted no more is held no more', () => {
    wantAndTake(window, 'a', 1_000);
    window.want('a', new Map([['cpu', new Map([[usualPriority, 90]])]]));
    expect(window.held()).toEqual(new Map([['cpu', 90]]));
    window.want('a', new Map());
    expect(window.held()).toEqual(new Map());
  });

  test('what is in flight after a restart fills the window', () => {
    window.inFlight('a', new Map([[queue, 46]]));
    expect(wantAndTake(window, 'a', 100)).toBe(0);
    window.inFlight('a', new Map());
    expect(wantAndTake(window, 'a', 100)).toBe(46);
  });

  test('nothing is looked at any more when it is closed', async () => {
    wantAndTake(window, 'a', 100);
    window.close();
    world.slots = 50;
    await world.clock.turn(1_000);
    expect(world.told).toEqual([]);
  });
});

const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('want' as const), run: fc.nat(7), count: fc.nat(300) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('end' as const), run: fc.nat(7), count: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('wait' as const), run: fc.nat(7), count: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('drop' as const), run: fc.nat(7), count: fc.nat(1) }) },
);

/** Runs that do as they are told, and what must be true of them at any time. */
class Model {
  readonly world: World;
  readonly slots: number;
  readonly #inFlight = new Map<string, number>();
  readonly #due = new Map<string, number>();
  readonly #passedOver = new Map<string, number>();
  #ended = 0;

  constructor(slots: number) {
    this.slots = slots;
    this.world = openWorld(slots);
  }

  async happen({ does, run: number, count }: typeof event extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
    const { clock, window, told } = this.world;
    const run = String(number);
    if (does === 'want') {
      this.#due.set(run, count);
      want(window, run, [usualPriority, count]);
      this.#come(run);
    } else if (does === 'end') this.#end(run, count);
    else if (does === 'wait') await clock.turn(count);
    else {
      window.drop(run);
      for (const counts of [this.#inFlight, this.#due, this.#passedOver]) counts.delete(run);
    }
    await settle(2);
    for (const runs of told.splice(0)) for (const each of runs) this.#come(each);
  }

  check(): void {
    const free =
      allowedUnclaimed({ slots: this.slots, inFlight: 0, endedLately: 0 }) + this.slots - sum(this.#inFlight);
    if (free > 0) expect(sum(this.#due)).toBe(0);
    expect(this.world.window.held().get(queue) ?? 0).toBe(sum(this.#due));
  }

  #end(run: string, count: number): void {
    const some = Math.min(count, this.#inFlight.get(run) ?? 0);
    this.#ended += some;
    add(this.#inFlight, run, -some);
    this.world.window.ended(run, queue, some);
  }

  #come(run: string): void {
    const taken = this.world.window.grant(run, queue, usualPriority, Infinity);
    if (taken === 0) return;
    add(this.#inFlight, run, taken);
    add(this.#due, run, -taken);
    this.#passedOver.delete(run);
    for (const [other, left] of this.#due) {
      if (left <= 0) continue;
      add(this.#passedOver, other, 1);
      // Of the eight that there are, each had its turn and each may have come anew, before it is theirs.
      expect(this.#passedOver.get(other)).toBeLessThanOrEqual(2 * 8 + 1);
    }
    const allowed = allowedUnclaimed({ slots: this.slots, inFlight: 0, endedLately: this.#ended });
    expect(sum(this.#inFlight) - this.slots).toBeLessThanOrEqual(allowed);
  }
}

test('no more waits than is allowed, freed places are used, and nobody is passed over for long', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.array(event, { maxLength: 60 }), async (slots, events) => {
      const model = new Model(slots);
      for (const each of events) {
        await model.happen(each);
        model.check();
      }
      model.world.window.close();
    }),
    { numRuns: 60 },
  );
});

test('ten thousand runs of one task are served in the order in which they came, in no time', async () => {
  const { window, told } = openWorld(10);
  const before = process.cpuUsage();
  const served: string[] = [];
  const runs = Array.from({ length: 10_000 }, (_, at) => `run-${at}`);
  for (const run of runs) if (wantAndTake(window, run, 1) === 1) served.push(run);
  for (let at = 0; at < runs.length; at += 1) {
    window.ended(served[at]!, queue, 1);
    if (at % 10 < 9) continue;
    await settle(1);
    for (const run of told.splice(0).flat()) if (window.grant(run, queue, usualPriority, 1) === 1) served.push(run);
  }
  expect(served).toEqual(runs);
  // Of the processor, for the machine may have other things to do.
  const { user, system } = process.cpuUsage(before);
  expect(user + system).toBeLessThan(5_000_000);
});

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((a, b) => a + b, 0);
}
