import { writeFileSync } from 'node:fs';
import { startLocalRedis } from '../test/support/redis-process.ts';
import { startBench } from './bench/bench.ts';
import { startCeleryPeer } from './bench/celery-peer.ts';
import { machine } from './bench/machine.ts';
import { parseOptions, usage, UsageError } from './bench/options.ts';
import { progress } from './bench/progress.ts';
import type { BenchOptions } from './bench/bench-options.ts';
import type { Row, Values } from './bench/row.ts';
import { rows } from './bench/rows.ts';
import { isMet, ratioOf, tableText, type Measured } from './bench/table.ts';
import { installPrerequisites } from './prerequisites.ts';

type Results = Map<string, Values>;

/** Measures row by row; a row that fails is told and left out. */
async function measure(whose: string, chosen: readonly Row[], one: (row: Row) => Promise<Values>): Promise<Results> {
  const results: Results = new Map();
  for (const row of chosen) {
    progress(`${whose}: ${row.id}`);
    try {
      results.set(row.id, await one(row));
    } catch (error) {
      progress(
        `${whose}: ${row.id} FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      process.exitCode = 1;
    }
  }
  return results;
}

async function ours(options: BenchOptions, chosen: readonly Row[]): Promise<Results> {
  const redis = await startLocalRedis();
  const bench = await startBench(options, redis.url);
  try {
    return await measure('Arpeggio', chosen, (row) => row.ours(bench));
  } finally {
    await bench.stop();
    await redis.stop();
  }
}

/** After ours and without the cluster, the operator and our worker beside it: the machine is Celery's alone. */
async function theirs(options: BenchOptions, chosen: readonly Row[]): Promise<Results> {
  const comparable = chosen.filter(({ peer }) => peer !== undefined);
  if (!options.withPeer || comparable.length === 0) return new Map();
  progress('starting Celery');
  const redis = await startLocalRedis();
  const peer = await startCeleryPeer(options, redis.url);
  try {
    return await measure('Celery', comparable, (row) => row.peer?.(peer) ?? Promise.resolve({}));
  } finally {
    await peer.stop();
    await redis.stop();
  }
}

function measuredOf(options: BenchOptions, chosen: readonly Row[], results: Results, peers: Results): Measured[] {
  return chosen.flatMap((row) =>
    row.figures(options).map((figure) => {
      const peer = peers.get(row.id)?.[figure.key];
      const value = results.get(row.id)?.[figure.key] ?? Number.NaN;
      return { figure, ours: value, ...(peer === undefined ? {} : { peer }) };
    }),
  );
}

function chosenRows({ only, withHeavy }: BenchOptions): readonly Row[] {
  const unknown = only.filter((id) => rows.every((row) => row.id !== id));
  if (unknown.length > 0) {
    throw new UsageError(`no row is called ${unknown.join(', ')}; there are: ${rows.map(({ id }) => id).join(', ')}`);
  }
  if (only.length > 0) return rows.filter(({ id }) => only.includes(id));
  return withHeavy ? rows : rows.filter(({ isHeavy }) => isHeavy !== true);
}

async function main(): Promise<void> {
  const { options, isList } = parseOptions(process.argv.slice(2));
  if (isList) {
    for (const { id } of rows) console.log(id);
    return;
  }
  const chosen = chosenRows(options);
  const missing = await installPrerequisites(['integration']);
  if (missing.length > 0) throw new UsageError(missing.join('\n'));
  const results = await ours(options, chosen);
  const measured = measuredOf(options, chosen, results, await theirs(options, chosen));
  const { cpu, cores, memoryGb, node, redis } = machine();
  console.log(`${cores} × ${cpu}, ${memoryGb} GB; Node ${node}, Redis ${redis}, Celery 5.7.0 (prefork, 2 processes)\n`);
  console.log(tableText(measured));
  if (options.json !== undefined) {
    const figures = measured.map((each) => {
      const { figure, ours: value, peer } = each;
      return { ...figure, ours: value, peer, ratio: ratioOf(each), met: isMet(each) };
    });
    writeFileSync(options.json, `${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
