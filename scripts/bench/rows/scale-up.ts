import type { KubeClient } from '#io/kube/client.ts';
import { collectionPath, resources } from '#io/kube/resource.ts';
import { until } from '../../../test/cluster/kube-api.ts';
import type { Bench } from '../bench.ts';
import { percentile } from '../percentile.ts';
import type { Row } from '../row.ts';

const replicas = 50;
const times = 5;

/** A burst into an empty queue whose pool has no pods. */
export const scaleUpRow: Row = {
  id: 'scale-up',
  figures: () => [
    { key: 'p50', what: `burst → replicas written, 0 → ${replicas}, median`, unit: 's', better: 'Lower', target: 0.5 },
    {
      key: 'worst',
      what: `burst → replicas written, 0 → ${replicas}, worst of ${times}`,
      unit: 's',
      better: 'Lower',
      target: 0.5,
    },
  ],
  ours: async (bench) => {
    const tookMs: number[] = [];
    for (let index = 0; index < times; index += 1) tookMs.push(await burst(bench, `burst-${index}`));
    return { p50: percentile(tookMs, 0.5) / 1000, worst: Math.max(...tookMs) / 1000 };
  },
};

type Deployment = { readonly metadata: { readonly name: string }; readonly spec: { readonly replicas?: number } };

async function burst({ api, client, namespace, redis }: Bench, name: string): Promise<number> {
  const autoscaling = { minReplicas: 0, maxReplicas: replicas };
  await namespace.create('TaskQueue', name, {});
  await namespace.create('WorkerPool', name, { queues: [name], autoscaling });
  const path = `${collectionPath(resources.deployments, namespace.name)}/${name}`;
  await until(`the Deployment ${name} exists, with no pods`, 20_000, async () => {
    const { status, body } = await api.call('GET', path);
    return status === 200 && (body as Deployment).spec.replicas === 0;
  });
  const stop = new AbortController();
  const scaled = whenScaled(client, namespace.name, name, stop.signal);
  const started = performance.now();
  // A producer that knows nothing of us: nobody rings a bell.
  await redis.lpush(name, ...Array.from({ length: replicas * 4 }, () => '{}'));
  const atMs = await Promise.race([scaled, expiry(name)]).finally(() => stop.abort());
  await redis.del(name);
  await api.expect('DELETE', `/apis/arpeggio.dev/v1alpha1/namespaces/${namespace.name}/workerpools/${name}`);
  return atMs - started;
}

async function whenScaled(client: KubeClient, namespace: string, name: string, signal: AbortSignal): Promise<number> {
  const query = { watch: true, fieldSelector: `metadata.name=${name}`, timeoutSeconds: 600 };
  for await (const line of client.watch({ path: collectionPath(resources.deployments, namespace), query, signal })) {
    if (line !== '' && (JSON.parse(line) as { object: Deployment }).object.spec.replicas === replicas) break;
  }
  return performance.now();
}

function expiry(name: string): Promise<never> {
  const withinMs = 60_000;
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`pool ${name} was not scaled within ${withinMs} ms`)), withinMs).unref();
  });
}
