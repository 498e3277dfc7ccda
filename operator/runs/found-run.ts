import { run48Of, shardOf } from '#core/base/task-id.ts';
import { planVersion } from '#core/canvas/plan.ts';
import type { BeginAnswer } from '#io/runs/run-store.ts';
import { NotBegun } from './not-begun.ts';
import type { RunPorts } from './run-ports.ts';
import type { Shards } from './shards.ts';

/** A run as its home has it. */
export type FoundRun = Extract<BeginAnswer, { ok: true }>;

/** Two that think they lead must not take a shard from each other without end. */
export const mostTakings = 3;

/**
 * Creates the run in its home or finds it there; undefined when it must exist and does not. Takes its shard where another
 * operator did. Throws `RunStoreUnavailable`, and `NotBegun` where another operator leads.
 */
export async function foundRun(
  order: { readonly uid: string; readonly digest: string; readonly mustExist: boolean },
  { store, shards, isLeading }: Pick<RunPorts, 'store' | 'isLeading'> & { readonly shards: Shards },
): Promise<FoundRun | undefined> {
  const shard = shardOf(run48Of(order.uid));
  for (let attempt = 0; attempt < mostTakings; attempt += 1) {
    const answer = await store.begin({ ...order, planVersion, fence: shards.fence(shard) });
    if (answer.ok) return answer;
    if (answer.refusal === 'HeadMissing') return undefined;
    if (!isLeading()) break;
    await shards.take(shard);
  }
  throw new NotBegun(`Workflow ${order.uid}: another operator leads`);
}
