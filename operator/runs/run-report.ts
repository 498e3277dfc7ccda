import type { VerdictInput } from '#core/workflow/verdict.ts';
import type { RunReport } from '#core/workflow/status.ts';
import type { RunDriver } from './run-driver.ts';

/** What a run says of itself to its status, less what was lost of it. Nobody is told that a Workflow is gone. */
export function reportOf({ run, stopped, trouble }: RunDriver): Omit<RunReport, 'lost'> {
  const { identity, view, rev, begunAtMs, told, settings, remembered } = run;
  return {
    ...{
      identity,
      view,
      rev,
      begunAtMs,
      trouble,
      reports: told.bySlot,
      lastErrors: told.lastErrors,
      retried: remembered.head.retried,
    },
    suspended: settings.suspended,
    deadlineMs: settings.deadlineMs,
    stopped: stopped === undefined || stopped.reason === 'Deleted' ? undefined : { ...stopped, reason: stopped.reason },
    blocked: blockedOf(run),
  };
}

function blockedOf({ blocked, plan }: RunDriver['run']): VerdictInput['blocked'] {
  if (blocked === undefined) return undefined;
  const { step, reason, message } = blocked;
  return { path: plan.steps[step]?.path ?? 'spec', reason, message };
}
