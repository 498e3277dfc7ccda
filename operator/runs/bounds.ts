import { engineFailure } from '#core/workflow/failure.ts';
import { slotOf } from '#core/workflow/layout.ts';
import { overdueAttempts, type Overdue } from '#core/workflow/overdue.ts';
import { tickMs } from '#core/workflow/slots.ts';
import { outstandingOf, type Outstanding } from './outstanding.ts';
import type { DrivenRun } from './driven-run.ts';
import type { RunPorts } from './run-ports.ts';
import { askBack, stopAll } from './withdraw.ts';

/** A broker that did not answer is asked again after this long. */
const askAgainMs = 1_000;

/**
 * Ends attempts that waited or ran longer than they may. One that waited too long ends only if its message could be taken
 * back: else a worker has it, and it counts as running.
 */
export async function endOverdue(
  driver: DrivenRun,
  ports: Pick<RunPorts, 'broker' | 'log'>,
): Promise<number | undefined> {
  const { overdue, nextTicks } = overdueAttempts(driver.run.view, driver.run.nowTicks);
  if (overdue.length > 0) {
    const outstanding = new Map(outstandingOf(driver).map((each) => [keyOf(each), each]));
    const sentOf = (each: Overdue): readonly Outstanding[] =>
      [outstanding.get(keyOf(each))].filter((sent) => sent !== undefined);
    const waited = overdue.filter(({ by }) => by === 'Withdraw').flatMap(sentOf);
    const { withdrawn, unanswered } = await askBack(waited, ports);
    const unknown = new Set(unanswered.map(keyOf));
    const taken = new Set(withdrawn.map(keyOf));
    for (const each of overdue) if (!unknown.has(keyOf(each))) end(driver, each, taken.has(keyOf(each)));
    await stopAll(overdue.filter(({ by }) => by === 'Fail').flatMap(sentOf), ports);
    if (unanswered.length > 0) return Math.min(askAgainMs, msUntil(driver, nextTicks ?? Infinity));
  }
  return nextTicks === undefined ? undefined : msUntil(driver, nextTicks);
}

function msUntil({ run }: DrivenRun, ticks: number): number {
  return Math.max(0, (ticks - run.nowTicks) * tickMs);
}

function keyOf({ step, member, attempt }: Pick<Outstanding, 'step' | 'member' | 'attempt'>): string {
  return `${step}/${member}/${attempt}`;
}

function end(driver: DrivenRun, overdue: Overdue, isWithdrawn: boolean): void {
  const { step, member, attempt, by, type } = overdue;
  const at = { step, member, attempt };
  const message = `${overdue.message}${queueText(driver, overdue)}`;
  if (by === 'Withdraw' && !isWithdrawn) driver.see({ ...at, seen: 'Started' });
  else driver.see({ ...at, seen: 'Failed', failure: engineFailure(type, message) });
}

/** Where a worker was missing. What was seen to run has one. */
function queueText({ run }: DrivenRun, { step, member, type }: Overdue): string {
  const { plan, state } = run.view;
  const queue = type === 'TimeLimitExceeded' ? undefined : run.queueOf(slotOf(plan, state.maps, step, member));
  return queue === undefined ? '' : ` (queue ${queue})`;
}
