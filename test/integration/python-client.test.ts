import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPython, startCeleryWorker } from '../support/celery.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

const folder = new URL('./worker/', import.meta.url).pathname;
const app = `${folder}client.py`;

let redis: RunningRedis;
let worker: WorkerProcess;

beforeAll(async () => {
  redis = await startRedis();
  const env = { ARPEGGIO_RESULTS_URL: redis.url };
  worker = await startWorker({ url: redis.url, tasks: `${folder}tasks.ts`, concurrency: 3, env });
});

afterAll(async () => {
  await worker.stop('SIGKILL');
  await redis.stop();
});

/** Runs Python and reads the JSON that it prints. */
async function python(source: string): Promise<unknown> {
  const header = [
    'import json',
    'from celery import chain, chord, group, signature',
    's = lambda name, *args, **kwargs: app.signature(name, args=args, kwargs=kwargs)',
    'show = lambda value: print(json.dumps(value))',
  ];
  return JSON.parse(await runPython({ app, redisUrl: redis.url }, [...header, source].join('\n'))) as unknown;
}

describe('an unmodified Python client of our worker', () => {
  test.each([
    { what: 'a task', source: 'show(s("add", 1, 2).delay().get(timeout=90))', want: 3 },
    {
      what: 'keyword arguments',
      source: 'show(s("greet", "Ada", greeting="hi").delay().get(timeout=90))',
      want: 'hi Ada',
    },
    {
      what: 'a chain',
      source: 'show(chain(s("add", 1, 1), s("add", 10), s("add", 100)).delay().get(timeout=90))',
      want: 112,
    },
    {
      what: 'a group',
      source: 'show(group(s("add", n, n) for n in range(4)).delay().get(timeout=90))',
      want: [0, 2, 4, 6],
    },
    {
      what: 'a chord',
      source: 'show(chord([s("add", n, n) for n in range(4)], s("demo.echo")).delay().get(timeout=90))',
      want: [0, 2, 4, 6],
    },
    {
      what: 'a chord in the middle of a chain',
      source:
        'show(chain(s("add", 1, 1), group(s("add", 10), s("add", 20)), s("demo.echo"), s("demo.echo")).delay().get(timeout=90))',
      want: [12, 22],
    },
    {
      what: 'a task that raised Ignore, which as with a Celery worker stays pending',
      source: [
        'r = s("ignores").delay(); s("add", 1, 2).apply_async(queue="celery").get(timeout=90)',
        'import time; end = time.time() + 90',
        'while app.backend.client.hlen("unacked") > 0 and time.time() < end: time.sleep(0.05)',
        'show([r.state, app.backend.client.keys("celery-task-meta-" + r.id + "*")])',
      ].join('\n'),
      want: ['PENDING', []],
    },
    {
      what: 'a task that raised Reject',
      source:
        'r = s("rejects").delay(); e = r.get(timeout=90, propagate=False); show([r.state, type(e).__name__, list(e.args)])',
      want: ['FAILURE', 'Reject', ['not mine', false]],
    },
    {
      what: 'a task that put its message back',
      source: 'show(s("requeues").delay().get(timeout=90))',
      want: 'at last',
    },
    { what: 'a retry', source: 'show(s("flaky").delay().get(timeout=90))', want: 2 },
    {
      what: 'a link',
      source:
        'r = s("add", 1, 2).apply_async(link=s("add", 10)); r.get(timeout=90); show(r.children[0].get(timeout=90))',
      want: 13,
    },
    {
      what: 'an error with its class and message',
      source: 'e = s("boom").delay().get(timeout=90, propagate=False); show([type(e).__name__, str(e)])',
      want: ['Boom', 'kaput'],
    },
    {
      what: 'an errback, which gets request, exc and traceback',
      source:
        'b = app.signature("on_fail", options={"task_id": "errback-1"})\n' +
        'r = s("boom").apply_async(link_error=b, task_id="failed-1")\n' +
        'show(app.AsyncResult("errback-1").get(timeout=90))',
      want: ['failed-1', 'Boom', 'string'],
    },
    {
      what: 'a chain that fails: the steps after it fail, too',
      source: 'e = chain(s("boom"), s("add", 1)).delay().get(timeout=90, propagate=False); show(type(e).__name__)',
      want: 'Boom',
    },
    {
      what: 'a chord with a failing member',
      source:
        'e = chord([s("add", 1, 1), s("boom")], s("demo.echo")).delay().get(timeout=90, propagate=False); show(type(e).__name__)',
      want: 'ChordError',
    },
    {
      what: 'an unknown task',
      source: 'e = s("nope").delay().get(timeout=90, propagate=False); show(type(e).__name__)',
      want: 'NotRegistered',
    },
  ])('reads the result of $what', async ({ source, want }) => {
    expect(await python(source)).toEqual(want);
  });
});

test('a Celery worker beside ours, sweeping each second, takes nothing from its hands', async () => {
  const options = { visibility_timeout: 8, unacked_restore_interval: 1, unacked_restore_throttle: 1 };
  const settings = [`broker.transport_options=(dict)${JSON.stringify(options)}`];
  const peer = await startCeleryWorker({ app, redisUrl: redis.url, queues: ['other'], concurrency: 1, settings });
  const client = new Redis(redis.url);
  try {
    const running = python('show(s("spin", 14000).delay().get(timeout=90))');
    const scores = await heldFor(client, 12_000);
    expect(await running).toBe('spun');
    // A restore would have taken the tag away and a second claim would have made another.
    expect(new Set(scores).size).toBe(1);
    expect(await client.hlen('unacked')).toBe(0);
    expect(await client.llen('celery')).toBe(0);
  } finally {
    client.disconnect();
    await peer.stop();
  }
});

/** The tags of our worker that stand in the books, looked at for so long after the first was seen. */
async function heldFor(client: Redis, ms: number): Promise<string[]> {
  const seen: string[] = [];
  let end = Number.POSITIVE_INFINITY;
  while (Date.now() < end) {
    const tags = await client.hkeys('unacked');
    if (tags.length > 0 && seen.length === 0) end = Date.now() + ms;
    seen.push(...tags);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return seen;
}
