import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningOperator } from '#operator/operator.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { until } from '../cluster/kube-api.ts';
import { installChart } from '../support/chart.ts';
import { objectPath, readObject, untilCondition } from '../support/conditions.ts';
import { openTestNamespace, type TestNamespace } from '../support/namespace.ts';
import { startTestOperator } from '../support/operator.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';

let cluster: ApiCluster;
let server: RunningRedis;
let operator: RunningOperator;
let redis: Redis;
let namespace: TestNamespace;
let count = 0;

beforeAll(async () => {
  [cluster, server] = await Promise.all([startApiCluster(), startRedis()]);
  operator = await startTestOperator(await installChart(cluster));
});
afterAll(async () => {
  await operator.stop();
  await Promise.all([cluster.stop(), server.stop()]);
});
// Each test has a namespace and a database of its own.
beforeEach(async () => {
  count += 1;
  const url = server.url.replace(/\d+$/, String(count));
  redis = new Redis(url);
  namespace = await openTestNamespace(cluster.api, `pools-${String(count)}`, url);
  await namespace.create('TaskQueue', 'work', {});
  return () => redis.disconnect();
});

type Deployment = {
  metadata: { generation: number };
  spec: { replicas: number; template: { spec: Record<string, unknown> } };
};
type Pod = { metadata: { name: string; uid: string }; spec: { nodeName?: string } };

function deploymentPath(name: string): string {
  return `/apis/apps/v1/namespaces/${namespace.name}/deployments/${name}`;
}
async function deployment(name: string): Promise<Deployment> {
  return (await cluster.api.expect('GET', deploymentPath(name))) as Deployment;
}
async function replicas(name: string): Promise<number> {
  return (await deployment(name)).spec.replicas;
}
async function pods(): Promise<readonly Pod[]> {
  const list = await cluster.api.expect('GET', `/api/v1/namespaces/${namespace.name}/pods`);
  return (list as { items: readonly Pod[] }).items;
}
function podPath({ metadata }: Pod): string {
  return `/api/v1/namespaces/${namespace.name}/pods/${metadata.name}`;
}
/** Puts a message into the hands of the first worker of a pod, as claiming does. */
async function hold(podUid: string, queue: string, id: string): Promise<void> {
  const tag = `arp:${podUid}.1:${queue}:1`;
  const properties = { delivery_tag: tag, delivery_info: { exchange: '', routing_key: queue }, priority: 0 };
  const envelope = { body: 'W10=', 'content-type': 'application/json', headers: { id }, properties };
  await redis.set(`arp:i:${podUid}`, '1');
  const transaction = redis.multi().hset('unacked', tag, JSON.stringify([envelope, '', queue]));
  await transaction.zadd('unacked_index', Date.now() / 1000, tag).exec();
}
async function push(queue: string, messages: number): Promise<void> {
  await redis.lpush(queue, ...Array.from({ length: messages }, () => '{}'));
}
async function merge(path: string, body: object): Promise<void> {
  const answer = await cluster.api.call('PATCH', path, body, 'application/merge-patch+json');
  expect(answer.status).toBe(200);
}
function pool(name: string): { kind: 'WorkerPool'; namespace: string; name: string } {
  return { kind: 'WorkerPool', namespace: namespace.name, name };
}

describe('a worker pool', () => {
  test('has as many pods as the work asks for, at once, and none when there is none', async () => {
    const autoscaling = { maxReplicas: 10, tasksPerSlot: 5, scaleDownDelay: '2s' };
    await namespace.create('WorkerPool', 'auto', { queues: ['work'], concurrency: 2, autoscaling });
    await untilCondition(cluster.api, { ...pool('auto'), reason: 'ScaledToZero' });
    const none = await deployment('auto');
    expect(none.spec.replicas).toBe(0);

    await push('work', 35);
    await until('four pods are asked for', 60_000, async () => (await replicas('auto')) === 4);
    // At once: not pod by pod.
    expect((await deployment('auto')).metadata.generation).toBe(none.metadata.generation + 1);
    await untilCondition(cluster.api, { ...pool('auto'), reason: 'Ready' });
    const { status } = await readObject(cluster.api, 'WorkerPool', namespace.name, 'auto');
    expect(status).toMatchObject({
      replicas: 4,
      readyReplicas: 4,
      lastDecision: {
        replicas: 4,
        reason: 'Demand',
        inputs: { waiting: 35, held: 0, inFlight: 0, currentReplicas: 0 },
      },
    });
    // Pods without workers run here: what nobody tells is not shown as zero.
    expect(status).not.toHaveProperty('slots');

    const emptyMs = performance.now();
    await redis.del('work');
    await until('no pod is asked for', 60_000, async () => (await replicas('auto')) === 0);
    expect(performance.now() - emptyMs).toBeGreaterThan(1_990);
    await untilCondition(cluster.api, { ...pool('auto'), reason: 'ScaledToZero' });
  });

  test('says so when the work asks for more than its bound', async () => {
    await namespace.create('WorkerPool', 'bound', { queues: ['work'], autoscaling: { maxReplicas: 2 } });
    await push('work', 3);
    const limited = await untilCondition(cluster.api, {
      ...pool('bound'),
      type: 'ScalingLimited',
      reason: 'TooManyReplicas',
    });
    expect(limited).toMatchObject({
      status: 'True',
      message: expect.stringContaining('maxReplicas, which is 2') as string,
    });
  });

  test('counts as work what its workers have taken', async () => {
    await namespace.create('WorkerPool', 'taken', {
      queues: ['work'],
      autoscaling: { maxReplicas: 5, scaleDownDelay: '1s' },
    });
    await push('work', 1);
    await until('a pod runs', 60_000, async () => (await pods()).length === 1);
    const [pod] = await pods();
    const incarnation = `${pod!.metadata.uid}.1`;
    await redis.set(`arp:i:${pod!.metadata.uid}`, '1');
    await redis.set(`arp:w:${incarnation}`, JSON.stringify({ pool: 'taken', slots: 1, busy: 1, queues: ['work'] }));
    await redis.multi().del('work').hset('unacked', `arp:${incarnation}:work:x`, '["{}","","work"]').exec();
    await until('status tells of the taken task', 60_000, async () => {
      const { status } = await readObject(cluster.api, 'WorkerPool', namespace.name, 'taken');
      return JSON.stringify(status?.['slots']) === '{"busy":1,"free":0}';
    });
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // Longer than the delay: it would have gone by now.
    expect(await replicas('taken')).toBe(1);
    await redis.del('unacked');
    await until('the pod goes', 60_000, async () => (await replicas('taken')) === 0);
  });

  test.each([
    { why: 'was deleted', end: (pod: Pod) => cluster.api.expect('DELETE', podPath(pod)) },
    {
      why: 'has ended for good',
      end: (pod: Pod) => merge(`${podPath(pod)}/status`, { status: { phase: 'Failed', reason: 'Evicted' } }),
    },
  ])('gives back to the queue what a pod held that $why', async ({ end }) => {
    await namespace.create('WorkerPool', 'lost', { queues: ['work'], replicas: 1 });
    await untilCondition(cluster.api, { ...pool('lost'), reason: 'Ready' });
    const [pod] = await pods();
    await hold(pod!.metadata.uid, 'work', 'a-task');
    // It still looks alive, and will for ever: that the pod is gone is all that tells.
    await redis.set(`arp:w:${pod!.metadata.uid}.1`, '{}');
    await end(pod!);
    await until('the message is back', 60_000, async () => (await redis.llen('work')) === 1);
    expect(await redis.hlen('unacked')).toBe(0);
    expect(await redis.lindex('work', 0)).toContain('a-task');
  });

  test('gives back what a pod held that went while nobody looked, but not while its worker lives', async () => {
    await namespace.create('WorkerPool', 'orphan', { queues: ['work'], replicas: 0 });
    const [dead, alive] = ['5f0c8a52-6f9f-4f43-9a0e-8f9a2f7c1d01', '5f0c8a52-6f9f-4f43-9a0e-8f9a2f7c1d02'];
    await redis.set(`arp:w:${alive}.1`, '{}');
    await hold(dead, 'work', 'of-the-dead');
    await hold(alive, 'work', 'of-the-living');
    await until('the message is back', 60_000, async () => (await redis.llen('work')) === 1);
    expect(await redis.lindex('work', 0)).toContain('of-the-dead');
    expect(await redis.hkeys('unacked')).toEqual([`arp:${alive}.1:work:1`]);
  });

  test('with a fixed number of pods keeps it, and follows kubectl scale', async () => {
    await namespace.create('WorkerPool', 'fixed', { queues: ['work'], replicas: 2 });
    await untilCondition(cluster.api, { ...pool('fixed'), reason: 'Ready' });
    await merge(`${objectPath('WorkerPool', namespace.name, 'fixed')}/scale`, { spec: { replicas: 3 } });
    await until('three pods are asked for', 60_000, async () => (await replicas('fixed')) === 3);
  });

  test('puts back what someone changed in its Deployment, and leaves alone what is not its own', async () => {
    await namespace.create('WorkerPool', 'drift', { queues: ['work'], replicas: 1 });
    await untilCondition(cluster.api, { ...pool('drift'), reason: 'Ready' });
    await merge(deploymentPath('drift'), { spec: { replicas: 7 }, metadata: { annotations: { mine: 'yes' } } });
    await until('the number is put back', 60_000, async () => (await replicas('drift')) === 1);
    expect((await deployment('drift')).metadata).toMatchObject({ annotations: { mine: 'yes' } });
  });

  test('replaces its pods when the connection Secret says something else, and not otherwise', async () => {
    await namespace.create('WorkerPool', 'rotate', { queues: ['work'], replicas: 1 });
    await untilCondition(cluster.api, { ...pool('rotate'), reason: 'Ready' });
    const before = await deployment('rotate');
    const secret = `/api/v1/namespaces/${namespace.name}/secrets/arpeggio`;
    await merge(secret, { stringData: { keyPrefix: 'rotated:' } });
    await until('pods are of a new template', 60_000, async () => {
      return (await deployment('rotate')).metadata.generation > before.metadata.generation;
    });
    await untilCondition(cluster.api, { ...pool('rotate'), reason: 'Ready' });
    await redis.lpush('rotated:work', '{}');
    await until('the depth under the new prefix is seen', 60_000, async () => {
      return (await readObject(cluster.api, 'TaskQueue', namespace.name, 'work')).status?.['waiting'] === 1;
    });
  });

  test('with an accelerator runs on a node that has the model', async () => {
    const accelerator = { products: ['NVIDIA-L4'] };
    await namespace.create('WorkerPool', 'gpu', { queues: ['work'], replicas: 1, accelerator });
    await untilCondition(cluster.api, { ...pool('gpu'), reason: 'Ready' });
    expect((await pods()).map(({ spec }) => spec.nodeName)).toEqual(['gpu-2']);
  });

  test('whose pods find no node tells what the scheduler said, and recovers', async () => {
    await namespace.create('WorkerPool', 'nowhere', { queues: ['work'], replicas: 1, nodeSelector: { disk: 'fast' } });
    const condition = await untilCondition(cluster.api, {
      ...pool('nowhere'),
      type: 'PodsSchedulable',
      reason: 'Unschedulable',
    });
    expect(condition.message).toMatch(/1 of 1 pods find no node: .*node/);
    await merge(objectPath('WorkerPool', namespace.name, 'nowhere'), { spec: { nodeSelector: null } });
    await untilCondition(cluster.api, { ...pool('nowhere'), type: 'PodsSchedulable', reason: 'AllScheduled' });
    await untilCondition(cluster.api, { ...pool('nowhere'), reason: 'Ready' });
  });

  test('whose image cannot be pulled tells the image and the way out, and recovers', async () => {
    await namespace.create('WorkerPool', 'image', { queues: ['work'], replicas: 1, image: 'example.invalid/none:1' });
    await until('the Deployment is there', 60_000, async () => (await replicas('image')) === 1);
    const label = { 'test.arpeggio.dev/image-pull': 'fails' };
    await merge(deploymentPath('image'), { spec: { template: { metadata: { labels: label } } } });
    const condition = await untilCondition(cluster.api, { ...pool('image'), reason: 'ImagePullFailed' });
    expect(condition).toMatchObject({
      status: 'False',
      message: expect.stringMatching(/example\.invalid\/none:1 .*spec\.image/s) as string,
    });
    const healed = { 'test.arpeggio.dev/image-pull': null };
    await merge(deploymentPath('image'), { spec: { template: { metadata: { labels: healed } } } });
    await untilCondition(cluster.api, { ...pool('image'), reason: 'Ready' });
  });

  test('that names a queue which does not exist waits for it', async () => {
    await namespace.create('WorkerPool', 'early', { queues: ['later'], replicas: 1 });
    const condition = await untilCondition(cluster.api, { ...pool('early'), reason: 'QueueNotFound' });
    expect(condition.message).toContain('TaskQueue later');
    await namespace.create('TaskQueue', 'later', {});
    await untilCondition(cluster.api, { ...pool('early'), reason: 'Ready' });
  });

  test('starts no worker before its connection can be used, and then at once', async () => {
    await namespace.create('TaskQueue', 'elsewhere', { connection: 'other' });
    await namespace.create('WorkerPool', 'waits', { queues: ['elsewhere'], replicas: 2 });
    const condition = await untilCondition(cluster.api, { ...pool('waits'), reason: 'ConnectionNotReady' });
    expect(condition.message).toContain('no Secret other');
    expect(await replicas('waits')).toBe(0);
    const url = server.url.replace(/\d+$/, String(count));
    await cluster.api.expect('POST', `/api/v1/namespaces/${namespace.name}/secrets`, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'arpeggio.dev/connection',
      metadata: { name: 'other' },
      stringData: { broker: url, results: url },
    });
    await untilCondition(cluster.api, { ...pool('waits'), reason: 'Ready' });
    expect(await replicas('waits')).toBe(2);
  });

  test('leaves a Deployment of its name alone that is not its own', async () => {
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'x', image: 'x' }] } };
    const foreign = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'foreign' },
      spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template },
    };
    await cluster.api.expect('POST', `/apis/apps/v1/namespaces/${namespace.name}/deployments`, foreign);
    await namespace.create('WorkerPool', 'foreign', { queues: ['work'], replicas: 2 });
    await untilCondition(cluster.api, { ...pool('foreign'), reason: 'DeploymentNotOurs' });
    expect(await replicas('foreign')).toBe(1);
  });

  test('that the API server refuses tells what it said, and recovers', async () => {
    const resources = { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } };
    await namespace.create('WorkerPool', 'refused', { queues: ['work'], replicas: 1, resources });
    const condition = await untilCondition(cluster.api, { ...pool('refused'), reason: 'DeploymentRefused' });
    expect(condition.message).toMatch(/memory limit/);
    await merge(objectPath('WorkerPool', namespace.name, 'refused'), { spec: { resources: null } });
    await untilCondition(cluster.api, { ...pool('refused'), reason: 'Ready' });
  });

  test('goes with its Deployment when it is deleted, and its namespace waits for nobody', async () => {
    await namespace.create('WorkerPool', 'gone', { queues: ['work'], replicas: 2 });
    await untilCondition(cluster.api, { ...pool('gone'), reason: 'Ready' });
    await cluster.api.expect('DELETE', objectPath('WorkerPool', namespace.name, 'gone'));
    await until(
      'the Deployment is gone',
      60_000,
      async () => (await cluster.api.call('GET', deploymentPath('gone'))).status === 404,
    );
    await namespace.create('WorkerPool', 'last', { queues: ['work'], replicas: 2 });
    await cluster.api.expect('DELETE', `/api/v1/namespaces/${namespace.name}`);
    const path = `/api/v1/namespaces/${namespace.name}`;
    await until('the namespace is gone', 60_000, async () => (await cluster.api.call('GET', path)).status === 404);
  });
});
