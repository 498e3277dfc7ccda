import { durationText } from '#core/base/duration-text.ts';
import type { WorkflowReason } from '#core/resources/reasons.ts';
import type { Verdict } from './verdict.ts';

/**
 * Reasons that lie in what users wrote. A connection that is away may hold the run already, and when it is back the run
 * ends as others do, with its handlers.
 */
const byWhatIsWritten: ReadonlySet<WorkflowReason> = new Set(['NoQueue', 'RouteConflict']);

/** A Workflow that cannot begin yet: no TaskQueue takes its first task, say. */
export interface Unbegun {
  /** Why it waits. */
  readonly why: { readonly reason: WorkflowReason; readonly message: string };
  readonly cancel: boolean;
  readonly deadlineMs?: number | undefined;
  /** Since it was created. */
  readonly ageMs: number;
}

/**
 * How it ends without having begun: when it is cancelled, or when its deadline has passed since it was created. Nothing of
 * it was ever sent, and where handlers would be run is as unknown as where tasks would. Undefined: it goes on waiting.
 */
export function endUnbegun({ why, cancel, deadlineMs, ageMs }: Unbegun): Verdict | undefined {
  const end = (reason: WorkflowReason, when: string): Verdict => ({
    status: 'False',
    reason,
    message: `${when} before it could begin, and no handler was called: ${why.reason}: ${why.message}`,
  });
  if (!byWhatIsWritten.has(why.reason)) return undefined;
  if (cancel) return end('Cancelled', 'it was cancelled');
  if (deadlineMs === undefined || ageMs < deadlineMs) return undefined;
  return end('DeadlineExceeded', `its deadline of ${durationText(deadlineMs)} passed`);
}
