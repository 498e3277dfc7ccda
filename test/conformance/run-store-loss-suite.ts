import { expect, test } from 'vitest';
import type { StoredRun } from '#core/workflow/advance.ts';
import { slotBytes } from '#core/workflow/slots.ts';
import type { RunKey, RunStore } from '#io/runs/run-store.ts';
import { begun, newUid, outbox, request, shard, succeeded } from '../support/run-requests.ts';
import type { OpenRunStore } from '../support/run-stores.ts';

/** What every run store promises about lost data, and about what is read while another writes. */
export function runStoreLossSuite(open: () => Promise<OpenRunStore>): void {
  restoreSuite(open);
  slotsSuite(open);
  fenceSuite(open);
  readSuite(open);
}

/** A run with something everywhere: a map, texts of its members, an outbox, a second round. */
async function fullRun(store: RunStore): Promise<{ run: RunKey; fence: number; known: StoredRun }> {
  const { run, fence } = await begun(store);
  const unfolds = [{ step: 3, base: 8, count: 10, width: 3 }];
  const records = [succeeded(1, '"ü😀"'), succeeded(8, '1.0'), succeeded(37, '[ 2 ]')];
  const publishes = [outbox(5, 'e1'), outbox(6, 'e2')];
  const ledger = [{ queue: 'q', held: 4 }];
  await store.advance(run, request(fence, 0, { unfolds, records, publishes, ledger }));
  const { slots } = (await store.read(run))!;
  await store.advance(run, request(fence, 1, { newRound: { slots, atTicks: 12, retried: 1 } }));
  await store.advance(run, request(fence, 2, { cancel: 'Cancelled' }));
  return { run, fence, known: (await store.read(run))! };
}

function restoreSuite(open: () => Promise<OpenRunStore>): void {
  test('a run whose head is gone is written back whole, and goes on from there', async () => {
    const { store, lose } = await open();
    const { run, fence, known } = await fullRun(store);
    await lose(run);
    expect(await store.restore(run, { ...known, fence })).toEqual({ ok: true, rev: 3 });
    expect(await store.read(run)).toEqual(known);
    expect(await store.advance(run, request(fence, 3))).toEqual({ ok: true, rev: 4 });
  });

  test('over an older head nothing of the older one is left', async () => {
    const { store, lose, held } = await open();
    const { run, fence, known } = await fullRun(store);
    await lose(run);
    const begun = await store.begin({ uid: run.uid, planVersion: 1, digest: 'older', fence });
    expect(begun.ok && begun.run).toEqual(run);
    const older = { unfolds: [{ step: 40, base: 50, count: 2, width: 1 }], records: [succeeded(51, '"old"')] };
    const ledger = ['q', 'old'].map((queue) => ({ queue, held: 9 }));
    await store.advance(run, request(fence, 0, { ...older, publishes: [outbox(2, 'old')], ledger }));
    expect(await store.restore(run, { ...known, fence })).toEqual({ ok: true, rev: 3 });
    expect(await store.read(run)).toEqual(known);
    expect([await held(run, 'q'), await held(run, 'old')]).toEqual([4, 0]);
  });

  test.each([0, 1])('over a head that is newer by %i nothing is written, and what stands is given', async (newer) => {
    const { store } = await open();
    const { run, fence, known } = await fullRun(store);
    if (newer === 1) await store.advance(run, request(fence, 3, { records: [succeeded(2, '"newer"')] }));
    const before = (await store.read(run))!;
    const answer = await store.restore(run, { ...known, kept: new Map(), fence });
    expect(answer).toMatchObject({ ok: false, refusal: 'StaleRev', stored: { head: { rev: 3 + newer } } });
    expect('stored' in answer && answer.stored.kept).toEqual(before.kept);
    expect(await store.read(run)).toEqual(before);
  });

  test('a holder of an older fence restores nothing and is told the fence', async () => {
    const { store, lose } = await open();
    const { run, fence, known } = await fullRun(store);
    const newer = await store.takeShard(shard);
    await lose(run);
    const refused = { ok: false, refusal: 'StaleFence', fence: newer };
    expect(await store.restore(run, { ...known, fence })).toEqual(refused);
    expect(await store.read(run)).toBeUndefined();
  });

  test('restored into a wiped server it stands in registry and ledger again, and its fence stands', async () => {
    const { store, wipe, held } = await open();
    const { run, fence, known } = await fullRun(store);
    await wipe();
    expect([await store.registered(shard), await held(run, 'q')]).toEqual([[], 0]);
    expect(await store.restore(run, { ...known, fence })).toEqual({ ok: true, rev: 3 });
    expect([await store.registered(shard), await held(run, 'q')]).toEqual([[run], 4]);
    expect(await store.takeShard(shard)).toBe(fence + 1);
  });

  test('its 48 bits taken by another run meanwhile, nothing is restored', async () => {
    const { store, wipe } = await open();
    const { run, fence, known } = await fullRun(store);
    await wipe();
    const twin = await begun(store, run.uid.replace('-4000-', '-4001-'), fence);
    expect(twin.run.run48).toBe(run.run48);
    await expect(store.restore(run, { ...known, fence })).rejects.toMatchObject({ name: 'RunStoreUnavailable' });
    expect(await store.read(run)).toBeUndefined();
    expect(await store.registered(shard)).toEqual([twin.run]);
  });

  test('100,000 kept texts go back in one call', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    const huge = { base: 3, count: 100_000, width: 1 };
    const kept = new Map(Array.from({ length: huge.count }, (_, i) => [3 + i, succeeded(0, String(i)).keep!] as const));
    const slots = new Uint8Array((3 + huge.count) * slotBytes).fill(16, 3 * slotBytes);
    const { head } = (await store.read(run))!;
    const known = { head: { ...head, rev: 9 }, slots, kept, maps: new Map([[1, huge]]), ledger: new Map(), outbox: [] };
    expect(await store.restore(run, { ...known, fence })).toEqual({ ok: true, rev: 9 });
    const stored = (await store.read(run))!;
    expect([stored.kept.size, stored.kept.get(100_002)]).toEqual([100_000, '99999']);
    expect(Buffer.compare(stored.slots, slots)).toBe(0);
  });
}

function slotsSuite(open: () => Promise<OpenRunStore>): void {
  test('a run whose slots alone are gone is lost as a whole, and is written back whole', async () => {
    const { store, loseSlots } = await open();
    const { run, fence, known } = await fullRun(store);
    await loseSlots(run);
    const asked = { uid: run.uid, planVersion: 1, digest: 'd1', fence };
    expect(await store.begin({ ...asked, mustExist: true })).toEqual({ ok: false, refusal: 'HeadMissing' });
    expect(await store.advance(run, request(fence, 3))).toEqual({ ok: false, refusal: 'HeadMissing' });
    expect(await store.advance(run, request(fence, 0))).toEqual({ ok: false, refusal: 'HeadMissing' });
    expect([await store.read(run), await store.revisions([run])]).toEqual([undefined, [undefined]]);
    expect(await store.restore(run, { ...known, fence })).toEqual({ ok: true, rev: 3 });
    expect(await store.read(run)).toEqual(known);
    expect(await store.revisions([run])).toEqual([3]);
  });

  test('a run that nobody knows to have begun begins anew where its slots are gone, and nothing of it is left', async () => {
    const { store, loseSlots } = await open();
    const { run, fence } = await fullRun(store);
    await loseSlots(run);
    const answer = await store.begin({ uid: run.uid, planVersion: 1, digest: 'd1', fence });
    expect(answer).toMatchObject({ ok: true, isNew: true, run, stored: { head: { rev: 0, round: 0, cancelled: '' } } });
    const { kept, maps, outbox, slots } = (await store.read(run))!;
    expect([kept.size, maps.size, outbox.length, slots.length]).toEqual([0, 0, 0, 0]);
  });

  test('a run of which nothing was sent is whole', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    expect(await store.revisions([run])).toEqual([0]);
    expect(await store.advance(run, request(fence, 0, { ledger: [{ queue: 'q', held: 1 }] }))).toMatchObject({
      rev: 1,
    });
    const known = (await store.read(run))!;
    expect(await store.restore(run, { ...known, head: { ...known.head, rev: 2 }, fence })).toEqual({
      ok: true,
      rev: 2,
    });
    expect(await store.advance(run, request(fence, 2, { cancel: 'Cancelled' }))).toMatchObject({ rev: 3 });
  });
}

function fenceSuite(open: () => Promise<OpenRunStore>): void {
  test('after a wipe the older of two holders is refused as soon as the newer has written', async () => {
    const { store, wipe } = await open();
    const { run, fence: older, known } = await fullRun(store);
    const newer = await store.takeShard(shard);
    await wipe();
    await store.restore(run, { ...known, fence: newer });
    const refused = { ok: false, refusal: 'StaleFence', fence: newer };
    expect(await store.advance(run, request(older, 3))).toEqual(refused);
    expect(await store.begin({ uid: newUid(), planVersion: 1, digest: '', fence: older })).toEqual(refused);
  });

  test.each(['begin', 'advance'] as const)('%s with a fence that the server has lost lets it stand', async (how) => {
    const { store, wipe } = await open();
    await wipe();
    const first = await store.takeShard(shard);
    const { run } = await begun(store, newUid(), how === 'begin' ? first + 5 : first);
    if (how === 'advance') await store.advance(run, request(first + 5, 0));
    expect(await store.advance(run, request(first, 0))).toEqual({
      ok: false,
      refusal: 'StaleFence',
      fence: first + 5,
    });
  });

  test('a refused call lets no fence stand', async () => {
    const { store } = await open();
    const { run, fence } = await begun(store);
    expect(await store.advance(run, request(fence + 5, 7))).toMatchObject({ ok: false, refusal: 'StaleRev' });
    expect(await store.takeShard(shard)).toBe(fence + 1);
  });
}

function readSuite(open: () => Promise<OpenRunStore>): void {
  test('revisions are told in the order asked for, of lost runs none', async () => {
    const { store, lose } = await open();
    const { run: first, fence } = await begun(store);
    const keys = [first];
    for (let i = 0; i < 3; i += 1) keys.push((await begun(store, newUid(), fence)).run);
    await store.advance(keys[2]!, request(fence, 0));
    await lose(keys[1]!);
    expect(await store.revisions(keys)).toEqual([0, undefined, 1, 0]);
    expect(await store.revisions([])).toEqual([]);
    const many = Array.from({ length: 2_500 }, (_, i) => keys[i % 4]!);
    expect(await store.revisions(many)).toEqual(many.map((_, i) => [0, undefined, 1, 0][i % 4]));
  });

  test('a run is read as it stood at one moment, while another writes', async () => {
    const writer = await open();
    const { run, fence } = await begun(writer.store);
    const readers = [writer.store, writer.another];
    let isWriting = true;
    async function write(): Promise<void> {
      for (let rev = 0; rev < 400; rev += 1) {
        await writer.store.advance(
          run,
          request(fence, rev, { records: [succeeded(rev, '1')], publishes: [outbox(rev, 'e')] }),
        );
      }
      isWriting = false;
    }
    async function look(store: RunStore): Promise<void> {
      while (isWriting) {
        const { head, slots, kept, outbox } = (await store.read(run))!;
        expect([slots.length / slotBytes, kept.size, outbox.length]).toEqual([head.rev, head.rev, head.rev]);
      }
    }
    await Promise.all([write(), ...readers.map(look)]);
    expect((await writer.store.read(run))!.head.rev).toBe(400);
  });
}
