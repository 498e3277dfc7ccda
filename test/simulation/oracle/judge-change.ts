import type { AdvanceRequest, StoredRun } from '#core/workflow/advance.ts';
import { forEachTaskSlot } from '#core/workflow/layout.ts';
import { isInFlight, slotStateAt, tickMs } from '#core/workflow/slots.ts';
import { epochMs } from '../kernel/timeline.ts';
import { Violation } from './violation.ts';
import type { WorkflowCase } from './workflow-case.ts';

/** One change of a run, and what its world is like at that moment. */
export interface JudgedChange {
  readonly workflow: WorkflowCase;
  readonly request: AdvanceRequest;
  readonly before: StoredRun;
  readonly after: StoredRun;
  readonly nowMs: number;
  readonly latencyMs: number;
  /** Nothing was broken so far. */
  readonly isCalm: boolean;
  /** Since when the engine that makes it has known that nothing is to be sent; undefined while that is not so. */
  readonly suspendedAtMs: number | undefined;
}

/** What a user asked of a run beside its canvas holds at every change of it. */
export function judgeChange(change: JudgedChange): void {
  judgeParallel(change);
  judgeSuspended(change);
  judgeDeadline(change);
}

function judgeParallel({ workflow, after }: JudgedChange): void {
  const { maxParallel } = workflow.canvas;
  if (maxParallel === undefined) return;
  let inFlight = 0;
  forEachTaskSlot(workflow.plan, after.maps, ({ role }, _member, at) => {
    if (role === 'Member' && isInFlight(slotStateAt(after.slots, at))) inFlight += 1;
  });
  if (inFlight <= maxParallel) return;
  throw new Violation('P16', `${inFlight} tasks are in flight, and maxParallel is ${maxParallel}`);
}

/** What was decided a moment before the engine heard of it is still on its way. */
function judgeSuspended({ request, before, suspendedAtMs, nowMs, latencyMs }: JudgedChange): void {
  if (suspendedAtMs === undefined || request.publishes.length === 0 || before.head.cancelled !== '') return;
  if (nowMs <= suspendedAtMs + 2 * latencyMs) return;
  throw new Violation('P17', `a task was sent ${(nowMs - suspendedAtMs).toFixed(1)} ms after the run was suspended`);
}

function judgeDeadline({ workflow, request, before, nowMs, latencyMs, isCalm }: JudgedChange): void {
  if (workflow.deadlineMs === undefined || before.head.round > 0) return;
  const dueMs = before.head.begunAtMs - epochMs + workflow.deadlineMs;
  if (request.cancel === 'DeadlineExceeded' && nowMs < dueMs - tickMs - latencyMs)
    throw new Violation('P15', `the deadline struck ${(dueMs - nowMs).toFixed(1)} ms too early`);
  const isSending = before.head.cancelled === '' && request.publishes.some(({ isCleanUp }) => !isCleanUp);
  if (isCalm && isSending && nowMs > dueMs + 100 + 20 * latencyMs)
    throw new Violation('P15', `a task was sent ${(nowMs - dueMs).toFixed(1)} ms after the deadline`);
}
