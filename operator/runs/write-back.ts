import { shardOf } from '#core/base/task-id.ts';
import type { StoredRun } from '#core/workflow/advance.ts';
import type { RecoveredRun } from '#core/workflow/recover.ts';
import { RunStoreUnavailable, type RunKey } from '#io/runs/run-store.ts';
import { mostTakings } from './found-run.ts';
import type { RunPorts } from './run-ports.ts';
import type { Shards } from './shards.ts';

/** Times that a run was written back after its Redis had lost data of it, and what ran again for it. */
export interface Losses {
  readonly times: number;
  readonly sentAgain: number;
  readonly runAgain: number;
}

export const noLosses: Losses = { times: 0, sentAgain: 0, runAgain: 0 };

export function lossesTogether(one: Losses, other: Losses): Losses {
  return {
    times: one.times + other.times,
    sentAgain: one.sentAgain + other.sentAgain,
    runAgain: one.runAgain + other.runAgain,
  };
}

/** What stands now, and what that cost; where something newer stood, it is taken, and costs nothing. */
export interface WrittenBack {
  readonly stored: StoredRun;
  readonly losses: Losses;
}

/**
 * Writes a run back of which its Redis lost data. Takes its shard where another operator did; `AnotherLeads` where that
 * one leads. Throws `RunStoreUnavailable`, also while two operators that think they lead take it from each other.
 */
export async function writeBack(
  run: RunKey,
  { run: stored, sentAgain, runAgain }: RecoveredRun,
  { store, shards, log, isLeading }: Pick<RunPorts, 'store' | 'log' | 'isLeading'> & { readonly shards: Shards },
): Promise<WrittenBack | 'AnotherLeads'> {
  const shard = shardOf(run.run48);
  for (let attempt = 0; attempt < mostTakings; attempt += 1) {
    const answer = await store.restore(run, { ...stored, fence: shards.fence(shard) });
    if (answer.ok) {
      log.warn({ workflow: run.uid, round: stored.head.round, sentAgain, runAgain }, 'wrote a run back that lost data');
      return { stored, losses: { times: 1, sentAgain, runAgain } };
    }
    if (answer.refusal === 'StaleRev') return { stored: answer.stored, losses: noLosses };
    if (!isLeading()) return 'AnotherLeads';
    await shards.take(shard);
  }
  throw new RunStoreUnavailable(`another operator took shard ${shard} each time that it was taken back`);
}
