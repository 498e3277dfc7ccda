import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoOf } from '#core/base/iso-date.ts';
import { celeryPriority } from '#core/celery/celery-priority.ts';
import { startCeleryWorker, type CeleryRelease, type CeleryWorker } from '../support/celery.ts';
import { gatesOfFile } from '../support/gates-of-file.ts';
import { WorkerHarness } from '../support/worker-harness.ts';

const folder = new URL('./worker/', import.meta.url).pathname;
const releases: readonly CeleryRelease[] = ['5.7.0', '5.2.7'];

const newGate = gatesOfFile();
let harness: WorkerHarness;

beforeAll(async () => {
  harness = await WorkerHarness.open(`${folder}control-tasks.ts`);
});
afterAll(() => harness.close());

describe.each(releases)('what our messages ask of an unmodified Celery %s worker', (release) => {
  let worker: CeleryWorker;
  const queue = `python-${release}`;

  beforeAll(async () => {
    const settings = ['task.acks_late=true', 'task.track_started=true'];
    const redisUrl = harness.redis.url;
    worker = await startCeleryWorker({
      release,
      app: `${folder}long.py`,
      redisUrl,
      queues: [queue],
      concurrency: 1,
      settings,
    });
  });
  afterAll(() => worker.stop());

  const named = (word: string): { id: string; queue: string; deliveryTag: string } => {
    return { id: `${word}-${release}`, queue, deliveryTag: `${word}-${release}` };
  };

  test('a hard time limit ends the task', async () => {
    const id = await harness.send('long', [60], { ...named('hard'), timelimit: [1, null] });
    expect(await harness.meta(id)).toMatchObject({
      status: 'FAILURE',
      result: { exc_type: 'TimeLimitExceeded', exc_message: [1] },
    });
  });

  test('a soft time limit is raised in it', async () => {
    const id = await harness.send('long', [60], { ...named('soft'), timelimit: [30, 1] });
    expect(await harness.meta(id)).toMatchObject({ status: 'FAILURE', result: { exc_type: 'SoftTimeLimitExceeded' } });
  });

  test('what has expired is revoked, what expires later is run', async () => {
    const past = await harness.send('long', [0], { ...named('past'), expires: isoOf(Date.now() - 1_000) });
    const future = await harness.send('long', [0], { ...named('future'), expires: isoOf(Date.now() + 60_000) });
    expect(await harness.meta(past)).toMatchObject({ status: 'REVOKED', result: { exc_message: ['expired'] } });
    expect((await harness.meta(future)).result).toBe('rested');
  });

  test('an eta is waited for', async () => {
    const dueMs = Date.now() + 1_500;
    const id = await harness.send('long', [0], { ...named('eta'), eta: isoOf(dueMs) });
    expect((await harness.meta(id)).status).toBe('SUCCESS');
    expect(Date.now()).toBeGreaterThanOrEqual(dueMs);
  });

  test('what is most urgent comes first', async () => {
    const gate = newGate();
    await harness.send('held', [gate.path], named('busy'));
    await harness.meta(`busy-${release}`, /STARTED/);
    // The worker takes four a process, whatever they are; from then on the lists decide.
    for (const n of [1, 2, 3]) await harness.send('long', [0], named(`ahead${n}`));
    await harness.until(async () => ((await harness.queues.hlen('unacked')) === 4 ? true : undefined), 'the prefetch');
    for (const priority of [0, 5, 9, 3]) {
      await harness.send('long', [0.05], { ...named(`p${priority}`), priority: celeryPriority(priority) });
    }
    gate.open();
    const metas = await Promise.all([0, 5, 9, 3].map((priority) => harness.meta(`p${priority}-${release}`)));
    const order = metas.toSorted((a, b) => String(a['date_done']).localeCompare(String(b['date_done'])));
    expect(order.map((each) => each['task_id'])).toEqual([9, 5, 3, 0].map((priority) => `p${priority}-${release}`));
  });
});
