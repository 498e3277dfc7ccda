import { parseArgs } from 'node:util';
import { setTraps } from './kernel/traps.ts';
import { plantedBugs } from './planted-bugs.ts';
import { runSeeds } from './many-seeds.ts';
import { neverMet } from './oracle/coverage.ts';
import type { Tally } from './report.ts';
import { runSeed } from './seed-run.ts';
import { shrunkScript } from './shrink.ts';

const usage = `usage: npm run simulate -- [options]
  --seeds N     how many seeds (default 10000)
  --from S      the first of them (default 1)
  --threads T   threads (default 2)
  --seed S      this seed alone; with --trace a timeline of all that happens in it
  --only F,…    with --seed: only these faults, as a shrunk script names them
  --pools       every world has a pool that the operator scales; else a share of them has
  --forgets     only worlds whose Redis may lose data: the last second, what a replica lacked, or everything
  --bug NAME    with a planted bug: ${Object.keys(plantedBugs).join(', ')}`;

const values = readOptions();
const { bug, forgets, pools } = values;
const planted = {
  ...(bug === undefined ? {} : (plantedBugs[bug]?.options ?? failUsage(`no bug is ${bug}`))),
  forgets,
  ...(pools ? { pools } : {}),
};

if (values.help) console.log(usage);
else if (values.seed !== undefined) await showSeed(whole('seed', values.seed), values.trace, values.only);
else await runMany(whole('seeds', values.seeds), whole('from', values.from), whole('threads', values.threads));

function readOptions() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: '10000' },
        from: { type: 'string', default: '1' },
        threads: { type: 'string', default: '2' },
        seed: { type: 'string' },
        only: { type: 'string' },
        bug: { type: 'string' },
        forgets: { type: 'boolean', default: false },
        pools: { type: 'boolean', default: false },
        trace: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return failUsage((error as Error).message);
  }
}

function whole(option: string, text: string): number {
  return /^[1-9]\d*$/.test(text) ? Number(text) : failUsage(`--${option} is ${text}; give a whole number from 1`);
}

async function runMany(count: number, from: number, threads: number): Promise<void> {
  const begunMs = performance.now();
  let toldMs = begunMs;
  let shown = 0;
  const tally = await runSeeds({
    from,
    count,
    threads,
    forgets,
    pools,
    ...(bug === undefined ? {} : { bug }),
    told: ({ seeds, failures }) => {
      for (const { seed, violation } of failures.slice(shown)) console.log(`seed ${seed}: ${violation}`);
      shown = failures.length;
      if (performance.now() - toldMs < 10_000) return;
      toldMs = performance.now();
      console.log(`${seeds} of ${count} seeds, ${failures.length} failed, ${rateOf(seeds, begunMs)} seeds/s`);
    },
  });
  showTally(tally);
  for (const { seed, violation } of tally.failures.slice(0, 5)) await showFailure(seed, violation);
  const left = tally.failures.length - 5;
  if (left > 0)
    console.log(
      `and ${left} more: ${tally.failures
        .slice(5, 30)
        .map(({ seed }) => seed)
        .join(', ')}${left > 25 ? ', …' : ''}`,
    );
  const { seeds, failures } = tally;
  console.log(`\n${seeds - failures.length} of ${seeds} seeds kept every promise; ${rateOf(seeds, begunMs)} seeds/s`);
  process.exitCode = failures.length === 0 && seeds === count ? 0 : 1;
}

function rateOf(seeds: number, begunMs: number): string {
  return ((seeds / (performance.now() - begunMs)) * 1_000).toFixed(0);
}

function showTally({ seeds, happenings, virtualMs, faults, coverage }: Tally): void {
  const sorted = (counts: Readonly<Record<string, number>>): [string, number][] =>
    Object.entries(counts).sort(([, a], [, b]) => b - a);
  console.log('\nfaults that struck');
  for (const [kind, times] of sorted(faults)) console.log(`  ${String(times).padStart(9)}  ${kind}`);
  console.log('\nstates and what came of them');
  for (const [pair, times] of sorted(coverage)) console.log(`  ${String(times).padStart(9)}  ${pair}`);
  const never = neverMet(faults, coverage);
  if (never.length > 0) console.log(`\nnever met: ${never.join(', ')}`);
  const perSeed = (happenings / Math.max(1, seeds)).toFixed(0);
  console.log(`\n${perSeed} happenings a seed, ${(virtualMs / 3_600_000).toFixed(1)} hours of virtual time in all`);
}

async function showFailure(seed: number, violation: string): Promise<void> {
  const { struck } = await trapped(() => runSeed(seed, planted));
  const script = await trapped(() => shrunkScript(seed, struck, planted));
  console.log(`\nseed ${seed} breaks a promise\n  ${violation}`);
  console.log(`  with ${script.length === 0 ? 'no fault at all' : `${script.length} of its ${struck.length} faults:`}`);
  for (const key of script) console.log(`    ${key}`);
  const world = `${forgets ? ' --forgets' : ''}${pools ? ' --pools' : ''}${bug === undefined ? '' : ` --bug ${bug}`}`;
  console.log(`  npm run simulate -- --seed ${seed}${world} --trace --only '${script.join(',')}'`);
}

async function showSeed(seed: number, isTraced: boolean, only: string | undefined): Promise<void> {
  const script = only === undefined ? undefined : new Set(only.split(',').filter((key) => key !== ''));
  const tell = (atMs: number, who: string, what: string): void =>
    console.log(`${(atMs / 1_000).toFixed(4).padStart(10)} s  ${who.padEnd(11)} ${what}`);
  const result = await trapped(() => runSeed(seed, { ...planted, only: script, tell: isTraced ? tell : undefined }));
  for (const { key, atMs } of result.struck) console.log(`fault ${key} at ${(atMs / 1_000).toFixed(4)} s`);
  console.log(`hash ${result.hash.toString(16)}, ${result.happenings} happenings`);
  console.log(result.violation ?? 'every promise was kept');
  process.exitCode = result.violation === undefined ? 0 : 1;
}

function failUsage(why: string): never {
  console.error(`${why}\n${usage}`);
  process.exit(2);
}

async function trapped<T>(call: () => Promise<T>): Promise<T> {
  const restore = setTraps();
  try {
    return await call();
  } finally {
    restore();
  }
}
