import { parentPort, workerData } from 'node:worker_threads';
import { count, emptyTally } from './report.ts';
import { runSeed } from './seed-run.ts';
import { setTraps } from './kernel/traps.ts';
import { plantedBugs } from './planted-bugs.ts';

/** What one thread is to do. Seeds `from`, `from + step`, … below `to`. */
export interface Share {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Ends at the first failure. */
  readonly endsAtFailure: boolean;
  /** Each seed twice: both must give one hash. */
  readonly twice: boolean;
  /** Redis may forget. */
  readonly forgets: boolean;
  /** Every world has a pool. */
  readonly pools: boolean;
  /** Name of a planted bug. */
  readonly bug?: string | undefined;
  /** The worlds that show the bug, without it. */
  readonly isHealthy: boolean;
}

/** After so many seeds a thread tells how far it is. */
const tellEvery = 500;

const share = workerData as Share;
const port = parentPort!;
const restore = setTraps();
Error.stackTraceLimit = 4;
const planted = share.bug === undefined ? {} : plantedBugs[share.bug]!.options;
const options = {
  ...planted,
  ...(share.isHealthy
    ? { ports: undefined, asked: undefined, reader: undefined, kube: undefined, lease: undefined, spoil: undefined }
    : {}),
  forgets: share.forgets,
  ...(share.pools ? { pools: true } : {}),
};
let tally = emptyTally();
for (let seed = share.from; seed < share.to; seed += share.step) {
  const result = await runSeed(seed, options);
  count(tally, result);
  if (share.twice) {
    const again = await runSeed(seed, options);
    if (again.hash !== result.hash) {
      tally.failures.push({ seed, violation: 'two runs of the seed went different ways', faults: [] });
    }
  }
  if (tally.failures.length > 0 && share.endsAtFailure) break;
  if (tally.seeds < tellEvery) continue;
  port.postMessage(tally);
  tally = emptyTally();
}
restore();
port.postMessage(tally);
port.close();
