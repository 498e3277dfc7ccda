import { KubeConfig } from '@kubernetes/client-node';
import { Redis } from 'ioredis';
import { KubeClient } from '#io/kube/client.ts';
import { startApiCluster, type ApiCluster } from '../../test/cluster/api-level.ts';
import type { KubeApi } from '../../test/cluster/kube-api.ts';
import { installChart } from '../../test/support/chart.ts';
import { openTestNamespace, type TestNamespace } from '../../test/support/namespace.ts';
import { progress } from './progress.ts';
import { OperatorSeat } from './operator-seat.ts';
import { bundlePrograms, startWorkerProcess } from './programs.ts';
import type { BenchOptions } from './bench-options.ts';
import { WorkflowFeed } from './workflow-feed.ts';

/** Wire names of the queues: the worker serves the first; the second is served by the benchmark itself. */
export const benchQueue = 'bench';
export const probeQueue = 'bench-probe';

/** Arpeggio as it runs in production: API server, Redis, operator and worker are processes of their own. */
export type Bench = {
  readonly options: BenchOptions;
  readonly cluster: ApiCluster;
  readonly api: KubeApi;
  readonly client: KubeClient;
  readonly namespace: TestNamespace;
  readonly feed: WorkflowFeed;
  readonly redisUrl: string;
  readonly redis: Redis;
  readonly operators: OperatorSeat;
  /** Of the operator that leads now. */
  readonly operatorPid: number;
  readonly workerPid: number;
  stop(): Promise<void>;
};

type Undo = () => unknown;

export async function startBench(options: BenchOptions, redisUrl: string): Promise<Bench> {
  const undo: Undo[] = [];
  async function stop(): Promise<void> {
    for (const step of undo.reverse()) await step();
  }
  try {
    return await start(options, redisUrl, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: BenchOptions, redisUrl: string, undo: Undo[], stop: () => Promise<void>): Promise<Bench> {
  progress('bundling the programs');
  await bundlePrograms();
  progress('starting a Kubernetes API server');
  const cluster = await startApiCluster();
  undo.push(() => cluster.stop());
  const chart = await installChart(cluster);
  const redis = new Redis(redisUrl);
  undo.push(() => redis.disconnect());
  const namespace = await openTestNamespace(cluster.api, 'bench', redisUrl);
  await namespace.create('TaskQueue', 'default', { queueName: benchQueue });
  await namespace.create('TaskQueue', 'probe', { queueName: probeQueue });
  await namespace.create('WorkerPool', 'bench', { queues: ['default'], replicas: 0, concurrency: options.concurrency });
  progress('starting the operator and a worker');
  const operators = await OperatorSeat.open(chart, options);
  undo.push(() => operators.stop());
  const place = { api: cluster.api, namespace: 'bench', pool: 'bench', redis, redisUrl, queue: benchQueue };
  const worker = await startWorkerProcess(place, options);
  undo.push(() => worker.stop());
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.kubeconfigPath);
  const client = new KubeClient(kubeConfig);
  undo.push(() => client.close());
  const feed = new WorkflowFeed(client, 'bench');
  undo.push(() => feed.close());
  const parts = { options, cluster, api: cluster.api, client, namespace, feed, redisUrl, redis, operators };
  return {
    ...parts,
    get operatorPid() {
      return operators.pid;
    },
    workerPid: worker.pid,
    stop,
  };
}
