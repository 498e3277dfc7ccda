import { planVersion, type Plan } from '#core/canvas/plan.ts';
import type { StoredRun } from '#core/workflow/advance.ts';
import type { Checkpoint } from '#core/workflow/checkpoint.ts';
import { recoverValues } from '#core/workflow/recover-values.ts';
import { recoveredRun, recoverFromStatus, type RecoveredRun } from '#core/workflow/recover.ts';
import { ticksSince } from '#core/workflow/slots.ts';
import type { RunKey } from '#io/runs/run-store.ts';

/** A run as its Workflow's status tells of it: what an operator has that never drove it. */
export interface ShownRun {
  readonly run48: string;
  readonly rev: number;
  readonly round: number;
  /** Tasks that were in flight. */
  readonly running: number;
  readonly checkpoint: Checkpoint | undefined;
}

/** A run as an engine knew it when it closed. */
export interface RememberedRun {
  readonly key: RunKey;
  readonly stored: StoredRun;
}

/** What is known of a run beside what its store has. */
export interface KnownRun {
  readonly uid: string;
  readonly plan: Plan;
  readonly digest: string;
  readonly shown?: ShownRun | undefined;
  readonly remembered?: RememberedRun | undefined;
}

/** `Whole`: nothing was lost that is needed. `Lost`: so much that nothing can be done. */
export type Recovery = 'Whole' | 'Lost' | RecoveredRun;

/** Compares what the store has with what is known: by the revision alone, which every change raises. */
export function recoveryOf(known: KnownRun, found: StoredRun | undefined, nowMs: number): Recovery {
  if (found !== undefined && !isOfSpec(known, found)) return 'Whole';
  if (found !== undefined && isWhole(known, found)) return recoveryOfValues(known, found, nowMs);
  const { plan, shown, remembered } = known;
  const shownRev = shown?.rev ?? 0;
  // Whoever drove the run knows all of it; status tells what it can to others.
  if (remembered !== undefined && remembered.stored.head.rev >= shownRev) {
    return recoveryOfMemory(plan, remembered.stored, nowMs);
  }
  return shown === undefined ? 'Lost' : recoveryFromStatus(known, shown, found, nowMs);
}

function recoveryOfMemory(plan: Plan, stored: StoredRun, nowMs: number): Recovery {
  return recoveredRun(plan, stored, ticksSince(stored.head.begunAtMs, nowMs)) ?? 'Lost';
}

/** A run of another spec or of another version's plan is left alone as it is. */
function isOfSpec({ digest }: KnownRun, { head }: StoredRun): boolean {
  return head.digest === digest && head.planVersion === planVersion;
}

/** At its revision, but perhaps without a value that someone removed or evicted. */
function recoveryOfValues({ plan, remembered }: KnownRun, found: StoredRun, nowMs: number): Recovery {
  const { rev, begunAtMs } = found.head;
  const loss = { nowTicks: ticksSince(begunAtMs, nowMs), remembered: remembered?.stored };
  return (rev === 0 ? undefined : recoverValues(plan, found, loss)) ?? 'Whole';
}

function isWhole({ shown, remembered }: KnownRun, { head }: StoredRun): boolean {
  return head.rev >= Math.max(shown?.rev ?? 0, remembered?.stored.head.rev ?? 0);
}

function recoveryFromStatus(
  { plan, uid, digest }: KnownRun,
  { rev, round, running, checkpoint }: ShownRun,
  stored: StoredRun | undefined,
  nowMs: number,
): Recovery {
  const begunAtMs = checkpoint?.begunAtMs ?? stored?.head.begunAtMs ?? nowMs;
  const nowTicks = ticksSince(begunAtMs, nowMs);
  return recoverFromStatus(plan, { uid, digest, rev, round, running, checkpoint, stored, nowTicks }) ?? 'Lost';
}
