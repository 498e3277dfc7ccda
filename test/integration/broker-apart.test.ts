import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { until } from '../cluster/kube-api.ts';
import { installChart, type InstalledChart } from '../support/chart.ts';
import { objectPath } from '../support/conditions.ts';
import { openTestNamespace, type TestNamespace } from '../support/namespace.ts';
import { startTestOperator } from '../support/operator.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';
import { callRedis } from '../support/redis-call.ts';

let cluster: ApiCluster;
let results: RunningRedis;
let broker: RunningRedis;
let chart: InstalledChart;
let operator: RunningOperator;

beforeAll(async () => {
  [cluster, results, broker] = await Promise.all([startApiCluster(), startRedis(), startRedis()]);
  chart = await installChart(cluster);
  operator = await startTestOperator(chart, { environment: { ARPEGGIO_LOG_LEVEL: 'error' } });
});
afterAll(async () => {
  await operator.stop();
  await Promise.all([cluster.stop(), results.stop(), broker.stop()]);
});

/** Each namespace has a database of its own. */
const urlOf = (server: RunningRedis, db: number): string => server.url.replace(/\/0$/, `/${db}`);

async function untilStatus(space: TestNamespace, name: string, holds: (status: WorkflowStatus) => boolean) {
  let status: WorkflowStatus = {};
  await until(`${name} is as wanted`, 90_000, async () => {
    status = await space.workflowStatus(name);
    return holds(status);
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(status)}`, { cause: error });
  });
  return status;
}

const states = [
  {
    db: 1,
    what: 'out of memory',
    command: 'CONFIG',
    enter: ['SET', 'maxmemory', '1'],
    leave: ['SET', 'maxmemory', '0'],
  },
  { db: 2, what: 'read-only', command: 'REPLICAOF', enter: ['127.0.0.1', '1'], leave: ['NO', 'ONE'] },
] as const;

test.each(states)('workflows end while their broker is $what, and nothing of them is run later', async (state) => {
  const name = `apart-${state.what.replaceAll(' ', '-')}`;
  const space = await openTestNamespace(cluster.api, name, urlOf(results, state.db), urlOf(broker, state.db));
  const inBroker = (command: string, ...args: readonly string[]): Promise<unknown> =>
    callRedis(urlOf(broker, state.db), command, ...args);
  await space.create('TaskQueue', name, { routes: ['*'] });
  // A run that has begun has its connection open.
  await space.create('Workflow', 'before', { task: 'before' });
  await until('it is sent', 90_000, async () => (await inBroker('LLEN', name)) === 1);
  await inBroker(state.command, ...state.enter);

  await space.create('Workflow', 'cancelled', { chain: [{ task: 'a' }, { task: 'b' }] });
  await space.create('Workflow', 'late', { task: 'late', deadline: '3s' });
  await space.create('Workflow', 'waited', { task: 'waited', waitLimit: '2s' });
  const stuck = await untilStatus(
    space,
    'cancelled',
    (status) => status.conditions?.[0]?.reason === 'ConnectionNotReady',
  );
  expect(stuck.conditions?.[0]?.message).toContain('wait until their broker takes them');
  const path = objectPath('Workflow', name, 'cancelled');
  const patched = await cluster.api.call('PATCH', path, { spec: { cancel: true } }, 'application/merge-patch+json');
  expect(patched.status).toBe(200);

  for (const [workflow, reason] of [
    ['cancelled', 'Cancelled'],
    ['late', 'DeadlineExceeded'],
    ['waited', 'Failed'],
  ] as const) {
    const { conditions } = await untilStatus(space, workflow, ({ finishedAt }) => finishedAt !== undefined);
    expect(conditions?.[0]).toMatchObject({ status: 'False', reason });
  }

  await inBroker(state.command, ...state.leave);
  await space.create('Workflow', 'after', { task: 'after' });
  await until('the next one is sent', 90_000, async () => Number(await inBroker('LLEN', name)) > 1);
  const waiting = (await inBroker('LRANGE', name, '0', '-1')) as string[];
  const tasks = waiting.map((text) => (JSON.parse(text) as { headers: { task: string } }).headers.task);
  expect(tasks.toSorted()).toEqual(['after', 'before']);
});
