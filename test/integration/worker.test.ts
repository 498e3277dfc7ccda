import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import type { TaskMessageDraft } from '#core/celery/task-message.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { gatesOfFile } from '../support/gates-of-file.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';
import { startWorker, type WorkerOptions, type WorkerProcess } from '../support/worker-process.ts';

const tasks = new URL('./worker/tasks.ts', import.meta.url).pathname;

let redis: RunningRedis;
let broker: RedisBroker;
let queues: Redis;
let results: Redis;
const workers: WorkerProcess[] = [];
const newGate = gatesOfFile();

beforeAll(async () => {
  redis = await startRedis({ appendOnly: true });
  queues = new Redis(redis.url);
  results = new Redis(redis.url.replace(/\/0$/, '/1'));
  for (const client of [queues, results]) client.on('error', () => undefined);
  broker = new RedisBroker({ client: queues, prefix: '' });
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop('SIGKILL')));
});

afterAll(async () => {
  queues.disconnect();
  results.disconnect();
  await redis.stop();
});

async function work(options: Partial<WorkerOptions> = {}): Promise<WorkerProcess> {
  const worker = await startWorker({ url: redis.url, tasks, ...options });
  workers.push(worker);
  return worker;
}

let last = 0;

async function send(task: string, args: unknown[], more: Partial<TaskMessageDraft> = {}): Promise<string> {
  last += 1;
  const id = `t${last}`;
  const argsText = JSON.stringify(args) as JsonText;
  const draft = { id, task, argsText, kwargsText: '{}' as JsonText, queue: 'celery', deliveryTag: id, ...more };
  await broker.publish([{ queue: draft.queue, priority: 0, text: encodeTaskMessage(draft) }]);
  return id;
}

interface Meta {
  readonly status: string;
  readonly result: unknown;
  readonly [key: string]: unknown;
}

async function until<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
  const end = Date.now() + 90_000;
  while (Date.now() < end) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what} did not come within 90 s; the worker said: ${workers.at(-1)?.output() ?? 'nothing'}`);
}

async function metaOf(id: string, status = /SUCCESS|FAILURE|REVOKED/): Promise<Meta> {
  return until(async () => {
    const text = await results.get(`celery-task-meta-${id}`);
    const meta = text === null ? undefined : (JSON.parse(text) as Meta);
    return meta !== undefined && status.test(meta.status) ? meta : undefined;
  }, `the result of ${id}`);
}

const held = (): Promise<number> => queues.hlen('unacked');
const isHeld = async (): Promise<true | undefined> => ((await held()) > 0 ? true : undefined);
const isNothingHeld = async (): Promise<true | undefined> => ((await held()) === 0 ? true : undefined);

function embed(errbacks: readonly object[]): Pick<TaskMessageDraft, 'embed'> {
  const texts = errbacks.map((errback) => JSON.stringify(errback) as JsonText);
  return { embed: { callbacks: [], errbacks: texts, chain: [], chord: undefined } };
}

describe('a worker', () => {
  test('runs what it knows and says what it does not', async () => {
    await work();
    const ids = [
      await send('add', [1, 2]),
      await send('demo.echo', [{ a: [1] }]),
      await send('greet', ['Ada'], { kwargsText: '{"greeting": "hi"}' as JsonText }),
      await send('nope', []),
      await send('boom', []),
      await send('flaky', []),
      await send('progress', []),
      await send('add', [], { expires: '2020-01-01T00:00:00+00:00' }),
    ];
    const metas = await Promise.all(ids.map((id) => metaOf(id)));
    expect(
      metas.map(({ status, result }) => [status, (result as { exc_type?: string } | null)?.exc_type ?? result]),
    ).toEqual([
      ['SUCCESS', 3],
      ['SUCCESS', { a: [1] }],
      ['SUCCESS', 'hi Ada'],
      ['FAILURE', 'NotRegistered'],
      ['FAILURE', 'Boom'],
      ['SUCCESS', 2],
      ['SUCCESS', 'done'],
      ['REVOKED', 'TaskRevokedError'],
    ]);
    await until(isNothingHeld, 'the last acknowledgement');
  });

  test('waits for an eta and gives an errback what it takes', async () => {
    await work();
    const eta = new Date(Date.now() + 1_500).toISOString();
    const errback = {
      task: 'on_fail',
      args: [],
      kwargs: {},
      options: { task_id: 'eb' },
      subtask_type: null,
      immutable: false,
    };
    const failed = await send('boom', [], { eta, ...embed([errback]) });
    expect((await metaOf('eb')).result).toEqual([failed, 'Boom', 'string']);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(eta));
  });

  test('loses one task with its thread, and no other', async () => {
    await work();
    const [lost, spun, after] = [await send('die', []), await send('spin', [300]), await send('add', [1, 1])];
    expect((await metaOf(lost)).result).toMatchObject({ exc_type: 'WorkerLostError' });
    expect((await metaOf(spun)).result).toBe('spun');
    expect((await metaOf(after)).result).toBe(2);
  });

  test('ends a task that blocks its thread at the hard limit', async () => {
    await work({ concurrency: 1 });
    const late = await send('spin', [60_000], { timelimit: [1, null] });
    const after = await send('add', [1, 1]);
    expect((await metaOf(late)).result).toMatchObject({ exc_type: 'TimeLimitExceeded' });
    expect((await metaOf(after)).result).toBe(2);
  });

  test('keeps its lease while every slot is blocked', async () => {
    const worker = await work({ concurrency: 1, podUid: 'blocked' });
    const spinning = await send('spin', [12_000]);
    await until(isHeld, 'the claim');
    // What runs for long says so, though nobody asked that starts be tracked.
    expect((await metaOf(spinning, /./)).status).toBe('STARTED');
    const [tag = ''] = await queues.hkeys('unacked');
    await queues.zadd('unacked_index', 1, tag);
    await until(
      async () => (Number(await queues.zscore('unacked_index', tag)) > 1 ? true : undefined),
      'a fresh score',
    );
    expect((await queues.keys('arp:w:blocked.*')).length).toBe(1);
    await until(isNothingHeld, 'the end of the task');
    await worker.stop('SIGTERM');
  });

  test("a task whose message is in other hands is asked to stop, and its failure is nobody's", async () => {
    await work({ concurrency: 1 });
    const id = await send('until_stopped', []);
    await until(isHeld, 'the claim');
    await queues.del('unacked', 'unacked_index');
    // There is one slot: that this one ran says that the other has ended.
    expect((await metaOf(await send('add', [1, 1]))).result).toBe(2);
    // It may have said that it began; how it ended it did not.
    const text = (await results.get(`celery-task-meta-${id}`)) ?? '{"status":"PENDING"}';
    expect(['PENDING', 'STARTED']).toContain((JSON.parse(text) as Meta).status);
  });

  test('a task is told when its soft time limit is over', async () => {
    await work({ concurrency: 1 });
    const id = await send('until_stopped', [], { timelimit: [30, 1] });
    expect((await metaOf(id)).result).toMatchObject({ exc_type: 'Boom', exc_message: ['SoftTimeLimitExceeded'] });
  });

  test('killed in the middle of a task, its next incarnation runs it at once', async () => {
    const first = await work({ podUid: 'killed', concurrency: 1 });
    const gate = newGate();
    const id = await send('waits', [gate.path]);
    await until(isHeld, 'the claim');
    await first.stop('SIGKILL');
    expect(await held()).toBe(1);
    gate.open();
    await work({ podUid: 'killed' });
    expect(await metaOf(id)).toMatchObject({ status: 'SUCCESS', result: 'waited' });
    await until(isNothingHeld, 'the acknowledgement');
  });

  test('killed in the middle of a task that shall not run twice, its next incarnation says that it was lost', async () => {
    const first = await work({ podUid: 'once', concurrency: 1 });
    const headers = new Map([['arpeggio_on_lost', '"Fail"' as JsonText]]);
    const id = await send('spin', [60_000], { headers });
    await metaOf(id, /STARTED/);
    await first.stop('SIGKILL');
    await work({ podUid: 'once' });
    expect((await metaOf(id)).result).toMatchObject({ exc_type: 'WorkerLostError' });
    await until(isNothingHeld, 'the acknowledgement');
  });

  test('killed for good, its task is claimable as soon as the pod is retired', async () => {
    const first = await work({ podUid: 'retired', concurrency: 1 });
    const gate = newGate();
    const id = await send('waits', [gate.path]);
    await until(isHeld, 'the claim');
    await first.stop('SIGKILL');
    expect(await broker.retire('retired')).toBe(1);
    expect((await broker.waiting(['celery'])).get('celery')).toBe(1);
    gate.open();
    await work({ podUid: 'other' });
    expect((await metaOf(id)).status).toBe('SUCCESS');
  });

  test('a message that was lost three times with its worker is not run again', async () => {
    await work();
    const id = await send('add', [1, 1], { headers: new Map([['arpeggio_deliveries', '[0, 3]' as JsonText]]) });
    expect((await metaOf(id)).result).toMatchObject({ exc_type: 'PoisonMessage' });
    const [letter = '{}'] = await queues.lrange('arp:dead:celery', 0, 0);
    expect(JSON.parse(letter)).toMatchObject({ reason: 'Poison' });
  });

  test('what cannot be read is put aside, and harms nobody', async () => {
    await work();
    await queues.lpush('celery', 'no json', '{"headers": {"id": "odd"}, "content-type": "application/json"}');
    const id = await send('add', [2, 2]);
    expect((await metaOf(id)).result).toBe(4);
    expect((await metaOf('odd')).result).toMatchObject({ exc_type: 'DecodeError' });
    await until(isNothingHeld, 'the dead letters');
  });
});

describe('a worker that is asked to end', () => {
  test('finishes what runs, takes nothing more, and gives back what waits for its eta', async () => {
    const worker = await work({ concurrency: 1 });
    const gate = newGate();
    const running = await send('waits', [gate.path]);
    await until(isHeld, 'the claim');
    const ended = worker.stop('SIGTERM');
    const isDraining = (): true | undefined => (worker.output().includes('the worker drains') ? true : undefined);
    await until(() => Promise.resolve(isDraining()), 'the end of claiming');
    const next = await send('add', [1, 1]);
    gate.open();
    expect(await ended).toBe(0);
    expect((await metaOf(running)).result).toBe('waited');
    expect(await results.exists(`celery-task-meta-${next}`)).toBe(0);
    expect(await held()).toBe(0);
    await queues.del('celery');
  });

  test('hands back what its time to drain does not suffice for', async () => {
    const worker = await work({ concurrency: 1, podUid: 'cut', env: { ARPEGGIO_DRAIN_SECONDS: '1' } });
    await send('spin', [60_000]);
    await until(isHeld, 'the claim');
    expect(await worker.stop('SIGTERM')).toBe(0);
    expect(await held()).toBe(0);
    expect((await broker.waiting(['celery'])).get('celery')).toBe(1);
    await queues.del('celery');
  });
});

describe('when Redis goes away and comes back', () => {
  test('a task that ended meanwhile is stored, and new ones are run', async () => {
    await work({ concurrency: 1 });
    const id = await send('spin', [1_500]);
    await until(isHeld, 'the claim');
    await redis.restart();
    expect((await metaOf(id)).result).toBe('spun');
    const after = await until(() => send('add', [3, 4]), 'the broker');
    expect((await metaOf(after)).result).toBe(7);
  });
});
