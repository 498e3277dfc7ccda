import { expect, test } from 'vitest';
import { limits } from '#core/base/limits.ts';
import { run48Of } from '#core/base/task-id.ts';
import type { AdvanceRequest } from '#core/workflow/advance.ts';
import { readSlot } from '#core/workflow/slots.ts';
import { run48Candidates } from '#io/runs/run-keys.ts';
import type { BeginAnswer } from '#io/runs/run-store.ts';
import { begun, json, newUid, outbox, push, request, shard, slot, succeeded } from '../support/run-requests.ts';
import type { OpenRunStore } from '../support/run-stores.ts';

function accepted(answer: BeginAnswer): Extract<BeginAnswer, { ok: true }> {
  if (!answer.ok) throw new Error(`refused: ${answer.refusal}`);
  return answer;
}

/** What every run store promises, of maps and of loss apart. */
export function runStoreSuite(open: () => Promise<OpenRunStore>): void {
  beginSuite(open);
  advanceSuite(open);
  refusalSuite(open);
  endSuite(open);
}

function beginSuite(open: () => Promise<OpenRunStore>): void {
  test('a new run begins at revision 0 with nothing in it', async () => {
    const { store } = await open();
    const uid = newUid();
    const fence = await store.takeShard(shard);
    const now = await store.nowMs();
    const answer = accepted(await store.begin({ uid, planVersion: 7, digest: 'abc', fence }));
    expect(answer).toMatchObject({ isNew: true, run: { uid, run48: run48Of(uid) } });
    const { begunAtMs, ...head } = answer.stored.head;
    expect(head).toEqual({
      uid,
      rev: 0,
      round: 0,
      roundsAt: [],
      retried: 0,
      planVersion: 7,
      digest: 'abc',
      cancelled: '',
    });
    expect(begunAtMs).toBeGreaterThanOrEqual(now);
    expect(begunAtMs).toBeLessThanOrEqual(await store.nowMs());
    const { slots, kept, maps, ledger, outbox: waiting } = answer.stored;
    expect([slots.length, kept.size, maps.size, ledger.size, waiting]).toEqual([0, 0, 0, 0, []]);
  });

  test('begun again it is found as it stands, whatever is said of its plan', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { records: [succeeded(1, '1.0')], publishes: [outbox(2, 'entry')] }));
    const again = accepted(
      await store.begin({ uid: run.uid, planVersion: 2, digest: 'other', fence, mustExist: true }),
    );
    expect(again).toMatchObject({ isNew: false, run });
    expect(again.stored.head).toMatchObject({ rev: 1, planVersion: 1, digest: 'd1' });
    expect([...again.stored.kept]).toEqual([[1, '1.0']]);
    expect(again.stored.outbox).toEqual(['entry']);
  });

  test('a run that must exist and is not there is not made anew', async () => {
    const { store } = await open();
    const uid = newUid();
    const fence = await store.takeShard(shard);
    const answer = await store.begin({ uid, planVersion: 1, digest: 'd1', fence, mustExist: true });
    expect(answer).toEqual({ ok: false, refusal: 'HeadMissing' });
    expect((await store.registered(shard)).filter((run) => run.uid === uid)).toEqual([]);
  });

  test('two live runs of the same 48 bits get different ones of the same shard', async () => {
    const { store } = await open();
    const first = await begun(store);
    const twins = ['1', '2', '3'].map((end) => `${first.run.uid.slice(0, -1)}${end}`.replace('-4000-', `-400${end}-`));
    const keys = [first.run];
    for (const uid of twins) keys.push((await begun(store, uid, first.fence)).run);
    expect(keys.map(({ run48 }) => run48)).toEqual(run48Candidates(run48Of(first.run.uid)));
    expect(keys.every(({ run48 }) => run48.startsWith('ab'))).toBe(true);
    const again = accepted(await store.begin({ uid: twins[1]!, planVersion: 1, digest: 'd1', fence: first.fence }));
    expect(again.run).toEqual(keys[2]);
    const fifth = { uid: first.run.uid.replace('-4000-', '-4009-'), planVersion: 1, digest: '', fence: first.fence };
    await expect(store.begin(fifth)).rejects.toMatchObject({ name: 'RunStoreUnavailable' });
  });

  test('a holder of an older fence begins nothing and is told the fence', async () => {
    const { store } = await open();
    const old = await store.takeShard(shard);
    const fence = await store.takeShard(shard);
    expect(fence).toBe(old + 1);
    const uid = newUid();
    const answer = await store.begin({ uid, planVersion: 1, digest: '', fence: old });
    expect(answer).toEqual({ ok: false, refusal: 'StaleFence', fence });
    expect((await store.registered(shard)).map((run) => run.uid)).not.toContain(uid);
    expect(await store.read({ uid, run48: run48Of(uid) })).toBeUndefined();
  });

  test('fences of different shards know nothing of each other', async () => {
    const { store } = await open();
    const before = await store.takeShard(0);
    await store.takeShard(1);
    expect(await store.takeShard(0)).toBe(before + 1);
  });

  test('the registry names every run of a shard, and no others', async () => {
    const { store } = await open();
    const { run } = await begun(store);
    expect(await store.registered(shard)).toContainEqual(run);
    expect(await store.registered(shard + 1)).not.toContainEqual(run);
  });
}

function advanceSuite(open: () => Promise<OpenRunStore>): void {
  test('slots come back as they were written, in any order and with zeros between', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    const first = slot('Lost', { lost: 15, carried: true, attempt: 0xfffe, atTicks: 0xfffffff0 });
    const records = [
      { at: 5, slot: first },
      { at: 2, slot: slot('Running', { attempt: 256 }) },
    ];
    expect(await store.advance(run, request(fence, 0, { records }))).toEqual({ ok: true, rev: 1 });
    const { slots } = (await store.read(run))!;
    expect(slots.length).toBe(48);
    expect(readSlot(slots, 5)).toEqual(first);
    expect(readSlot(slots, 2)).toEqual(records[1]!.slot);
    expect(readSlot(slots, 3)).toEqual(slot('Waiting', { atTicks: 0 }));
  });

  test.each([
    '1.0',
    'NaN',
    '-Infinity',
    '123456789012345678901234567890',
    '"ü€😀\\u0000\\ud83d\\r\\n"',
    '{"a" :  [ 1e400 , "\u2028"] }',
    `"${'ä'.repeat(100_000)}"`,
    '""',
  ])('a kept text comes back byte for byte: %.24s', async (text) => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { records: [succeeded(3, text)] }));
    expect((await store.read(run))!.kept.get(3)).toBe(text);
  });

  test('an outcome stands as first recorded, with its text', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { records: [succeeded(1, '"first"')] }));
    const later = [{ at: 1, slot: slot('Failed'), keep: json('"later"') }, succeeded(2, '2')];
    expect(await store.advance(run, request(fence, 1, { records: later }))).toEqual({ ok: true, rev: 2 });
    const stored = (await store.read(run))!;
    expect(readSlot(stored.slots, 1).state).toBe('Succeeded');
    expect([...stored.kept]).toEqual([
      [1, '"first"'],
      [2, '2'],
    ]);
  });

  test('of two outcomes of one step in one call the first stands', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    const records = [{ at: 1, slot: slot('Running') }, succeeded(1, '"first"'), succeeded(1, '"second"')];
    await store.advance(run, request(fence, 0, { records }));
    const stored = (await store.read(run))!;
    expect([...stored.kept]).toEqual([[1, '"first"']]);
    expect(readSlot(stored.slots, 1).state).toBe('Succeeded');
  });

  test('messages are taken in the order in which they were given, from each list', async () => {
    const { store, pushed } = await open();
    const { run, fence } = await begun(store);
    const [a, b] = [`a-${run.run48}`, `b-${run.run48}`];
    const publishes = [push(0, 'm0', a), push(1, 'm1', b), push(2, 'm2', a), push(3, 'm3', a)];
    await store.advance(run, request(fence, 0, { publishes }));
    await store.advance(run, request(fence, 1, { publishes: [push(4, 'm4', a)] }));
    expect(await pushed(a)).toEqual(['m0', 'm2', 'm3', 'm4']);
    expect(await pushed(b)).toEqual(['m1']);
    const { slots } = (await store.read(run))!;
    expect([0, 1, 2, 3, 4].map((step) => readSlot(slots, step).state)).toEqual(Array(5).fill('Published'));
  });

  test('what goes to another broker waits in the outbox until it is marked as published', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { publishes: [outbox(0, 'é1'), outbox(1, 'e2'), outbox(2, 'e3')] }));
    expect((await store.read(run))!.outbox).toEqual(['é1', 'e2', 'e3']);
    await store.clearOutbox(run, ['é1', 'e2']);
    await store.clearOutbox(run, ['é1', 'e2']);
    expect((await store.read(run))!.outbox).toEqual(['e3']);
  });

  test('the ledger says how many are held, and forgets a queue of which none is', async () => {
    const { store, held } = await open();
    const { run, fence } = await begun(store);
    const other = await begun(store, newUid(), fence);
    const told = (q: number, other: number) => ({
      ledger: [
        { queue: 'q', held: q },
        { queue: 'other', held: other },
      ],
    });
    await store.advance(other.run, request(fence, 0, told(9, 9)));
    await store.advance(run, request(fence, 0, told(5, 1)));
    await store.advance(run, request(fence, 1, told(3, 0)));
    expect([await held(run, 'q'), await held(run, 'other')]).toEqual([3, 0]);
    await store.advance(run, request(fence, 2, { ledger: [{ queue: 'other', held: 100_000 }] }));
    expect([await held(run, 'q'), await held(run, 'other')]).toEqual([3, 100_000]);
    expect((await store.read(run))!.ledger).toEqual(
      new Map([
        ['q', 3],
        ['other', 100_000],
      ]),
    );
    expect([await held(other.run, 'q'), await held(other.run, 'other')]).toEqual([9, 9]);
  });

  test.each(['Cancelled', 'DeadlineExceeded'] as const)('a cancel is recorded once and stays: %s', async (cancel) => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { cancel }));
    await store.advance(run, request(fence, 1, { records: [succeeded(0, '1')] }));
    expect((await store.read(run))!.head).toMatchObject({ cancelled: cancel, rev: 2 });
    for (const [i, later] of (['Cancelled', 'DeadlineExceeded'] as const).entries()) {
      await store.advance(run, request(fence, 2 + i, { cancel: later }));
    }
    expect((await store.read(run))!.head).toMatchObject({ cancelled: cancel, rev: 4 });
  });

  test('calls that do not wait for each other count on: each predicts the revision of the one before', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    const calls = [0, 1, 2, 3].map((rev) =>
      store.advance(run, request(fence, rev, { records: [succeeded(rev, '1')] })),
    );
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4].map((rev) => ({ ok: true, rev })));
  });

  test('500 messages go in one call, 501 in none', async () => {
    const { store, pushed } = await open();
    const { run, fence } = await begun(store);
    const list = `many-${run.run48}`;
    const publishes = Array.from({ length: limits.publishesPerCall + 1 }, (_, step) => push(step, `m${step}`, list));
    await expect(store.advance(run, request(fence, 0, { publishes }))).rejects.toThrow(RangeError);
    expect((await store.read(run))!.head.rev).toBe(0);
    publishes.pop();
    await store.advance(run, request(fence, 0, { publishes }));
    expect(await pushed(list)).toEqual(publishes.map((_, step) => `m${step}`));
  });
}

function refusalSuite(open: () => Promise<OpenRunStore>): void {
  /** A request that would change everything there is. */
  const full = (fence: number, rev: number, list: string): AdvanceRequest =>
    request(fence, rev, {
      records: [succeeded(1, '2')],
      publishes: [push(2, 'message', list), outbox(3, 'entry')],
      unfolds: [{ step: 5, base: 9, count: 3, width: 1 }],
      ledger: [{ queue: 'refused', held: 3 }],
      cancel: 'Cancelled',
    });

  async function prepared(open: () => Promise<OpenRunStore>) {
    const opened = await open();
    const { run, fence } = await begun(opened.store);
    await opened.store.advance(run, request(fence, 0, { records: [succeeded(0, '1.0')] }));
    const list = `refused-${run.run48}`;
    const isUntouched = async (): Promise<void> => {
      expect(await opened.pushed(list)).toEqual([]);
      expect(await opened.held(run, 'refused')).toBe(0);
    };
    return { ...opened, run, fence, list, isUntouched };
  }

  test('a missing head refuses, and nothing is written', async () => {
    const { store, run, fence, list, lose, isUntouched } = await prepared(open);
    await lose(run);
    expect(await store.advance(run, full(fence, 1, list))).toEqual({ ok: false, refusal: 'HeadMissing' });
    expect(await store.read(run)).toBeUndefined();
    await isUntouched();
  });

  test('a lower fence refuses, names the one that stands, and nothing is written', async () => {
    const { store, run, fence, list, isUntouched } = await prepared(open);
    const before = await store.read(run);
    await store.takeShard(shard);
    const answer = await store.advance(run, full(fence, 1, list));
    expect(answer).toEqual({ ok: false, refusal: 'StaleFence', fence: fence + 1 });
    expect(await store.read(run)).toEqual(before);
    await isUntouched();
    expect(await store.advance(run, full(fence + 1, 1, list))).toEqual({ ok: true, rev: 2 });
  });

  test.each([0, 2])('a revision that is not the one that stands refuses with what stands: %i', async (rev) => {
    const { store, run, fence, list, isUntouched } = await prepared(open);
    const before = (await store.read(run))!;
    const answer = await store.advance(run, full(fence, rev, list));
    expect(answer).toMatchObject({ ok: false, refusal: 'StaleRev' });
    if (!('stored' in answer)) throw new Error('nothing given');
    expect(answer.stored).toMatchObject({ head: before.head, kept: before.kept, outbox: [] });
    expect(readSlot(answer.stored.slots, 0)).toEqual(slot('Succeeded'));
    expect(await store.read(run)).toEqual(before);
    await isUntouched();
  });

  test('once a cancel is recorded only clean-up is published, all or nothing', async () => {
    const { store, run, fence, list, pushed, isUntouched } = await prepared(open);
    await store.advance(run, request(fence, 1, { cancel: 'Cancelled' }));
    const cleanUp = { ...push(4, 'clean', list), isCleanUp: true };
    const before = await store.read(run);
    const mixed = request(fence, 2, { records: [succeeded(1, '2')], publishes: [cleanUp, push(5, 'late', list)] });
    const answer = await store.advance(run, mixed);
    expect(answer).toMatchObject({
      ok: false,
      refusal: 'Cancelled',
      stored: { head: { rev: 2, cancelled: 'Cancelled' } },
    });
    expect(await store.read(run)).toEqual(before);
    await isUntouched();
    expect(await store.advance(run, request(fence, 2, { publishes: [cleanUp] }))).toEqual({ ok: true, rev: 3 });
    expect(await pushed(list)).toEqual(['clean']);
  });

  test('of two who decide on the same revision one is refused', async () => {
    const { store, run, fence, list, pushed } = await prepared(open);
    const both = ['mine', 'yours'].map((message) =>
      store.advance(run, request(fence, 1, { publishes: [push(2, message, list)] })),
    );
    expect((await Promise.all(both)).map(({ ok }) => ok)).toEqual([true, false]);
    expect(await pushed(list)).toEqual(['mine']);
  });
}

function endSuite(open: () => Promise<OpenRunStore>): void {
  test('an ended run leaves registry and ledger; what it was can still be read; repeats are harmless', async () => {
    const { store, held } = await open();
    const { run, fence } = await begun(store);
    const ledger = ['q', 'other'].map((queue) => ({ queue, held: 1 }));
    await store.advance(run, request(fence, 0, { records: [succeeded(0, '1')], ledger }));
    for (const _ of [1, 2]) await store.end(run);
    expect(await store.registered(shard)).not.toContainEqual(run);
    expect([await held(run, 'q'), await held(run, 'other')]).toEqual([0, 0]);
    expect((await store.read(run))!.ledger.size).toBe(0);
    expect((await store.read(run))!.kept.get(0)).toBe('1');
  });

  test('its 48 bits are not for the next, who would find its results; begun again it stands in the registry', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    await store.end(run);
    const twin = await begun(store, run.uid.replace('-4000-', '-4001-'), fence);
    expect(twin.run.run48).toBe(run48Candidates(run.run48)[1]);
    await store.end(run);
    expect(await store.registered(shard)).toContainEqual(twin.run);
    await store.end(twin.run);
    const again = accepted(await store.begin({ uid: run.uid, planVersion: 1, digest: 'd1', fence }));
    expect(again).toMatchObject({ isNew: false, run });
    expect(await store.registered(shard)).toContainEqual(run);
  });
}
