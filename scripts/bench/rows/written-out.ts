import { collectionPath, resources } from '#io/kube/resource.ts';
import type { KubeApi } from '../../../test/cluster/kube-api.ts';
import { startApiServerProfile } from '../api-server-profile.ts';
import type { Bench } from '../bench.ts';
import { chordOf } from '../canvases.ts';
import { cpuSeconds } from '../process-usage.ts';
import type { Figure, Row, Values } from '../row.ts';

/** Members of a chord, and how many such chords run one after the other. */
interface Size {
  readonly members: number;
  readonly times: number;
}

const sizes: readonly Size[] = [
  { members: 1_000, times: 20 },
  { members: 10_000, times: 4 },
];
const PROFILED_SECONDS = 15;

/** Whose time a chord takes whose members are written one by one: of 10,000, an object of 300 KB, which the API server reads and writes. */
export const writtenOutRow: Row = {
  id: 'written-out',
  figures: () => sizes.flatMap(figuresOf),
  ours: async (bench) => {
    const { feed, options } = bench;
    for (const { members } of sizes) await feed.run(`written-out-warm-${members}`, chordOf(members));
    const profile =
      options.profile === undefined
        ? undefined
        : startApiServerProfile(bench.cluster, options.profile, PROFILED_SECONDS);
    const values: Values[] = [];
    for (const size of sizes) values.push(await measure(bench, size));
    await profile;
    return Object.assign({}, ...values) as Values;
  },
};

/** Milliseconds a chord. */
async function measure(bench: Bench, { members, times }: Size): Promise<Values> {
  const { api, feed, namespace } = bench;
  const spec = chordOf(members);
  const before = await usedBy(bench);
  for (let index = 0; index < times; index += 1) await feed.run(`written-out-${members}-${index}`, spec);
  const after = await usedBy(bench);
  const path = `${collectionPath(resources.workflows, namespace.name)}?dryRun=All`;
  for (let index = 0; index < times; index += 1) {
    const metadata = { name: `written-out-dry-${members}-${index}`, namespace: namespace.name };
    await api.expect('POST', path, { apiVersion: 'arpeggio.dev/v1alpha1', kind: 'Workflow', metadata, spec });
  }
  const post = (await apiServerSeconds(api)) - (after['apiServer'] ?? 0);
  const used = Object.entries(after).map(([whose, seconds]) => [whose, seconds - (before[whose] ?? 0)] as const);
  return Object.fromEntries(
    [['post', post] as const, ...used].map(([whose, seconds]) => [keyOf(whose, members), (seconds / times) * 1000]),
  );
}

function figuresOf({ members }: Size): readonly Figure[] {
  const figure = (whose: string, whom: string): Figure => {
    const what = `chord of ${members.toLocaleString('en-US')} written out, processor time: ${whom}`;
    return { key: keyOf(whose, members), what, unit: 'ms', better: 'Lower' };
  };
  return [
    {
      ...figure('post', 'API server, its POST as a dry run'),
      note: 'reading, pruning and validating it by the schema, without etcd and watches',
    },
    figure('apiServer', 'API server in all, from the POST to the end'),
    figure('operator', 'operator'),
    figure('worker', 'worker'),
    figure('redis', 'Redis'),
  ];
}

function keyOf(whose: string, members: number): string {
  return `${whose}${members}`;
}

/** Seconds so far. */
async function usedBy({ api, operatorPid, workerPid, redis }: Bench): Promise<Values> {
  const cpu = await redis.info('cpu');
  const redisSeconds = [...cpu.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].reduce(
    (sum, [, text]) => sum + Number(text),
    0,
  );
  return {
    operator: cpuSeconds(operatorPid),
    worker: cpuSeconds(workerPid),
    redis: redisSeconds,
    apiServer: await apiServerSeconds(api),
  };
}

/** By its own count. */
async function apiServerSeconds(api: KubeApi): Promise<number> {
  const { body } = await api.call('GET', '/metrics');
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(String(body))?.[1]);
}
