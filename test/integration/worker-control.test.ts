import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { JsonText } from '#core/base/json-text.ts';
import { encodeTaskMessage } from '#core/celery/encode-task-message.ts';
import type { TaskMessageDraft } from '#core/celery/task-message.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { runPython, startCeleryWorker } from '../support/celery.ts';
import { gatesOfFile } from '../support/gates-of-file.ts';
import { WorkerHarness } from '../support/worker-harness.ts';

const folder = new URL('./worker/', import.meta.url).pathname;
const app = `${folder}client.py`;

const newGate = gatesOfFile();
let harness: WorkerHarness;

beforeAll(async () => {
  harness = await WorkerHarness.open(`${folder}control-tasks.ts`);
});
afterEach(() => harness.stopWorkers());
afterAll(() => harness.close());

const revoked = (reason: string) => ({
  status: 'REVOKED',
  result: { exc_type: 'TaskRevokedError', exc_message: [reason], exc_module: 'celery.exceptions' },
});

function errback(id: string): Pick<TaskMessageDraft, 'embed'> {
  const signature = {
    task: 'on_fail',
    args: [],
    kwargs: {},
    options: { task_id: id },
    subtask_type: null,
    immutable: false,
  };
  const next = { ...signature, task: 'add', options: { task_id: `${id}-next` } };
  const text = (value: object): JsonText => JSON.stringify(value) as JsonText;
  return { embed: { callbacks: [], errbacks: [text(signature)], chain: [text(next)], chord: undefined } };
}

function python(source: string): Promise<string> {
  return runPython({ app, redisUrl: harness.redis.url }, source);
}

describe('time limits', () => {
  test('a thread that cannot be asked is ended; later steps fail and the errback is called once', async () => {
    await harness.work({ concurrency: 2 });
    const id = await harness.send('stubborn', [], { timelimit: [1, null], ...errback('late-errback') });
    const failed = { exc_type: 'TimeLimitExceeded', exc_message: [1], exc_module: 'billiard.exceptions' };
    expect(await harness.meta(id)).toMatchObject({ status: 'FAILURE', result: failed, traceback: null });
    expect(await harness.meta('late-errback-next')).toMatchObject({ status: 'FAILURE', result: failed });
    expect((await harness.meta('late-errback')).result).toEqual([id, 'TimeLimitExceeded', null]);
    expect((await harness.meta(await harness.send('add', [1, 1]))).result).toBe(2);
    await harness.untilNothingHeld();
  });

  test('what an inline task still does after its time has no effect', async () => {
    await harness.work({ concurrency: 1 });
    const id = await harness.send('deaf', [], { timelimit: [1, null] });
    expect((await harness.meta(id)).result).toMatchObject({ exc_type: 'TimeLimitExceeded' });
    expect((await harness.meta(await harness.send('nap', [8_000]))).result).toBe('rested');
    expect((await harness.meta(id, /./)).status).toBe('FAILURE');
  });

  test('the soft limit is told, and fails the task that passes it on, as in Celery', async () => {
    await harness.work({ concurrency: 2 });
    const ids = [
      await harness.send('graceful', [], { timelimit: [30, 1] }),
      await harness.send('soft', [], { timelimit: [30, 1] }),
    ];
    const [told, passed] = await Promise.all(ids.map((id) => harness.meta(id)));
    expect(told).toMatchObject({ status: 'SUCCESS', result: 'SoftTimeLimitExceeded' });
    expect(passed).toMatchObject({
      status: 'FAILURE',
      result: { exc_type: 'SoftTimeLimitExceeded', exc_module: 'billiard.exceptions' },
    });
  });
});

describe('revoked tasks', () => {
  test('that wait in the queue are skipped', async () => {
    await harness.work({ concurrency: 1 });
    const busy = await harness.send('graceful', []);
    await harness.meta(busy, /BUSY/);
    const [skipped, after] = [await harness.send('add', [1, 1]), await harness.send('add', [2, 2])];
    // In one word, so that the slot is free when it is known which task is not to have it.
    await harness.broker.revoke(new Set([skipped, busy]));
    expect(await harness.meta(skipped)).toMatchObject(revoked('revoked'));
    expect((await harness.meta(after)).result).toBe(4);
    await harness.untilNothingHeld();
  });

  test('that wait for their eta end at once', async () => {
    await harness.work();
    const id = await harness.send('add', [1, 1], { eta: new Date(Date.now() + 3_600_000).toISOString() });
    await harness.until(async () => ((await harness.queues.hlen('unacked')) === 1 ? true : undefined), 'the claim');
    await harness.broker.revoke(new Set([id]));
    expect(await harness.meta(id)).toMatchObject(revoked('revoked'));
    await harness.untilNothingHeld();
  });

  test.each([
    { task: 'graceful', how: 'is told to stop, and what it returns is no success', earliestMs: 0, isEnded: false },
    { task: 'stubborn', how: 'is ended after five seconds, with its thread', earliestMs: 4_900, isEnded: true },
    { task: 'deaf', how: 'in the main thread is given up after five seconds', earliestMs: 4_900, isEnded: false },
  ])('$task, which runs, $how', async ({ task, earliestMs, isEnded }) => {
    await harness.work({ concurrency: 1 });
    const { result: thread } = await harness.meta(await harness.send('thread', []));
    const id = await harness.send(task, []);
    await harness.meta(id, /BUSY/);
    const startedMs = performance.now();
    await harness.broker.revoke(new Set([id]));
    expect(await harness.meta(id)).toMatchObject(revoked('terminated'));
    expect(performance.now() - startedMs).toBeGreaterThan(earliestMs);
    // The slot is free again.
    const { result: next } = await harness.meta(await harness.send('thread', []));
    expect(next !== thread).toBe(isEnded);
    await harness.untilNothingHeld();
  });

  test('run on when a client revokes them without terminate, as in Celery', async () => {
    await harness.work({ concurrency: 1 });
    const gate = newGate();
    const id = await harness.send('held', [gate.path]);
    await harness.meta(id, /PROGRESS/);
    const replies = await python(`print(app.control.revoke("${id}", reply=True, timeout=40, limit=1))`);
    expect(replies).toContain('flagged as revoked');
    gate.open();
    expect((await harness.meta(id)).result).toBe('rested');
  });
});

describe('a Python client', () => {
  test('revokes, pings and inspects our worker as any other', async () => {
    await harness.work({ concurrency: 1, env: { ARPEGGIO_POOL: 'ours', ARPEGGIO_POD_NAME: 'p-0' } });
    const id = await harness.send('graceful', []);
    await harness.meta(id, /BUSY/);
    const later = await harness.send('add', [1, 1], { eta: new Date(Date.now() + 3_600_000).toISOString() });
    // The one slot is taken, so this one is claimed only when the first has ended.
    const said = await python(`
import json
one = {"timeout": 40, "limit": 1}
i = app.control.inspect(**one)
active = i.active()["ours@p-0"]
print(json.dumps({
  "ping": app.control.ping(**one),
  "named": app.control.ping(destination=["ours@p-0"], **one),
  "other": app.control.ping(destination=["else@p-0"], timeout=0.5),
  "active": [(t["id"], t["name"], t["args"]) for t in active],
  "short": [t["args"] for t in i.active(safe=True)["ours@p-0"]],
  "known": {id: what[0] for id, what in i.query_task("${id}", "nobody's")["ours@p-0"].items()},
  "registered": "graceful" in i.registered()["ours@p-0"],
  "queues": [q["name"] for q in i.active_queues()["ours@p-0"]],
  "slots": i.stats()["ours@p-0"]["pool"]["max-concurrency"],
  "unknown": app.control.broadcast("nope", reply=True, **one),
  "revoke": app.control.revoke("${id}", terminate=True, reply=True, **one),
  "revoked": i.revoked()["ours@p-0"],
}))`);
    expect(JSON.parse(said)).toEqual({
      ping: [{ 'ours@p-0': { ok: 'pong' } }],
      named: [{ 'ours@p-0': { ok: 'pong' } }],
      other: [],
      active: [[id, 'graceful', []]],
      short: ['[]'],
      known: { [id]: 'active' },
      registered: true,
      queues: ['celery'],
      slots: 1,
      unknown: [{ 'ours@p-0': { error: 'this worker does not know nope' } }],
      revoke: [{ 'ours@p-0': { ok: `terminate: ${id}` } }],
      revoked: [id],
    });
    expect(await harness.meta(id)).toMatchObject(revoked('terminated'));
    const scheduled = (): Promise<string> =>
      python('print([t["request"]["id"] for t in app.control.inspect(timeout=40, limit=1).scheduled()["ours@p-0"]])');
    await harness.until(async () => ((await scheduled()) === `['${later}']` ? true : undefined), 'the claim');
    await harness.broker.revoke(new Set([later]));
    expect(await harness.meta(later)).toMatchObject(revoked('revoked'));
    await harness.untilNothingHeld();
    // Nothing of the questions stays behind.
    expect(await harness.queues.keys('*reply*')).toEqual([]);
  });
});

describe('hello', () => {
  test.each(['5.7.0', '5.2.7'] as const)('tells a Celery %s worker that starts what was revoked', async (release) => {
    await harness.work();
    // A worker hears before it takes.
    await harness.meta(await harness.send('add', [1, 1]));
    const id = `before-${release}`;
    await harness.broker.revoke(new Set([id]));
    const options = { release, app: `${folder}long.py`, redisUrl: harness.redis.url, queues: ['greeting'] };
    const celery = await startCeleryWorker({ ...options, concurrency: 1 });
    try {
      const isKnown = async (): Promise<boolean> => {
        const said = await python('import json; print(json.dumps(app.control.inspect(timeout=3, limit=2).revoked()))');
        const byWorker = Object.entries(JSON.parse(said) as Readonly<Record<string, readonly string[]>>);
        return byWorker.some(([name, ids]) => name.startsWith('test-') && ids.includes(id));
      };
      await harness.until(async () => ((await isKnown()) ? true : undefined), 'the greeting');
    } finally {
      await celery.stop();
    }
  });

  test.each([
    { by: 'times, as of Celery up to 5.6', revokedIds: '{"greeted-1": 1.0}', id: 'greeted-1' },
    { by: 'a list', revokedIds: '["greeted-2"]', id: 'greeted-2' },
  ])('tells our worker what is revoked, by $by', async ({ revokedIds, id }) => {
    await harness.work();
    await python(`print(app.control.inspect(timeout=40, limit=1).hello("celery@else", ${revokedIds}))`);
    await harness.send('add', [1, 1], { id });
    expect(await harness.meta(id)).toMatchObject(revoked('revoked'));
  });
});

describe("what we revoke ends in Celery's own workers", () => {
  test.each([
    { release: '5.7.0', prefix: '' },
    { release: '5.7.0', prefix: 'team:' },
    { release: '5.6.3', prefix: '' },
    { release: '5.2.7', prefix: '' },
  ] as const)(
    '$release, keys under "$prefix"',
    async ({ release, prefix }) => {
      const broker = new RedisBroker({ client: harness.queues, prefix });
      const send = async (id: string, seconds: number): Promise<void> => {
        const [argsText, kwargsText] = [`[${seconds}]` as JsonText, '{}' as JsonText];
        const draft = { id, task: 'long', argsText, kwargsText, queue: 'python', deliveryTag: id };
        await broker.publish([{ queue: 'python', priority: 0, text: encodeTaskMessage(draft) }]);
      };
      const own = `${folder}long.py`;
      const redisUrl = harness.redis.url;
      const worker = await startCeleryWorker({
        release,
        app: own,
        redisUrl,
        queues: ['python'],
        concurrency: 1,
        settings: [
          'task.acks_late=true',
          'task.track_started=true',
          `broker.transport_options=(dict){"global_keyprefix":"${prefix}"}`,
        ],
      });
      const stored = async (id: string, status: RegExp): Promise<string | undefined> => {
        const text = await harness.queues.get(`celery-task-meta-${id}`);
        return text !== null && status.test(text) ? text : undefined;
      };
      try {
        const where = `${release}${prefix}`;
        const names = { running: `run-${where}`, waiting: `wait-${where}`, after: `after-${where}` };
        await send(names.running, 60);
        await harness.until(() => stored(names.running, /STARTED/), 'the start');
        await send(names.waiting, 0);
        await send(names.after, 0);
        await broker.revoke(new Set([names.running, names.waiting]));
        expect(await harness.until(() => stored(names.running, /REVOKED/), 'the end')).toContain('terminated');
        await harness.until(() => stored(names.waiting, /REVOKED/), 'the skipping');
        expect(await harness.until(() => stored(names.after, /SUCCESS/), 'the next')).toContain('"rested"');
      } finally {
        await worker.stop();
      }
    },
    300_000,
  );
});
