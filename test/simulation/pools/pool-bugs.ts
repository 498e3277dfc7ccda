import type { KubeClient, KubeRequest } from '#io/kube/client.ts';
import { collectionPath, objectPath, resources } from '#io/kube/resource.ts';
import type { DepthReader } from '#operator/depths/depth-poller.ts';
import type { DepthReading } from '#operator/depths/depth-reading.ts';
import type { PlantedBug } from '../planted-bug.ts';
import { namespace } from '../surroundings.ts';
import type { Swarm } from '../swarm.ts';

/** Bugs that an operator which scales pools may have. */
export const poolBugs: Readonly<Record<string, PlantedBug>> = {
  busyKill: {
    what: 'scale-in picks pods itself, without a look at what they run, and deletes them at once',
    within: 200,
    options: { kinds: [], pools: true, swarm: withLongTasks, kube: killing },
  },
  noGrace: {
    what: 'pods have a second to end, whatever drainTimeout says',
    within: 200,
    options: { kinds: [], pools: true, swarm: withLongTasks, kube: withoutGrace },
  },
  hastyScaleIn: {
    what: 'pods go as soon as fewer suffice',
    within: 200,
    options: { kinds: [], pools: true, kube: withoutDelay },
  },
  unboundedScaleOut: {
    what: 'the upper bound is ten times what the spec says',
    within: 200,
    options: { kinds: [], pools: true, kube: withoutBound },
  },
  zeroDepths: {
    what: 'depths that could not be read are zero',
    within: 200,
    options: { kinds: ['DepthsRefused', 'RedisOutage'], pools: true, reader: zeroWhenUnknown },
  },
  oldDepths: {
    what: 'depths that could not be read are those of before',
    within: 200,
    options: { kinds: ['DepthsRefused'], pools: true, swarm: withLongFaults, reader: oldWhenUnknown },
  },
};

/** Pods go soon, and tasks are long: some of them meet. */
function withLongTasks(drawn: Swarm): Swarm {
  const pool = drawn.pool && { ...drawn.pool, concurrency: 1, tasksPerSlot: 1, scaleDownDelayMs: 0, drainMs: 30_000 };
  return { ...drawn, taskMs: 5_000, pool };
}

/** Faults last until something must be noticed. */
function withLongFaults(drawn: Swarm): Swarm {
  return { ...drawn, taskMs: 20_000, faultsEndMs: 60_000 };
}

interface Changes {
  /** What becomes of a request before it leaves. */
  readonly asked?: (request: KubeRequest) => KubeRequest | Promise<KubeRequest>;
  /** What becomes of what the API server says. */
  readonly told?: (text: string) => string;
}

function clientWith(client: KubeClient, { asked = (same) => same, told = (same) => same }: Changes): KubeClient {
  async function* watch(...given: Parameters<KubeClient['watch']>): AsyncGenerator<string, void, undefined> {
    for await (const line of client.watch(...given)) yield told(line);
  }
  const call = async (request: KubeRequest): Promise<string> => told(await client.call(await asked(request)));
  return { call, watch, close: () => client.close() } as unknown as KubeClient;
}

function isApply({ contentType, path }: KubeRequest): boolean {
  return contentType === 'application/apply-patch+yaml' && path.includes('/deployments/');
}

function killing(client: KubeClient): KubeClient {
  let replicas = 0;
  const asked = async (request: KubeRequest): Promise<KubeRequest> => {
    if (!isApply(request)) return request;
    const wanted = (JSON.parse(request.body ?? '') as { spec: { replicas: number } }).spec.replicas;
    const surplus = replicas - wanted;
    replicas = wanted;
    if (surplus > 0) await killSome(client, surplus);
    return request;
  };
  return clientWith(client, { asked });
}

async function killSome(client: KubeClient, count: number): Promise<void> {
  const text = await client.call({ method: 'GET', path: collectionPath(resources.pods, namespace) });
  const { items } = JSON.parse(text) as { items: readonly { metadata: { name: string } }[] };
  for (const { metadata } of items.slice(0, count)) {
    await client.call({ method: 'DELETE', path: objectPath(resources.pods, { namespace, name: metadata.name }) });
  }
}

function withoutGrace(client: KubeClient): KubeClient {
  const grace = /"terminationGracePeriodSeconds":\d+/;
  const asked = (request: KubeRequest): KubeRequest => {
    if (!isApply(request)) return request;
    return { ...request, body: request.body?.replace(grace, '"terminationGracePeriodSeconds":1') ?? '' };
  };
  return clientWith(client, { asked });
}

function withoutDelay(client: KubeClient): KubeClient {
  return clientWith(client, { told: (text) => text.replaceAll(/"scaleDownDelay":"[^"]*"/g, '"scaleDownDelay":"0s"') });
}

function withoutBound(client: KubeClient): KubeClient {
  return clientWith(client, { told: (text) => text.replaceAll(/"maxReplicas":(\d+)/g, '"maxReplicas":$10') });
}

function zeroWhenUnknown(read: DepthReader): DepthReader {
  return async (connection, question) => {
    try {
      return await read(connection, question);
    } catch {
      const none = new Map(question.queues.map((queue) => [queue, 0]));
      return { waiting: none, held: none, taken: [], leases: [] };
    }
  };
}

function oldWhenUnknown(read: DepthReader): DepthReader {
  let last: DepthReading | undefined;
  return async (connection, question) => {
    try {
      last = await read(connection, question);
    } catch (error) {
      if (last === undefined) throw error;
    }
    return last;
  };
}
