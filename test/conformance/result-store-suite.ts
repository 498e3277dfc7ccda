import { describe, expect, test } from 'vitest';
import { statusOf } from '#core/celery/result-meta.ts';
import { tailBytes, tailFromBytes, type ResultStore } from '#io/results/result-store.ts';

const meta = (status: string, result: string): string => `{"status": "${status}", "result": ${result}, "task_id": "x"}`;

/** Ids as the engine gives them: UUIDv8. */
let last = 0;
function newId(): string {
  last += 1;
  return `00000000-0000-8000-8000-${String(last).padStart(12, '0')}`;
}

/** Waits for a condition that a push will make true. */
async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error('what was waited for did not come within 60 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What every result store promises. */
export function resultStoreSuite(name: string, open: () => Promise<ResultStore>): void {
  describe(name, () => {
    test('gives back the text that was stored, numbers as written', async () => {
      const store = await open();
      const id = newId();
      expect(await store.store([{ id, text: meta('SUCCESS', '1.0') }])).toEqual([true]);
      expect(await store.read([newId(), id])).toEqual([undefined, meta('SUCCESS', '1.0')]);
    });

    test.each(['FAILURE', 'RETRY', 'STARTED', 'REVOKED'])('a SUCCESS stands against a later %s', async (later) => {
      const store = await open();
      const id = newId();
      await store.store([{ id, text: meta('SUCCESS', '1') }]);
      expect(await store.store([{ id, text: meta(later, '2') }])).toEqual([false]);
      expect(await store.read([id])).toEqual([meta('SUCCESS', '1')]);
    });

    test.each(['FAILURE', 'RETRY', 'STARTED', 'PROGRESS'])('%s gives way to what comes', async (earlier) => {
      const store = await open();
      const id = newId();
      await store.store([{ id, text: meta(earlier, '"SUCCESS"') }]);
      expect(await store.store([{ id, text: meta('SUCCESS', '2') }])).toEqual([true]);
      expect(await store.read([id])).toEqual([meta('SUCCESS', '2')]);
    });

    test('shows state and size without fetching the result', async () => {
      const store = await open();
      const id = newId();
      const text = meta('FAILURE', JSON.stringify('ü'.repeat(10_000)));
      await store.store([{ id, text }]);
      const [nothing, glance] = await store.glance([newId(), id]);
      expect(nothing).toBeUndefined();
      expect(glance!.bytes).toBe(Buffer.byteLength(text));
      expect(statusOf(glance!.head)).toBe('FAILURE');
    });

    test('shows the end of a large result, and of no other', async () => {
      const store = await open();
      const [small, large] = [newId(), newId()];
      const text = meta('SUCCESS', JSON.stringify('x'.repeat(tailFromBytes)));
      const writes = [
        { id: small, text: meta('SUCCESS', '1') },
        { id: large, text },
      ];
      await store.store(writes);
      const glances = await store.glance([small, large]);
      expect(glances.map((glance) => glance?.tail)).toEqual([undefined, text.slice(-tailBytes)]);
    });

    test('answers in order for more ids than fit into one call', async () => {
      const store = await open();
      const ids = Array.from({ length: 1_201 }, newId);
      await store.store(ids.map((id, index) => ({ id, text: meta('SUCCESS', String(index)) })));
      const texts = await store.read(ids);
      expect(texts.map((text) => /"result": (\d+)/.exec(text ?? '')?.[1])).toEqual(
        ids.map((_id, index) => String(index)),
      );
      expect((await store.glance(ids)).every((glance) => statusOf(glance?.head ?? '') === 'SUCCESS')).toBe(true);
    });

    test("lets the engine's ids be heard with what was stored, and no others", async () => {
      const store = await open();
      const heard: [string, string][] = [];
      let ready = false;
      const hearing = store.hear({ heard: (...what) => heard.push(what), missed: () => (ready = true) });
      await until(() => ready);
      const [first, second] = [newId(), newId()];
      await store.store([{ id: first, text: meta('SUCCESS', '1') }]);
      await store.store([{ id: '5f0a3dff-0e5a-464e-a74f-0addf428834c', text: meta('SUCCESS', '0') }]);
      await store.store([{ id: second, text: meta('FAILURE', '2') }]);
      await until(() => heard.length === 2);
      expect(heard).toEqual([
        [first, meta('SUCCESS', '1')],
        [second, meta('FAILURE', '2')],
      ]);
      hearing.close();
    });

    test('what stood against a SUCCESS is not announced', async () => {
      const store = await open();
      const [id, marker] = [newId(), newId()];
      await store.store([{ id, text: meta('SUCCESS', '1') }]);
      const heard: string[] = [];
      let ready = false;
      const hearing = store.hear({ heard: (which) => heard.push(which), missed: () => (ready = true) });
      await until(() => ready);
      await store.store([{ id, text: meta('FAILURE', '2') }]);
      await store.store([{ id: marker, text: meta('SUCCESS', '1') }]);
      await until(() => heard.includes(marker));
      expect(heard).toEqual([marker]);
      hearing.close();
    });
  });
}
