import type { AdvanceAnswer, AdvanceRequest } from '#core/workflow/advance.ts';
import type { KubeClient, KubeRequest } from '#io/kube/client.ts';
import type { Lease } from '#io/kube/lease.ts';
import type { KubeObject } from '#io/kube/object.ts';
import { collectionPath, objectPath, resources } from '#io/kube/resource.ts';
import type { RunKey, RunStore } from '#io/runs/run-store.ts';
import type { RunPorts } from '#operator/runs/run-ports.ts';
import type { PlantedBug } from './planted-bug.ts';
import { namespace } from './surroundings.ts';
import type { Swarm } from './swarm.ts';

/** Bugs in who leads, and in what a leader writes at the API server. */
export const leaderBugs: Readonly<Record<string, PlantedBug>> = {
  deafLeader: {
    what: 'a renewal that fails counts as one: whoever lost its Lease leads on',
    within: 200,
    options: { kinds: ['OperatorPause', 'TwoLeaders'], swarm: underLease, lease: deafLease },
  },
  unfenced: {
    what: 'whoever has lost its Lease and does not know yet decides with the fence of its successor',
    within: 500,
    options: { kinds: ['TwoLeaders'], swarm: underLease, ports: unfenced },
  },
  eventPerTask: {
    what: 'an event tells of each task that has ended',
    within: 100,
    options: { kinds: [], kube: eventPerTask },
  },
};

function underLease(drawn: Swarm): Swarm {
  return { ...drawn, hasLease: true, operators: 2, taskMs: 300 };
}

function deafLease(lease: Lease): Lease {
  const renew = (): Promise<boolean> =>
    lease.renew().then(
      () => true,
      () => true,
    );
  return replaced(lease, { renew });
}

function unfenced(ports: RunPorts): RunPorts {
  const { store } = ports;
  // Higher than any that is given out: it is never refused.
  const advance = (run: RunKey, request: AdvanceRequest): Promise<AdvanceAnswer> =>
    store.advance(run, { ...request, fence: request.fence + 1_000_000 });
  return { ...ports, store: replaced<RunStore>(store, { advance }) };
}

interface Shown extends KubeObject {
  readonly status?: { readonly done?: number };
}

function eventPerTask(client: KubeClient): KubeClient {
  const told = new Map<string, number>();
  const tellOf = async (name: string): Promise<void> => {
    const path = objectPath(resources.workflows, { namespace, name });
    const { metadata, status } = JSON.parse(await client.call({ method: 'GET', path })) as Shown;
    const { uid = '' } = metadata;
    const done = status?.done ?? 0;
    for (let nth = told.get(uid) ?? 0; nth < done; nth += 1) {
      const body = JSON.stringify(anEvent(`${name}.${uid}.${String(nth)}`, { name, uid }));
      await client.call({ method: 'POST', path: collectionPath(resources.events, namespace), body });
    }
    told.set(uid, done);
  };
  const call = async (request: KubeRequest): Promise<string> => {
    const answer = await client.call(request);
    const [, name] = /\/workflows\/([^/]+)\/status$/.exec(request.path) ?? [];
    if (name !== undefined) void tellOf(name).catch(() => undefined);
    return answer;
  };
  return replaced(client, { call });
}

function anEvent(name: string, regarding: object): object {
  return {
    ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name }, regarding },
    ...{ eventTime: '2026-01-01T00:00:00.000000Z', type: 'Normal', reason: 'TaskEnded', action: 'Run', note: 'a task' },
    ...{ reportingController: 'arpeggio.dev/operator', reportingInstance: 'operator' },
  };
}

/** The same with some of its methods replaced. */
function replaced<T extends object>(whole: T, methods: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
