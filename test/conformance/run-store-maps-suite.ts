import { expect, test } from 'vitest';
import type { AdvanceRequest, Recorded } from '#core/workflow/advance.ts';
import { readSlot, slotBytes, withSlots, type Slots } from '#core/workflow/slots.ts';
import { slotIndexOf } from '#core/workflow/unfolded.ts';
import { begun, json, newUid, push, request, slot, succeeded } from '../support/run-requests.ts';
import type { OpenRunStore } from '../support/run-stores.ts';

/** A map at step 3 of ten members, whose `each` has the steps 4, 5 and 6; its slots begin where a plan of 8 steps ends. */
const unfold = { step: 3, base: 8, count: 10, width: 3 };
const maps = new Map([[3, { base: 8, count: 10, width: 3 }]]);
const member = (step: number, index: number): number => slotIndexOf(maps, { step, member: index });

/** What every run store promises of maps and of rounds. */
export function runStoreMapsSuite(open: () => Promise<OpenRunStore>): void {
  unfoldSuite(open);
  stretchSuite(open);
  roundSuite(open);
}

function unfoldSuite(open: () => Promise<OpenRunStore>): void {
  test('a map unfolds into waiting slots, in the call that records and publishes its first members', async () => {
    const { store, pushed } = await open();
    const { run, fence } = await begun(store);
    const list = `map-${run.run48}`;
    const publishes = [0, 1].map((index) => push(member(4, index), `m${index}`, list));
    const given = { unfolds: [unfold], records: [succeeded(2, '[1,2]')], publishes };
    expect(await store.advance(run, request(fence, 0, given))).toEqual({ ok: true, rev: 1 });
    const stored = (await store.read(run))!;
    expect([...stored.maps]).toEqual([...maps]);
    expect(stored.slots.length).toBe((8 + 30) * slotBytes);
    expect([...stored.slots].filter((byte) => byte === 2)).toHaveLength(2);
    expect(readSlot(stored.slots, member(4, 1)).state).toBe('Published');
    expect(await pushed(list)).toEqual(['m0', 'm1']);
  });

  test('what members keep comes back at their slots, beside what literal steps keep', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    const second = { step: 7, base: 38, count: 2, width: 1 };
    await store.advance(run, request(fence, 0, { records: [succeeded(1, '"one"')], unfolds: [unfold, second] }));
    const places = [
      [4, 0],
      [6, 9],
      [5, 3],
    ] as const;
    const records = places.map(([step, index]) => succeeded(member(step, index), `[${step},${index}]`));
    await store.advance(run, request(fence, 1, { records: [...records, succeeded(39, '"last"')] }));
    const { kept, maps: found } = (await store.read(run))!;
    expect(found.size).toBe(2);
    expect([...kept].sort(([a], [b]) => a - b)).toEqual([
      [1, '"one"'],
      [8, '[4,0]'],
      [18, '[5,3]'],
      [37, '[6,9]'],
      [39, '"last"'],
    ]);
  });

  test('an empty map is unfolded, too', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { unfolds: [{ step: 3, base: 8, count: 0, width: 1 }] }));
    expect([...(await store.read(run))!.maps]).toEqual([[3, { base: 8, count: 0, width: 1 }]]);
  });

  test('a map of 100,000 members unfolds in one call and leaves what stands before it', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    await store.advance(run, request(fence, 0, { records: [succeeded(0, '1')] }));
    const huge = { step: 1, base: 3, count: 100_000, width: 1 };
    expect(await store.advance(run, request(fence, 1, { unfolds: [huge] }))).toEqual({ ok: true, rev: 2 });
    const { slots } = (await store.read(run))!;
    expect(slots.length).toBe(800_024);
    expect(readSlot(slots, 0).state).toBe('Succeeded');
    expect(slots.subarray(slotBytes).every((byte) => byte === 0)).toBe(true);
    await store.advance(run, request(fence, 2, { records: [succeeded(100_002, '"last"')] }));
    expect((await store.read(run))!.kept.get(100_002)).toBe('"last"');
  });

  test('unfolded anew elsewhere, a map forgets what its members kept, and only that', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    const records = [succeeded(1, '1'), succeeded(member(4, 0), '2'), succeeded(member(6, 9), '3'), succeeded(7, '4')];
    await store.advance(run, request(fence, 0, { unfolds: [unfold], records }));
    const anew = { step: 3, base: 38, count: 2, width: 3 };
    const given: Partial<AdvanceRequest> = { unfolds: [anew], records: [succeeded(41, '"new"')] };
    await store.advance(run, request(fence, 1, given));
    const stored = (await store.read(run))!;
    expect([...stored.maps]).toEqual([[3, { base: 38, count: 2, width: 3 }]]);
    expect([...stored.kept].sort(([a], [b]) => a - b)).toEqual([
      [1, '1'],
      [7, '4'],
      [41, '"new"'],
    ]);
    expect(readSlot(stored.slots, 8).state).toBe('Succeeded');
  });
}

function stretchSuite(open: () => Promise<OpenRunStore>): void {
  test('a thousand outcomes in any order are each at their place, and those that stood stay', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    const huge = { step: 0, base: 1, count: 1_000, width: 1 };
    const before = [3, 4, 500, 999].map((index) => ({ at: 1 + index, slot: slot('Failed'), keep: json('"stood"') }));
    await store.advance(run, request(fence, 0, { unfolds: [huge], records: before }));
    const shuffled = Array.from({ length: 1_000 }, (_, i) => (i * 383) % 1_000);
    const records: Recorded[] = shuffled.map((index) =>
      index % 7 === 0 ? { at: 1 + index, slot: slot('Succeeded') } : succeeded(1 + index, String(index)),
    );
    await store.advance(run, request(fence, 1, { records }));
    const { slots, kept } = (await store.read(run))!;
    for (let index = 0; index < 1_000; index += 1) {
      const stood = before.some(({ at }) => at === 1 + index);
      expect(readSlot(slots, 1 + index).state).toBe(stood ? 'Failed' : 'Succeeded');
      expect(kept.get(1 + index)).toBe(stood ? '"stood"' : index % 7 === 0 ? undefined : String(index));
    }
  });

  test('neighbouring slots of different values are not taken for one', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    const given = [
      slot('Published'),
      slot('Published', { atTicks: 4_000_001 }),
      slot('Published', { attempt: 1 }),
      slot('Published', { carried: true }),
      slot('Running'),
      slot('Running'),
    ];
    const publishes = given.map((each, at) => ({ ...push(at, 'm', `neighbours-${run.run48}`), slot: each }));
    await store.advance(run, request(fence, 0, { publishes }));
    const { slots } = (await store.read(run))!;
    expect(given.map((_, at) => readSlot(slots, at))).toEqual(given);
  });

  test('messages for two lists and the outbox in turns keep their order in each', async () => {
    const { store, pushed } = await open();
    const { run, fence } = await begun(store);
    const [a, b] = [`a-${run.run48}`, `b-${run.run48}`];
    const publishes = Array.from({ length: 30 }, (_, at) => {
      const given = push(at, `m${at}`, at % 3 === 0 ? a : b);
      return at % 3 === 2 ? { ...given, dispatch: { by: 'Outbox', entry: `m${at}` } as const } : given;
    });
    await store.advance(run, request(fence, 0, { publishes }));
    const every = (rest: number): string[] => Array.from({ length: 10 }, (_, i) => `m${i * 3 + rest}`);
    expect([await pushed(a), await pushed(b)]).toEqual([every(0), every(1)]);
    expect((await store.read(run))!.outbox).toEqual(every(2));
  });
}

function roundSuite(open: () => Promise<OpenRunStore>): void {
  async function failedRun(): Promise<Awaited<ReturnType<typeof begun>> & OpenRunStore & { slots: Slots }> {
    const opened = await open();
    const { run, fence } = await begun(opened.store);
    const failed = { at: member(4, 2), slot: slot('Failed'), keep: json('"failed"') };
    const records = [succeeded(0, '"stays"'), succeeded(member(4, 1), '"stays too"'), failed];
    await opened.store.advance(run, request(fence, 0, { unfolds: [unfold], records, cancel: 'DeadlineExceeded' }));
    const { slots } = (await opened.store.read(run))!;
    return { ...opened, run, fence, slots: withSlots(slots, [[failed.at, slot('Waiting', { attempt: 1 })]]) };
  }

  test('a new round replaces all slots, takes the cancel back and forgets the texts of what runs again', async () => {
    const { store, run, fence, slots } = await failedRun();
    const answer = await store.advance(run, request(fence, 1, { newRound: { slots, atTicks: 77, retried: 4 } }));
    expect(answer).toEqual({ ok: true, rev: 2 });
    const stored = (await store.read(run))!;
    expect(stored.head).toMatchObject({ rev: 2, round: 1, roundsAt: [77], retried: 4, cancelled: '' });
    expect(Buffer.from(stored.slots)).toEqual(Buffer.from(slots));
    expect([...stored.maps]).toEqual([...maps]);
    expect([...stored.kept].sort(([a], [b]) => a - b)).toEqual([
      [0, '"stays"'],
      [member(4, 1), '"stays too"'],
    ]);
    expect(await store.advance(run, request(fence, 2, { publishes: [push(5, 'again', run.run48)] }))).toMatchObject({
      ok: true,
    });
  });

  test('rounds are counted, and the ticks of each stand in order', async () => {
    const { store, run, fence, slots } = await failedRun();
    for (const [i, atTicks] of [5, 0xffffffff, 7].entries()) {
      await store.advance(run, request(fence, 1 + i, { newRound: { slots, atTicks, retried: i + 1 } }));
    }
    expect((await store.read(run))!.head).toMatchObject({ rev: 4, round: 3, roundsAt: [5, 0xffffffff, 7] });
  });

  test('a new round may unfold a map anew, with what is held', async () => {
    const { store, held, run, fence, slots } = await failedRun();
    const unfolds = [{ step: 3, base: slots.length / slotBytes, count: 1, width: 3 }];
    const given = { newRound: { slots, atTicks: 9, retried: 2 }, unfolds, ledger: [{ queue: 'q', held: 1 }] };
    await store.advance(run, request(fence, 1, given));
    const stored = (await store.read(run))!;
    expect(stored.slots.length).toBe(slots.length + 3 * slotBytes);
    expect([...stored.kept]).toEqual([[0, '"stays"']]);
    expect(await held(run, 'q')).toBe(1);
  });

  test.each([
    { what: 'records', given: { records: [succeeded(0, '1')] } },
    { what: 'messages', given: { publishes: [push(0, 'm')] } },
    { what: 'a cancel', given: { cancel: 'Cancelled' } },
  ] as const)('a new round with $what is refused by every store', async ({ given }) => {
    const { store } = await open();
    const { run, fence } = await begun(store, newUid());
    const newRound = { slots: new Uint8Array(8), atTicks: 1, retried: 1 };
    await expect(store.advance(run, request(fence, 0, { ...given, newRound }))).rejects.toThrow(RangeError);
    expect((await store.read(run))!.head).toMatchObject({ rev: 0, round: 0 });
  });
}
