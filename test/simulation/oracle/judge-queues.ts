import { slotOf } from '#core/workflow/layout.ts';
import { usualQueue } from '../queues.ts';
import type { EndedRun } from './ended-run.ts';
import { keyOf } from './expectation.ts';
import { Violation } from './violation.ts';
import type { Sent } from './workflow-case.ts';

/** P21: after a failure an attempt goes to the queue that `escalateTo` names, and to its task's own without one. */
export function judgeQueues(ended: EndedRun): void {
  // Further rounds count their attempts anew, and what was forgotten may be made again under other numbers.
  if (ended.stored.head.round > 0 || ended.losses > 0) return;
  for (const sent of ended.workflow.sent) {
    const queue = queueFor(ended, sent);
    if (sent.queue === queue) continue;
    const name = `attempt ${sent.attempt} of ${keyOf(sent.step, sent.member)}`;
    throw new Violation('P21', `${name} was sent to queue ${sent.queue} and belongs in ${queue}`);
  }
}

function queueFor({ workflow, stored }: EndedRun, { step, member, attempt }: Sent): string {
  const element = workflow.elements[step];
  const escalateTo = element?.kind === 'task' ? element.retry?.escalateTo : undefined;
  if (escalateTo === undefined) return usualQueue;
  const slot = slotOf(workflow.plan, stored.maps, step, member);
  const before = Array.from({ length: attempt }, (_, nth) => workflow.again.get(`${slot}.${nth + 1}`));
  return before.some((each) => each?.isLost === false) ? escalateTo : usualQueue;
}
