import { run48Of, shardOf } from '#core/base/task-id.ts';
import type { RecoveredRun } from '#core/workflow/recover.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import type { FoundRun } from './found-run.ts';
import type { HomeClock } from './home-clock.ts';
import { recoveryOf, type KnownRun } from './recovery.ts';
import type { Losses } from './run-driver.ts';
import type { RunPorts } from './run-ports.ts';
import type { Shards } from './shards.ts';

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
 * for that. Throws `RunStoreUnavailable`, and an Error when another operator has the run's shard.
 */
export async function mendedRun(
  known: KnownRun,
  found: FoundRun | undefined,
  ports: MendingPorts,
): Promise<MendedRun | undefined> {
  const recovery = recoveryOf(known, found?.stored, ports.home.nowMs());
  if (recovery === 'Whole') return found;
  return recovery === 'Lost' ? undefined : writeBack(keyOf(known, found), recovery, ports);
}

function keyOf({ uid, shown, remembered }: KnownRun, found: FoundRun | undefined): RunKey {
  return found?.run ?? remembered?.key ?? { uid, run48: shown?.run48 ?? run48Of(uid) };
}

async function writeBack(run: RunKey, recovered: RecoveredRun, ports: MendingPorts): Promise<MendedRun> {
  const { run: stored, sentAgain, runAgain } = recovered;
  const { store, shards, log, isLeading } = ports;
  const shard = shardOf(run.run48);
  const answer = await store.restore(run, { ...stored, fence: shards.fence(shard) });
  if (answer.ok) {
    log.warn({ workflow: run.uid, round: stored.head.round, sentAgain, runAgain }, 'mended a run that lost data');
    return { ok: true, run, stored, isNew: false, losses: { times: 1, sentAgain, runAgain } };
  }
  if (answer.refusal === 'StaleRev') return { ok: true, run, stored: answer.stored, isNew: false };
  if (isLeading()) await shards.take(shard);
  throw new Error(`Workflow ${run.uid}: another operator took its shard`);
}
