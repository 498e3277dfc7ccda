import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { until, type KubeApi } from '../cluster/kube-api.ts';

const GROUP = 'arpeggio.dev/v1alpha1';

/** One namespace of a cluster, in the verbs of a test. */
export type TestNamespace = {
  readonly name: string;
  create(kind: 'TaskQueue' | 'WorkerPool' | 'Workflow', name: string, spec: object): Promise<void>;
  /** Creates a Workflow and resolves with its status when it has ended; rejects, showing the status, after `withinMs`. */
  run(name: string, spec: object, withinMs?: number): Promise<WorkflowStatus>;
  workflowStatus(name: string): Promise<WorkflowStatus>;
};

/** Makes a namespace whose default connection is this Redis, for its results and, unless that is another, for its broker. */
export async function openTestNamespace(
  api: KubeApi,
  name: string,
  redisUrl: string,
  brokerUrl = redisUrl,
): Promise<TestNamespace> {
  await api.expect('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, [409]);
  await api.expect('POST', `/api/v1/namespaces/${name}/secrets`, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'arpeggio.dev/connection',
    metadata: { name: 'arpeggio' },
    stringData: { broker: brokerUrl, results: redisUrl },
  });
  const path = (kind: string): string => `/apis/${GROUP}/namespaces/${name}/${kind.toLowerCase()}s`;

  async function create(kind: string, objectName: string, spec: object): Promise<void> {
    await api.expect('POST', path(kind), { apiVersion: GROUP, kind, metadata: { name: objectName }, spec });
  }
  async function workflowStatus(objectName: string): Promise<WorkflowStatus> {
    const { status } = (await api.expect('GET', `${path('Workflow')}/${objectName}`)) as { status?: WorkflowStatus };
    return status ?? {};
  }
  async function run(objectName: string, spec: object, withinMs = 90_000): Promise<WorkflowStatus> {
    await create('Workflow', objectName, spec);
    let last: WorkflowStatus = {};
    try {
      await until(`workflow ${name}/${objectName} ends`, withinMs, async () => {
        last = await workflowStatus(objectName);
        return last.finishedAt !== undefined;
      });
    } catch (error) {
      throw new Error(`${String(error)}; its status is ${JSON.stringify(last)}`, { cause: error });
    }
    return last;
  }
  return { name, create, run, workflowStatus };
}
