import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { installChart } from '../support/chart.ts';
import { untilCondition } from '../support/conditions.ts';
import { openTestNamespace, type TestNamespace } from '../support/namespace.ts';
import { startTestOperator } from '../support/operator.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';
import { startWorker, type WorkerProcess } from '../support/worker-process.ts';

/** Two namespaces on one database of one server, told apart by nothing but their prefixes. */

const prefixes = { keyPrefix: 'team-a:', resultKeyPrefix: 'team-a-results:' };
const tasks = join(REPOSITORY, 'test', 'integration', 'tasks');

let cluster: ApiCluster;
let redis: RunningRedis;
let operator: RunningOperator;
let worker: WorkerProcess;
let space: TestNamespace;

beforeAll(async () => {
  [cluster, redis] = await Promise.all([startApiCluster(), startRedis()]);
  operator = await startTestOperator(await installChart(cluster));
  space = await openTestNamespace(cluster.api, 'team-a', redis.url);
  const secret = { stringData: prefixes };
  await cluster.api.call('PATCH', '/api/v1/namespaces/team-a/secrets/arpeggio', secret, 'application/merge-patch+json');
  await space.create('TaskQueue', 'default', {});
  await untilCondition(cluster.api, { kind: 'TaskQueue', namespace: 'team-a', name: 'default', reason: 'Ready' });
  worker = await startWorker({
    url: redis.url,
    queues: 'default',
    tasks,
    env: {
      ARPEGGIO_RESULTS_URL: redis.url,
      ARPEGGIO_KEY_PREFIX: prefixes.keyPrefix,
      ARPEGGIO_RESULT_KEY_PREFIX: prefixes.resultKeyPrefix,
    },
  });
});
afterAll(async () => {
  await worker.stop('SIGTERM');
  await operator.stop();
  await Promise.all([cluster.stop(), redis.stop()]);
});

test('a run leaves no key outside its prefixes', async () => {
  const header = [1, 2, 3].map((x) => ({ task: 'square', args: [x] }));
  const status = await space.run('chord', { chord: { header, body: { task: 'add' } } });
  expect(status).toMatchObject({ state: 'Succeeded', result: 14 });

  const client = new Redis(redis.url);
  const keys = await client.keys('*');
  client.disconnect();
  expect(keys.length).toBeGreaterThan(5);
  expect(keys.filter((key) => !key.startsWith('team-a:') && !key.startsWith('team-a-results:'))).toEqual([]);
});

test('another namespace may use the same database with prefixes of its own, and not with these', async () => {
  const other = await openTestNamespace(cluster.api, 'team-b', redis.url);
  const path = '/api/v1/namespaces/team-b/secrets/arpeggio';
  await cluster.api.call('PATCH', path, { stringData: prefixes }, 'application/merge-patch+json');
  await other.create('TaskQueue', 'default', {});
  const queue = { kind: 'TaskQueue', namespace: 'team-b', name: 'default' } as const;
  await untilCondition(cluster.api, { ...queue, reason: 'ConnectionTaken' });
  const own = { stringData: { keyPrefix: 'team-b:', resultKeyPrefix: 'team-b:' } };
  await cluster.api.call('PATCH', path, own, 'application/merge-patch+json');
  await untilCondition(cluster.api, { ...queue, reason: 'Ready', withinMs: 60_000 });
});
