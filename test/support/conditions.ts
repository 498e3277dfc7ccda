import type { Condition } from '#core/resources/condition.ts';
import { until, type KubeApi } from '../cluster/kube-api.ts';

type Kind = 'TaskQueue' | 'WorkerPool' | 'Workflow';

export type ObservedObject = {
  readonly metadata: { readonly uid: string; readonly generation: number; readonly resourceVersion: string };
  readonly spec: Record<string, unknown>;
  readonly status?: Record<string, unknown> & { readonly conditions?: readonly Condition[] };
};

export function objectPath(kind: Kind, namespace: string, name: string): string {
  return `/apis/arpeggio.dev/v1alpha1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
}

/** The object as it stands now. */
export async function readObject(api: KubeApi, kind: Kind, namespace: string, name: string): Promise<ObservedObject> {
  return (await api.expect('GET', objectPath(kind, namespace, name))) as ObservedObject;
}

export type Wanted = {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** Default: Ready. */
  readonly type?: string;
  readonly reason: string;
  readonly withinMs?: number;
};

/** Waits until a condition has this reason and resolves to it; a timeout shows the conditions that there are. */
export async function untilCondition(api: KubeApi, wanted: Wanted): Promise<Condition> {
  const { kind, namespace, name, type = 'Ready', reason, withinMs = 60_000 } = wanted;
  let conditions: readonly Condition[] = [];
  let found: Condition | undefined;
  const what = `condition ${type} of ${kind} ${namespace}/${name} has the reason ${reason}`;
  try {
    await until(what, withinMs, async () => {
      const { status } = await readObject(api, kind, namespace, name);
      conditions = status?.conditions ?? [];
      found = conditions.find((condition) => condition.type === type && condition.reason === reason);
      return found !== undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}; conditions: ${JSON.stringify(conditions)}`, { cause: error });
  }
  return found!;
}
