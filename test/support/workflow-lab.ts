import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import { startApiCluster, type ApiCluster } from '../cluster/api-level.ts';
import { REPOSITORY } from '../cluster/folders.ts';
import { until } from '../cluster/kube-api.ts';
import { installChart, type InstalledChart } from './chart.ts';
import { objectPath, readObject } from './conditions.ts';
import { openTestNamespace, type TestNamespace } from './namespace.ts';
import { startRedis, type RunningRedis } from './redis.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

const tasks = join(REPOSITORY, 'test', 'integration', 'tasks');

type KubeEvent = {
  readonly reason: string;
  readonly type: string;
  readonly regarding: { name: string };
};

/** A cluster, a Redis and a worker whose tasks the test holds in its hands (`test/integration/tasks/gate-tasks.ts`). */
export interface WorkflowLab {
  readonly cluster: ApiCluster;
  readonly redis: RunningRedis;
  readonly chart: InstalledChart;
  readonly space: TestNamespace;
  readonly worker: WorkerProcess;
  /** Lets a task of this name go on, those called later as well. */
  open(gate: string): void;
  /** Calls of a task of this name, as task ids. */
  calls(gate: string): readonly string[];
  untilCalled(gate: string, times?: number): Promise<void>;
  patch(name: string, spec: object): Promise<void>;
  delete(name: string): Promise<void>;
  pathOf(name: string): string;
  uidOf(name: string): Promise<string>;
  /** Resolves with the status once it holds; the rejection shows it. */
  untilStatus(name: string, holds: (status: WorkflowStatus) => boolean, withinMs?: number): Promise<WorkflowStatus>;
  untilState(name: string, state: string, withinMs?: number): Promise<WorkflowStatus>;
  isThere(name: string): Promise<boolean>;
  /** Those told by now, each a `Type Reason`, sorted. */
  eventsOf(name: string): Promise<readonly string[]>;
  /**
   * Resolves when as many are told as these, and they are these, in any order. Nothing waits for an event: what it
   * tells of may be seen before it.
   */
  untilEvents(name: string, wanted: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Everything but the operator, which each test runs as it likes. TaskQueue `default` has the worker, `nobody` has none. */
export async function openWorkflowLab(name: string): Promise<WorkflowLab> {
  const gates = mkdtempSync(join(tmpdir(), 'arpeggio-gates-'));
  const [cluster, redis] = await Promise.all([startApiCluster(), startRedis({ appendOnly: true })]);
  const chart = await installChart(cluster);
  const space = await openTestNamespace(cluster.api, name, redis.url);
  for (const queue of ['default', 'nobody']) {
    await space.create('TaskQueue', queue, {});
    // The pool's pods are kwok's: the worker beside them is what really works.
    await space.create('WorkerPool', queue, { queues: [queue], image: 'none', replicas: 0 });
  }
  const env = { ARPEGGIO_RESULTS_URL: redis.url, ARPEGGIO_TEST_GATES: gates, ARPEGGIO_TRACK_STARTED: 'true' };
  const worker = await startWorker({ url: redis.url, tasks, queues: 'default', concurrency: 4, env });
  const calls = (gate: string): readonly string[] => {
    const file = join(gates, 'calls');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    return lines.map((line) => line.split(' ')).flatMap(([called, id = '']) => (called === gate ? [id] : []));
  };
  const pathOf = (workflow: string): string => objectPath('Workflow', name, workflow);

  async function eventsOf(workflow: string): Promise<readonly string[]> {
    const list = await cluster.api.expect('GET', `/apis/events.k8s.io/v1/namespaces/${name}/events`);
    return (list as { items: KubeEvent[] }).items
      .filter(({ regarding }) => regarding.name === workflow)
      .map(({ type, reason }) => `${type} ${reason}`)
      .toSorted();
  }

  async function untilStatus(
    workflow: string,
    holds: (status: WorkflowStatus) => boolean,
    withinMs = 60_000,
  ): Promise<WorkflowStatus> {
    let status: WorkflowStatus = {};
    try {
      await until(`the status of ${workflow} is as wanted`, withinMs, async () => {
        status = ((await readObject(cluster.api, 'Workflow', name, workflow)).status ?? {}) as WorkflowStatus;
        return holds(status);
      });
    } catch (error) {
      throw new Error(`${String(error)}: ${JSON.stringify(status)}; the worker said ${worker.output().slice(-2_000)}`, {
        cause: error,
      });
    }
    return status;
  }

  return {
    ...{ cluster, redis, chart, space, worker, calls, untilStatus, pathOf, eventsOf },
    open: (gate) => writeFileSync(join(gates, `${gate}.open`), ''),
    untilCalled: (gate, times = 1) =>
      until(`${gate} is called ${times} times`, 60_000, () => Promise.resolve(calls(gate).length >= times)),
    patch: async (workflow, spec) => {
      const answer = await cluster.api.call('PATCH', pathOf(workflow), { spec }, 'application/merge-patch+json');
      if (answer.status >= 400) throw new Error(`${workflow}: ${JSON.stringify(answer.body)}`);
    },
    uidOf: async (workflow) => (await readObject(cluster.api, 'Workflow', name, workflow)).metadata.uid,
    delete: async (workflow) => {
      await cluster.api.expect('DELETE', pathOf(workflow));
    },
    untilState: (workflow, state, withinMs) => untilStatus(workflow, (status) => status.state === state, withinMs),
    isThere: async (workflow) => (await cluster.api.call('GET', pathOf(workflow))).status === 200,
    untilEvents: async (workflow, wanted) => {
      let told: readonly string[] = [];
      await until(`events of ${workflow} are told`, 60_000, async () => {
        told = await eventsOf(workflow);
        return told.length >= wanted.length;
      }).catch(() => undefined);
      if (told.join() !== wanted.toSorted().join())
        throw new Error(`of ${workflow} was told ${told.join(', ')} and not ${wanted.join(', ')}`);
    },
    stop: async () => {
      await worker.stop('SIGKILL');
      await Promise.all([cluster.stop(), redis.stop()]);
      rmSync(gates, { recursive: true, force: true });
    },
  };
}
