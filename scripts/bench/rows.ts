import type { Row } from './row.ts';
import { chainRow } from './rows/chain.ts';
import { fairRow } from './rows/fair.ts';
import { fanOutRow } from './rows/fan-out.ts';
import { idleRow } from './rows/idle.ts';
import { leaderRow } from './rows/leader.ts';
import { liveRow } from './rows/live.ts';
import { manyRow } from './rows/many.ts';
import { mapRow } from './rows/map.ts';
import { sameMomentRow } from './rows/same-moment.ts';
import { scaleUpRow } from './rows/scale-up.ts';
import { stepRow } from './rows/step.ts';
import { throughputRow } from './rows/throughput.ts';
import { timersRow } from './rows/timers.ts';
import { writesRow } from './rows/writes.ts';
import { writtenOutRow } from './rows/written-out.ts';

/** In the order in which they are measured: what wants a fresh operator first, the memory after all work late, what needs a new operator last. */
export const rows: readonly Row[] = [
  idleRow,
  stepRow,
  chainRow,
  fanOutRow,
  writtenOutRow,
  throughputRow,
  fairRow,
  writesRow,
  scaleUpRow,
  timersRow,
  mapRow,
  manyRow,
  sameMomentRow,
  leaderRow,
  liveRow,
];
