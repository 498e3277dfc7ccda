import { engineFailure } from '#core/workflow/failure.ts';
import { overdueAttempts, type Overdue } from '#core/workflow/overdue.ts';
import { tickMs } from '#core/workflow/slots.ts';
import { outstandingOf, type Outstanding } from './outstanding.ts';
import type { RunDriver } from './run-driver.ts';
import type { RunPorts } from './run-ports.ts';
import { withdraw } from './withdraw.ts';

/**
 * Ends attempts that waited or ran longer than they may. One that waited too long ends only if its message could be taken
 * back: else a worker has it, and it counts as running.
 */
export async function endOverdue(
  driver: RunDriver,
  ports: Pick<RunPorts, 'broker' | 'log'>,
): Promise<number | undefined> {
  const { overdue, nextTicks } = overdueAttempts(driver.run.view, driver.run.nowTicks);
  if (overdue.length > 0) {
    const outstanding = new Map(outstandingOf(driver).map((each) => [keyOf(each), each]));
    const late = overdue.flatMap((each) => {
      const sent = outstanding.get(keyOf(each));
      return sent === undefined ? [] : [{ each, sent }];
    });
    const waited = late.filter(({ each }) => each.by === 'Withdraw').map(({ sent }) => sent);
    const withdrawn = new Set(waited.length === 0 ? [] : await withdraw(waited, ports));
    for (const { each, sent } of late) end(driver, each, withdrawn.has(sent));
    const ran = late.filter(({ each }) => each.by === 'Fail').map(({ sent }) => sent.messageId);
    if (ran.length > 0) await ports.broker.revoke(new Set(ran));
  }
  return nextTicks === undefined ? undefined : Math.max(0, (nextTicks - driver.run.nowTicks) * tickMs);
}

function keyOf({ step, member, attempt }: Pick<Outstanding, 'step' | 'member' | 'attempt'>): string {
  return `${step}/${member}/${attempt}`;
}

function end(driver: RunDriver, { step, member, attempt, by, type, message }: Overdue, isWithdrawn: boolean): void {
  const at = { step, member, attempt };
  if (by === 'Withdraw' && !isWithdrawn) driver.see({ ...at, seen: 'Started' });
  else driver.see({ ...at, seen: 'Failed', failure: engineFailure(type, message) });
}
