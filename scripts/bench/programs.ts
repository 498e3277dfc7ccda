import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { until, type KubeApi } from '../../test/cluster/kube-api.ts';
import { startBoundProcess, type BoundProcess } from '../../test/support/bound-process.ts';
import type { InstalledChart } from '../../test/support/chart.ts';
import { freePort } from '../../test/support/free-port.ts';
import { outsideEnvironment } from '../../test/support/operator.ts';
import { ROOT, runQuietly } from '../command.ts';
import type { BenchOptions } from './bench-options.ts';

const READY_WITHIN_MS = 30_000;
/** Apart from `dist`, which another command may be reading. */
const bundles = join(ROOT, 'node_modules', '.cache', 'arpeggio', 'bench');

/** Bundles both programs as the images hold them. */
export async function bundlePrograms(): Promise<void> {
  const { code, output } = await runQuietly({ name: 'bundle', argv: ['node', 'scripts/bundle.ts', bundles] });
  if (code !== 0) throw new Error(`the programs could not be bundled: ${output}`);
}

/** The operator as a process of its own, with the chart's role and settings; resolves when it is ready. Each has a pod's name of its own. */
export async function startOperatorProcess(
  chart: InstalledChart,
  podName: string,
  options: BenchOptions,
): Promise<BoundProcess> {
  const port = await freePort();
  const operator = startBoundProcess(programOf('operator', options), {
    cwd: ROOT,
    env: {
      ...outsideEnvironment(chart),
      KUBECONFIG: chart.kubeconfigPath,
      ARPEGGIO_HEALTH_PORT: String(port),
      ARPEGGIO_POD_NAME: podName,
      NODE_ENV: 'production',
    },
  });
  await started('the operator', operator, async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
  return operator;
}

export type WorkerPlace = {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly pool: string;
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly queue: string;
};

/** One worker of a pool as a process of its own, beside a pod that stands for it in the cluster. */
export async function startWorkerProcess(place: WorkerPlace, options: BenchOptions): Promise<BoundProcess> {
  const name = `${place.pool}-outside`;
  const uid = await standIn(place, name);
  const worker = startBoundProcess(programOf('worker', options), {
    cwd: ROOT,
    env: {
      ARPEGGIO_BROKER_URL: place.redisUrl,
      ARPEGGIO_RESULTS_URL: place.redisUrl,
      ARPEGGIO_QUEUES: place.queue,
      ARPEGGIO_CONCURRENCY: String(options.concurrency),
      ARPEGGIO_POOL: place.pool,
      ARPEGGIO_DRAIN_SECONDS: '5',
      ARPEGGIO_TASKS: join(ROOT, 'scripts', 'bench', 'bench-tasks.mjs'),
      ARPEGGIO_POD_NAME: name,
      ARPEGGIO_POD_UID: uid,
      ARPEGGIO_POD_NAMESPACE: place.namespace,
      ARPEGGIO_HEALTH_PORT: String(await freePort()),
      ARPEGGIO_LOG_LEVEL: 'warn',
      NODE_ENV: 'production',
    },
  });
  await started('the worker', worker, async () => (await place.redis.keys(`arp:w:${uid}.*`)).length > 0);
  return worker;
}

/** The operator asks the cluster whether a worker's pod lives: there has to be one. Returns its UID. */
async function standIn({ api, namespace, pool }: WorkerPlace, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const labels = { 'arpeggio.dev/pool': pool, 'app.kubernetes.io/managed-by': 'arpeggio' };
  const spec = { containers: [{ name: 'worker', image: 'stands-for-a-process' }] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec };
  const made = (await api.expect('POST', path, pod)) as { metadata: { uid: string } };
  return made.metadata.uid;
}

function programOf(folder: 'operator' | 'worker', { profile }: BenchOptions): [string, ...string[]] {
  const profiled = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, folder)}`];
  // As their images start them.
  const usual = folder === 'worker' ? ['--enable-source-maps'] : ['--max-semi-space-size=16'];
  return [process.execPath, ...usual, ...profiled, join(bundles, folder, 'main.mjs')];
}

async function started(what: string, program: BoundProcess, holds: () => Promise<boolean>): Promise<void> {
  try {
    await until(`${what} is ready`, READY_WITHIN_MS, async () => {
      if (program.child.exitCode !== null) return false;
      return holds();
    });
  } catch (error) {
    await program.stop(0);
    throw new Error(`${String(error)}; it said: ${program.output()}`, { cause: error });
  }
  // The first seconds of any program are spent compiling what it is about to run.
  await sleep(500);
}
