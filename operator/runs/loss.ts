import type { StoredRun } from '#core/workflow/advance.ts';
import { recoverValues } from '#core/workflow/recover-values.ts';
import { recoveredRun } from '#core/workflow/recover.ts';
import type { RunMemory } from './run-memory.ts';
import type { Turn } from './turn.ts';

/** What is to stand where the store lost data of a run that is known here; undefined where it lost none. */
export function lossOf({ plan, head, known, nowTicks }: RunMemory, stored: StoredRun | undefined): Turn | undefined {
  if (stored === undefined || isOlder(stored, head)) {
    return { did: 'Lost', recovered: recoveredRun(plan, known, nowTicks) };
  }
  const recovered = recoverValues(plan, stored, { nowTicks, remembered: known });
  return recovered === undefined ? undefined : { did: 'Lost', recovered };
}

export function isOlder(stored: StoredRun, { rev }: StoredRun['head']): boolean {
  return stored.head.rev < rev;
}
