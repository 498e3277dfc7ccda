import type { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import type { Broker, Consumer, ControlAnswer } from '#io/brokers/broker.ts';
import type { Census } from '#io/brokers/census.ts';
import { MemoryBroker } from '#io/brokers/memory/memory-broker.ts';
import { MemoryConsumer } from '#io/brokers/memory/memory-consumer.ts';
import { RedisBroker } from '#io/brokers/redis/redis-broker.ts';
import { openRedisConsumer } from '#io/brokers/redis/redis-consumer.ts';
import { hearFarewells } from '#io/brokers/redis/redis-farewells.ts';
import { MemoryResultStore } from '#io/results/memory/memory-result-store.ts';
import { redisOfFile } from '../support/redis-of-file.ts';

const redis = redisOfFile();

function client(account?: string): Redis {
  return redis.client(account === undefined ? {} : { account });
}

interface World {
  readonly broker: Broker;
  readonly consume: (podUid: string) => Promise<Consumer>;
}

function inMemory(): World {
  const [broker, results] = [new MemoryBroker(), new MemoryResultStore()];
  const consume = (podUid: string) => Promise.resolve(new MemoryConsumer({ broker, results, queues: ['q'], podUid }));
  return { broker, consume };
}

function onRedis(prefix: string): World {
  const own = client();
  const results = { db: 0, prefix, expiresSeconds: 60 };
  const options = { client: own, openBlocking: () => client(), db: 0, prefix, queues: ['q'], results };
  return {
    broker: new RedisBroker({ client: own, prefix, settleMs: 0 }),
    consume: (podUid) => openRedisConsumer({ ...options, podUid }),
  };
}

/** A worker that answers so; undefined is silence. */
function answering(answers: Readonly<Record<string, unknown>>): ControlAnswer {
  return ({ method, arguments: args }) => {
    const answer = answers[method];
    return typeof answer === 'function' ? (answer as (given: unknown) => unknown)(args) : answer;
  };
}

/** Why nothing is known of what nobody named; empty when it is known. */
function whyNot({ workers }: Census): string {
  return workers.ok ? '' : workers.error;
}

const idle = { active: [], query_task: {}, scheduled: [], stats: { uptime: 7 } };

describe.each([
  { name: 'in memory', open: inMemory },
  { name: 'in Redis', open: () => onRedis('') },
  { name: 'in Redis under a prefix', open: () => onRedis('team:') },
])('workers of a broker $name', ({ open }) => {
  async function asked(answers: readonly ControlAnswer[], ids: readonly string[]) {
    const { broker, consume } = open();
    const workers = await Promise.all(
      answers.map(async (answer, index) => {
        const worker = await consume(`pod-${index}`);
        await worker.obey(`pool@${index}`, answer);
        return worker;
      }),
    );
    const census = await broker.ask(new Set(ids));
    for (const worker of workers) worker.close();
    return census;
  }

  test('say what they run, and nothing more is asked when that is all', async () => {
    const running = answering({ active: [{ id: 'a' }, { id: 'of another' }] });
    expect(await asked([running, answering({ active: [] })], ['a'])).toEqual({
      holders: new Map([['a', 'pool@0']]),
      workers: { ok: true, value: new Map() },
    });
  });

  test('say what they keep for later, and how long they live', async () => {
    const keeping = answering({ ...idle, query_task: { a: ['reserved', {}] }, stats: { uptime: 90 } });
    const waiting = answering({ ...idle, scheduled: [{ eta: '', request: { id: 'b' } }] });
    expect(await asked([keeping, waiting], ['a', 'b', 'c'])).toEqual({
      holders: new Map([
        ['a', 'pool@0'],
        ['b', 'pool@1'],
      ]),
      workers: {
        ok: true,
        value: new Map([
          ['pool@0', 90_000],
          ['pool@1', 7_000],
        ]),
      },
    });
  });

  test('are asked about the ids that nobody runs, with their arguments left out', async () => {
    const heard: unknown[] = [];
    const noting = (answer: unknown) => (args: unknown) => {
      heard.push(args);
      return answer;
    };
    const running = answering({ ...idle, active: noting([{ id: 'a' }]), query_task: noting({}) });
    await asked([running], ['a', 'b']);
    expect(heard).toEqual([{ safe: true }, { ids: ['b'] }]);
  });

  test.each([
    { why: 'one of them is silent', silent: undefined },
    { why: 'one of them fails to answer', silent: { error: "TypeError('not serializable')" } },
  ])('prove nothing while $why', async ({ silent }) => {
    const census = await asked(
      [answering({ ...idle, active: [{ id: 'a' }] }), answering({ active: silent })],
      ['a', 'b'],
    );
    expect(census.holders).toEqual(new Map([['a', 'pool@0']]));
    expect(whyNot(census)).toContain('1 of 2 workers do not answer');
  });

  test('prove nothing when there are none: they may have no remote control', async () => {
    expect(whyNot(await asked([], ['a']))).toContain('no worker hears');
  });

  test('need not know the question: a celery beat holds nothing', async () => {
    const beat = answering(
      Object.fromEntries(Object.keys(idle).map((method) => [method, { error: `KeyError('${method}')` }])),
    );
    expect(await asked([beat, answering(idle)], ['a'])).toEqual({
      holders: new Map(),
      workers: { ok: true, value: new Map([['pool@1', 7_000]]) },
    });
  });
});

describe('asking in Redis', () => {
  async function withWorker(ask: (own: Redis) => Promise<void>): Promise<void> {
    const own = client();
    const worker = await onRedis('').consume('pod-x');
    await worker.obey('pool@x', answering(idle));
    await ask(own);
    worker.close();
  }

  test('leaves nothing behind', async () => {
    await withWorker(async (own) => {
      await new RedisBroker({ client: own, prefix: '', settleMs: 0 }).ask(new Set(['a']));
      expect(await own.smembers('_kombu.binding.reply.celery.pidbox')).toEqual([]);
      expect(await own.keys('*reply.celery.pidbox')).toEqual([]);
      expect(Number(await own.zscore('_kombu.binding_deadlines', 'reply.celery.pidbox'))).toBeGreaterThan(Date.now());
    });
  });

  test('proves nothing just after connecting, when workers may be on their way back', async () => {
    await withWorker(async (own) => {
      const census = await new RedisBroker({ client: own, prefix: '' }).ask(new Set(['a']));
      expect(whyNot(census)).toContain('less than 35 s');
    });
  });

  test('proves nothing when the connection was made anew meanwhile', async () => {
    const own = client();
    const worker = await onRedis('').consume('pod-y');
    const stats = (): object => {
      own.disconnect(true);
      return idle.stats;
    };
    await worker.obey('pool@y', answering({ ...idle, stats }));
    const asked = new RedisBroker({ client: own, prefix: '', settleMs: 0 }).ask(new Set(['a']));
    // Where the break cut a call off, there is no census at all.
    const said = await asked.then(whyNot, (error: unknown) => (error as Error).message);
    worker.close();
    expect(said).toMatch(/on their way back|did not answer/);
  });

  test('names the permission that an account lacks', async () => {
    await withWorker(async (own) => {
      await own.call('ACL', 'SETUSER', 'mute', 'on', '>secret', '~*', '+@all', 'resetchannels');
      const census = await new RedisBroker({ client: client('mute:secret'), prefix: '', settleMs: 0 }).ask(
        new Set(['a']),
      );
      expect(whyNot(census)).toContain('&/0.celery.pidbox ~_kombu.binding.reply');
    });
  });
});

describe('a worker that says that it leaves', () => {
  /** As Celery 5.7 says it; only what is read of it. */
  function farewell(nodename: string): string {
    const body = JSON.stringify({ hostname: nodename, type: 'worker-offline', pid: 7 });
    return JSON.stringify({
      body: btoa(body),
      headers: { hostname: nodename },
      properties: { body_encoding: 'base64' },
    });
  }

  test.each([
    { where: 'without a prefix', prefix: '', channel: '/0.celeryev/worker.offline' },
    { where: 'under a prefix', prefix: 'team:', channel: 'team:/0.celeryev/worker.offline' },
  ])('is heard $where, also after the connection broke', async ({ prefix, channel }) => {
    const own = client();
    const left: string[] = [];
    const missed = vi.fn();
    const listener = { left: (nodename: string) => left.push(nodename), missed, refused: () => undefined };
    const stop = hearFarewells({ openSubscriber: () => client(), db: 0, prefix, ...listener });
    const listeners = async (): Promise<unknown> => (await own.pubsub('NUMSUB', channel))[1];
    await expect.poll(listeners).toBe(1);
    await expect.poll(() => missed.mock.calls.length).toBe(1);
    await own.publish(channel, farewell('celery@a'));
    await expect.poll(() => left).toEqual(['celery@a']);
    await own.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(() => missed.mock.calls.length).toBe(2);
    await expect.poll(listeners).toBe(1);
    await own.publish(channel, 'no event');
    await own.publish(channel, farewell('celery@b'));
    await expect.poll(() => left).toEqual(['celery@a', 'celery@b']);
    stop();
    await expect.poll(listeners).toBe(0);
  });

  test('cannot be heard by an account that may not listen, which is told the permission', async () => {
    await client().call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels');
    const refused = vi.fn();
    const missed = vi.fn();
    const options = { db: 0, prefix: '', left: () => undefined, missed, refused };
    const stop = hearFarewells({ ...options, openSubscriber: () => client('deaf:secret') });
    await expect.poll(() => refused.mock.calls).toHaveLength(1);
    expect(missed).not.toHaveBeenCalled();
    expect(refused.mock.calls[0]).toEqual([expect.stringContaining('&/0.celeryev/worker.offline')]);
    stop();
  });
});
