import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { installChart } from '../support/chart.ts';
import { readObject, untilCondition } from '../support/conditions.ts';
import { openTestNamespace } from '../support/namespace.ts';
import { startTestOperator } from '../support/operator.ts';
import { startRedis, type RunningRedis } from '../support/redis.ts';

/** An operator that looks at one namespace only, with the rights that the chart then gives it: there and nowhere else. */

let cluster: ApiCluster;
let redis: RunningRedis;
let operator: RunningOperator;

beforeAll(async () => {
  [cluster, redis] = await Promise.all([startApiCluster(), startRedis()]);
  for (const [index, name] of ['team-a', 'team-b'].entries()) {
    const namespace = await openTestNamespace(cluster.api, name, redis.url.replace(/\d+$/, String(index)));
    expect(namespace.name).toBe(name);
  }
  operator = await startTestOperator(await installChart(cluster, ['watchNamespaces={team-a}']));
});
afterAll(async () => {
  await operator.stop();
  await Promise.all([cluster.stop(), redis.stop()]);
});

test('serves the namespace it watches, and leaves the others alone', async () => {
  for (const namespace of ['team-b', 'team-a']) {
    const path = `/apis/arpeggio.dev/v1alpha1/namespaces/${namespace}`;
    const object = (kind: string, spec: object): object => ({
      apiVersion: 'arpeggio.dev/v1alpha1',
      kind,
      metadata: { name: 'cpu' },
      spec,
    });
    await cluster.api.expect('POST', `${path}/taskqueues`, object('TaskQueue', {}));
    await cluster.api.expect(
      'POST',
      `${path}/workerpools`,
      object('WorkerPool', { queues: ['cpu'], autoscaling: { maxReplicas: 1 } }),
    );
  }
  await untilCondition(cluster.api, { kind: 'TaskQueue', namespace: 'team-a', name: 'cpu', reason: 'Ready' });
  await untilCondition(cluster.api, { kind: 'WorkerPool', namespace: 'team-a', name: 'cpu', reason: 'ScaledToZero' });
  expect((await readObject(cluster.api, 'TaskQueue', 'team-b', 'cpu')).status).toBeUndefined();
  expect((await readObject(cluster.api, 'WorkerPool', 'team-b', 'cpu')).status).toBeUndefined();
});
