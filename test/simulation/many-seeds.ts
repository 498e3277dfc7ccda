import { Worker } from 'node:worker_threads';
import { emptyTally, merge, type Tally } from './report.ts';
import type { Share } from './seed-thread.ts';

export interface ManySeeds {
  readonly from: number;
  readonly count: number;
  /** Threads, each with its share of the seeds. Default 2. */
  readonly threads?: number;
  readonly endsAtFailure?: boolean;
  readonly twice?: boolean;
  /** Redis may forget, in part or wholly. */
  readonly forgets?: boolean;
  /** Every world has a pool; else a share of them has. */
  readonly pools?: boolean;
  readonly bug?: string;
  /** With `bug`: the same worlds without it. Default no. */
  readonly isHealthy?: boolean;
  /** Told now and then how far it is. */
  readonly told?: (tally: Tally) => void;
}

/** Threads are made anew after so many seeds: a world leaves a little of itself behind in a thread. */
const seedsPerBatch = 5_000;

/** Runs many seeds in threads of their own, in which real time and chance are trapped. */
export async function runSeeds(many: ManySeeds): Promise<Tally> {
  const whole = emptyTally();
  const end = many.from + many.count;
  for (let from = many.from; from < end; from += seedsPerBatch) {
    await runBatch({ ...many, from, count: Math.min(seedsPerBatch, end - from) }, whole);
    if (many.endsAtFailure === true && whole.failures.length > 0) break;
  }
  return whole;
}

async function runBatch(many: ManySeeds, whole: Tally): Promise<void> {
  const {
    from,
    count,
    threads = 2,
    endsAtFailure = false,
    twice = false,
    forgets = false,
    pools = false,
    bug,
    isHealthy = false,
    told,
  } = many;
  const workers = Array.from({ length: Math.min(threads, count) }, (_, i) => {
    const share: Share = {
      from: from + i,
      to: from + count,
      step: threads,
      endsAtFailure,
      twice,
      forgets,
      pools,
      bug,
      isHealthy,
    };
    return new Worker(new URL('./seed-thread.ts', import.meta.url), { workerData: share });
  });
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on('message', (tally: Tally) => {
            merge(whole, tally);
            told?.(whole);
            if (endsAtFailure && whole.failures.length > 0) for (const each of workers) void each.terminate();
          });
          worker.on('error', reject);
          worker.on('exit', () => resolve());
        }),
    ),
  );
}
