import { slotOf } from '#core/workflow/layout.ts';
import type { Element } from '../canvas/canvas.ts';
import { slotAt, type EndedRun } from './ended-run.ts';
import { keyOf, type ExpectedCall, type Reference } from './expectation.ts';
import { Violation } from './violation.ts';

/** Who is to be called was called, each attempt by exactly one message; nobody else was. */
export function judgeCalls(ended: EndedRun, reference: Reference): void {
  const { workflow, stored } = ended;
  const executed = new Set(workflow.executions.map(({ step, member }) => keyOf(step, member)));
  const isOneRound = stored.head.round === 0;
  for (const key of executed) {
    if (isOneRound && !reference.calls.has(key)) throw new Violation('P5', `step ${key} ran and should not`);
  }
  for (const call of reference.calls.values()) judgeRan(call, executed.has(keyOf(call.step, call.member)));
  if (isOneRound && ended.losses === 0) judgeAttempts(ended, reference);
}

function judgeRan({ isCertain, isNever = false, task, step, member }: ExpectedCall, hasRun: boolean): void {
  const name = `${task} (${keyOf(step, member)})`;
  if (isCertain && !hasRun) throw new Violation('P5', `${name} should have run and did not`);
  if (isNever && hasRun) throw new Violation('P5', `${name} ran with what is no list of arguments`);
}

function judgeAttempts(ended: EndedRun, { calls }: Reference): void {
  const sent = new Set<string>();
  for (const { step, member, attempt } of ended.workflow.sent) {
    const key = `${keyOf(step, member)}.${attempt}`;
    if (sent.has(key) && !ended.mayRepeat) throw new Violation('P3', `attempt ${key} was sent twice`);
    sent.add(key);
  }
  for (const [key, { isCertain, step, member }] of calls) {
    const { attempt } = slotAt(ended, step, member)!;
    // An attempt may have waited too long before there was room to send it.
    if (isBounded(ended.workflow.elements[step])) continue;
    for (let i = 0; isCertain && i <= attempt; i += 1) {
      if (!sent.has(`${key}.${i}`)) throw new Violation('P3', `attempt ${key}.${i} was never sent`);
    }
  }
}

function isBounded(element: Element | undefined): boolean {
  return element?.kind === 'task' && (element.waitLimitMs !== undefined || element.expires !== undefined);
}

/** Nothing is sent before all that it needs has been recorded. */
export function judgeOrder({ workflow, stored }: EndedRun, reference: Reference): void {
  if (stored.head.round > 0) return;
  for (const { step, member, change } of workflow.sent) {
    const call = reference.calls.get(keyOf(step, member));
    for (const before of call?.after ?? []) {
      const { step: other, member: of } = reference.calls.get(before)!;
      const endedAt = workflow.endedAt.get(slotOf(workflow.plan, stored.maps, other, of));
      // What a cancel ended before it began is recorded late, or never.
      const isEnded = reference.calls.get(before)!.isCertain;
      if (!isEnded && stored.head.cancelled !== '') continue;
      if ((endedAt ?? Infinity) > change)
        throw new Violation('P5', `${keyOf(step, member)} was sent before ${before} had ended`);
    }
  }
}
