import type { Plan } from '#core/canvas/plan.ts';
import type { StoredRun } from './advance.ts';
import { forEachTaskSlot } from './layout.ts';
import { draftOf, runMissingAgain, type Draft } from './mending.ts';
import { recoveredRun, type RecoveredRun } from './recover.ts';
import { hasEnded, slotBytes, slotStateAt, type Slots } from './slots.ts';
import { isSameMember } from './unfolded.ts';

export interface ValueLoss {
  readonly nowTicks: number;
  /** What an operator knows of the run that drove it: results that it still has are put back. */
  readonly remembered?: StoredRun | undefined;
  /** Slots of tasks whose results were found to be gone. Default: whatever is needed and not there is found. */
  readonly lost?: ReadonlySet<number>;
}

/**
 * For a run of which nothing is lost but results: what is still needed and nobody has runs again, within the round, each
 * task at most `limits.lostAttempts` times. Where that changes what a map goes over, whose members would have the ids of
 * others, it runs in a further round. Undefined when nothing is missing, or when there are no more rounds.
 */
export function recoverValues(
  plan: Plan,
  known: StoredRun,
  { nowTicks, remembered, lost = new Set() }: ValueLoss,
): RecoveredRun | undefined {
  if (lost.size === 0 && !lacksResults(plan, known)) return undefined;
  const draft = draftOf(plan, known);
  const putBack = remembered === undefined ? 0 : putResultsBack(draft, remembered);
  const kept = new Map(draft.kept);
  const runAgain = runMissingAgain(plan, draft, { ...known.head, isSameRound: true, nowTicks, lost });
  if (runAgain + putBack === 0) return undefined;
  if (draft.maps.size < known.maps.size) return recoveredRun(plan, { ...known, kept }, nowTicks, lost);
  const head = { ...known.head, rev: known.head.rev + 1 };
  return { run: { ...known, ...draft, head }, runAgain, sentAgain: 0 };
}

/** Whether any result is missing that was kept: most runs need no closer look. */
function lacksResults(plan: Plan, { slots, kept, maps }: StoredRun): boolean {
  let lacks = false;
  forEachTaskSlot(plan, maps, ({ valueWanted }, _member, at) => {
    lacks ||= valueWanted && slotStateAt(slots, at) === 'Succeeded' && !kept.has(at);
  });
  return lacks;
}

/** Results of tasks that stand as the operator knew them. Returns how many. */
function putResultsBack(draft: Draft, remembered: StoredRun): number {
  let count = 0;
  for (const [at, text] of remembered.kept) {
    if (draft.kept.has(at) || !isSameSlot(draft.slots, remembered.slots, at)) continue;
    if (!isSameMember(at, draft.maps, remembered.maps)) continue;
    draft.kept.set(at, text);
    count += 1;
  }
  return count;
}

function isSameSlot(one: Slots, other: Slots, at: number): boolean {
  if (!hasEnded(slotStateAt(one, at))) return false;
  for (let byte = at * slotBytes; byte < (at + 1) * slotBytes; byte += 1) if (one[byte] !== other[byte]) return false;
  return true;
}
