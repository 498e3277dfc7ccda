import { expect, test } from 'vitest';
import { decodeTaskMessage } from '#core/celery/decode-task-message.ts';
import { encodeResultMeta } from '#core/celery/result-meta.ts';
import type { JsonText } from '#core/base/json-text.ts';
import { RedisResultStore } from '#io/results/redis/redis-result-store.ts';
import { RedisRunStore } from '#io/runs/redis/redis-run-store.ts';
import type { RunPorts } from '#operator/runs/run-ports.ts';
import { until } from '../cluster/kube-api.ts';
import { RunWorld } from '../scenarios/run-world.ts';
import { redisOfFile } from '../support/redis-of-file.ts';

const redis = redisOfFile();
const seenBytes = 8 * 1024 * 1024;
const tasks = 30;
const result = JSON.stringify('x'.repeat(900 * 1024)) as JsonText;
const spec = { group: Array.from({ length: tasks }, () => ({ task: 'a' })) };

const realTime: RunPorts['clock'] = {
  nowMs: Date.now,
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
  soon: setImmediate,
};

/** Ports over the real stores, of which the run store waits; `most` was read at once and not decided on. */
function watched(mayAdvance: Promise<void>): { readonly ports: Partial<RunPorts>; readonly most: () => number } {
  let undecided = 0;
  let most = 0;
  const store = new RedisRunStore({ client: redis.client(), prefix: '' });
  const advance = store.advance.bind(store);
  store.advance = async (run, request) => {
    await mayAdvance;
    const answer = await advance(run, request);
    if (answer.ok) undecided -= request.records.reduce((sum, { keep = '' }) => sum + keep.length, 0);
    return answer;
  };
  const results = new RedisResultStore({ client: redis.client(), openSubscriber: () => redis.client(), prefix: '' });
  const read = results.read.bind(results);
  results.read = async (ids) => {
    const texts = await read(ids);
    undecided += texts.reduce((sum, text = '') => sum + text.length, 0);
    most = Math.max(most, undecided);
    return texts;
  };
  return { ports: { store, results, seenBytes, clock: realTime }, most: () => most };
}

test('an operator that starts fetches as much of the results that wait for it as it has room for', async () => {
  const world = new RunWorld();
  const first = await world.engine(watched(Promise.resolve()).ports);
  await world.begin(first, spec);
  const client = redis.client();
  await until('all tasks wait', 60_000, async () => (await client.llen('q')) === tasks);
  first.close();
  for (const message of await client.lrange('q', 0, -1)) {
    const decoded = decodeTaskMessage(message);
    if (!decoded.ok) throw new Error(decoded.error.message);
    const { id } = decoded.value;
    const text = encodeResultMeta({ id, status: 'SUCCESS', resultText: result, dateDone: null });
    await client.set(`celery-task-meta-${id}`, text);
  }

  const { promise: full, resolve: isFull } = Promise.withResolvers<undefined>();
  const warn = (fields: object): void => {
    if (JSON.stringify(fields).includes('wait to be decided on')) isFull(undefined);
  };
  const { ports, most } = watched(full.then());
  const engine = await world.engine({ ...ports, log: { info: () => undefined, warn } });
  const driver = await world.begin(engine, spec);
  await until('the run ends', 60_000, () => Promise.resolve(driver.run.view.evaluation.stage === 'Ended'));
  expect(most()).toBeGreaterThan(seenBytes / 2);
  expect(most()).toBeLessThan(seenBytes * 1.5);
  engine.close();
}, 300_000);
