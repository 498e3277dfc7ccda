import { run48Of } from '#core/base/task-id.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import type { FoundRun } from './found-run.ts';
import type { HomeClock } from './home-clock.ts';
import { recoveryOf, type KnownRun } from './recovery.ts';
import { NotBegun } from './not-begun.ts';
import type { RunPorts } from './run-ports.ts';
import type { Shards } from './shards.ts';
import { writeBack, type Losses } from './write-back.ts';

/** A run as the store has it from here on, and what it cost to make it so. */
export interface MendedRun extends FoundRun {
  readonly losses?: Losses;
}

export interface MendingPorts extends Pick<RunPorts, 'store' | 'log' | 'isLeading'> {
  readonly shards: Shards;
  readonly home: Pick<HomeClock, 'nowMs'>;
}

/**
 * What was found of a run in its store, once what the store lost of it is written back; undefined when too little is known
 * for that. Throws `RunStoreUnavailable`, and `NotBegun` when another operator has the run's shard.
 */
export async function mendedRun(
  known: KnownRun,
  found: FoundRun | undefined,
  ports: MendingPorts,
): Promise<MendedRun | undefined> {
  const recovery = recoveryOf(known, found?.stored, ports.home.nowMs());
  if (recovery === 'Whole') return found;
  if (recovery === 'Lost') return undefined;
  const run = keyOf(known, found);
  const written = await writeBack(run, recovery, ports);
  if (written === 'AnotherLeads') throw new NotBegun(`Workflow ${run.uid}: another operator took its shard`);
  return { ok: true, run, isNew: false, ...written };
}

function keyOf({ uid, shown, remembered }: KnownRun, found: FoundRun | undefined): RunKey {
  return found?.run ?? remembered?.key ?? { uid, run48: shown?.run48 ?? run48Of(uid) };
}
