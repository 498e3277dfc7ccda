import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { celeryPriority } from '#core/celery/celery-priority.ts';
import { mapCall } from '#core/celery/map-call.ts';
import { runPython, startCeleryWorker } from '../support/celery.ts';
import { gatesOfFile } from '../support/gates-of-file.ts';
import { WorkerHarness, type StoredMeta } from '../support/worker-harness.ts';
import type { WorkerProcess } from '../support/worker-process.ts';

const folder = new URL('./worker/', import.meta.url).pathname;
const app = `${folder}client.py`;

const newGate = gatesOfFile();
let harness: WorkerHarness;
let worker: WorkerProcess;

beforeAll(async () => {
  harness = await WorkerHarness.open(`${folder}control-tasks.ts`);
  worker = await harness.work({ concurrency: 1 });
});
afterAll(() => harness.close());

/** A map of ours, as the engine sends a chunk. */
async function map(task: string, items: string, unpack = false): Promise<StoredMeta> {
  const { task: builtIn, kwargsText } = mapCall(task, items as JsonText, { unpack });
  return harness.meta(await harness.send(builtIn, [], { kwargsText }));
}

describe("Celery's built-in maps on our worker", () => {
  test.each([
    { task: 'ident', items: '[1, {"a": [2.5]}, null]', unpack: false, want: [1, { a: [2.5] }, null] },
    { task: 'inline_ident', items: '[1, 2]', unpack: false, want: [1, 2] },
    { task: 'add', items: '[[1, 2], [3, 4]]', unpack: true, want: [3, 7] },
    { task: 'add', items: '[]', unpack: true, want: [] },
  ])('$task over $items', async ({ task, items, unpack, want }) => {
    expect(await map(task, items, unpack)).toMatchObject({ status: 'SUCCESS', result: want });
  });

  test.each([
    {
      task: 'picky',
      items: '[1, -2, "not reached"]',
      unpack: false,
      type: 'RangeError',
      message: ['-2 is below zero'],
    },
    { task: 'nobody', items: '[1]', unpack: false, type: 'NotRegistered', message: ['nobody'] },
    { task: 'add', items: '[1]', unpack: true, type: 'TypeError', message: [expect.stringContaining('not a list')] },
  ])('$task over $items fails with $type', async ({ task, items, unpack, type, message }) => {
    const failed = { status: 'FAILURE', result: { exc_type: type, exc_message: message } };
    expect(await map(task, items, unpack)).toMatchObject(failed);
  });

  test('each call sees the request of the map, under its own name', async () => {
    const { result, task_id: id } = await map('who', '["a", "b"]');
    expect(result).toEqual([
      [id, 'who', 'a'],
      [id, 'who', 'b'],
    ]);
  });

  test('a hard time limit is that of the map', async () => {
    const { task, kwargsText } = mapCall('nap', '[600, 600, 600]' as JsonText, { unpack: false });
    const id = await harness.send(task, [], { kwargsText, timelimit: [1, null] });
    expect((await harness.meta(id)).result).toMatchObject({ exc_type: 'TimeLimitExceeded' });
  });

  test('a Python client gets what it maps, starmaps and chunks', async () => {
    const said = await runPython(
      { app, redisUrl: harness.redis.url },
      `
import json
@app.task(name="add")
def add(x, y): pass
@app.task(name="ident")
def ident(x): pass
print(json.dumps([
  ident.map([1, "ü", None]).apply_async().get(timeout=60),
  add.starmap([(1, 2), (3, 4)]).apply_async().get(timeout=60),
  add.chunks([(n, n) for n in range(5)], 2).apply_async().get(timeout=60),
  app.signature("celery.accumulate", args=[1, 2], kwargs={"index": 1}).apply_async().get(timeout=60),
]))`,
    );
    expect(JSON.parse(said)).toEqual([[1, 'ü', null], [3, 7], [[0, 2], [4, 6], [8]], 2]);
  });
});

test("an unmodified Celery worker runs the maps that we send, with its exception's own type", async () => {
  const redisUrl = harness.redis.url;
  const celery = await startCeleryWorker({ app: `${folder}long.py`, redisUrl, queues: ['python'], concurrency: 1 });
  try {
    const good = mapCall('long', '[0, 0]' as JsonText, { unpack: false });
    const bad = mapCall('long', '[[0], ["x"]]' as JsonText, { unpack: true });
    await harness.send(good.task, [], { ...good, id: 'celery-map', queue: 'python' });
    await harness.send(bad.task, [], { ...bad, id: 'celery-starmap', queue: 'python' });
    expect(await harness.meta('celery-map')).toMatchObject({ result: ['rested', 'rested'] });
    expect(await harness.meta('celery-starmap')).toMatchObject({
      status: 'FAILURE',
      result: { exc_type: 'TypeError' },
    });
  } finally {
    await celery.stop();
  }
}, 300_000);

describe('states on the way', () => {
  test('a state with its meta is shown while the task runs', async () => {
    const gate = newGate();
    const id = await harness.send('held', [gate.path]);
    expect(await harness.meta(id, /PROGRESS/)).toMatchObject({ result: { waits: true }, date_done: null });
    gate.open();
    expect((await harness.meta(id)).result).toBe('rested');
  });

  test('states that nobody waited for never replace the result', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => harness.send('chatty', [])));
    for (const id of ids) expect((await harness.meta(id)).result).toMatchObject({ exc_message: ['spent'] });
    await harness.meta(await harness.send('nap', [300]));
    for (const id of ids) expect((await harness.meta(id, /./)).status).toBe('FAILURE');
  });

  test('what a task left behind in its thread has no voice in the next', async () => {
    await harness.meta(await harness.send('haunting', []));
    const next = await harness.send('nap', [1_000]);
    expect((await harness.meta(next, /HAUNTED|SUCCESS/)).status).toBe('SUCCESS');
    expect(worker.output()).not.toContain('a voice from before');
  });
});

test('what is most urgent is run first', async () => {
  const gate = newGate();
  await harness.meta(await harness.send('held', [gate.path]), /PROGRESS/);
  const priorities = [0, 9, 3, 6, 7];
  for (const priority of priorities) {
    await harness.send('nap', [20], { id: `priority-${priority}`, priority: celeryPriority(priority) });
  }
  expect((await harness.broker.waiting(['celery'])).get('celery')).toBe(priorities.length);
  gate.open();
  const metas = await Promise.all(priorities.map((priority) => harness.meta(`priority-${priority}`)));
  const order = metas.toSorted((a, b) => String(a['date_done']).localeCompare(String(b['date_done'])));
  // 9 and 7 share a list of Redis, which keeps the order of coming.
  expect(order.map((meta) => meta['task_id'])).toEqual([9, 7, 6, 3, 0].map((priority) => `priority-${priority}`));
});
