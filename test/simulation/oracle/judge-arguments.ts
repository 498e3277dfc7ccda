import { elements, entries } from '#core/base/json-span.ts';
import { parseJson } from '#core/base/json-text.ts';
import { decodeFailure } from '#core/workflow/failure.ts';
import { slotOf } from '#core/workflow/layout.ts';
import { endedTaskId } from '#core/workflow/message.ts';
import { slotAt, type EndedRun } from './ended-run.ts';
import { keyOf, type ExpectedCall, type Reference } from './expectation.ts';
import { same, Violation } from './violation.ts';
import type { Execution, Sent } from './workflow-case.ts';

/** Every body of the last round was called with exactly what was recorded. */
export function judgeAllArguments(ended: EndedRun, reference: Reference): void {
  for (const each of ended.workflow.executions) {
    const isOfRound = each.round === ended.stored.head.round;
    if (isOfRound && isOfThisMemory(each, ended)) judgeArguments(each, ended, reference);
  }
}

/** What was sent before Redis forgot something may tell of values that are forgotten and were made again. */
function isOfThisMemory(each: Execution, { workflow, losses }: EndedRun): boolean {
  if (losses === 0) return true;
  return workflow.sent.every((sent) => !isSameAttempt(sent, each) || sent.losses === losses);
}

function isSameAttempt(one: Sent, other: Execution): boolean {
  const { step, member, round, attempt } = one;
  return step === other.step && member === other.member && round === other.round && attempt === other.attempt;
}

function judgeArguments(each: Execution, ended: EndedRun, reference: Reference): void {
  const call = reference.calls.get(keyOf(each.step, each.member));
  if (call === undefined) throw new Violation('P5', `${each.task} ran and should not`);
  const { items = [] } = call;
  same('P4', `the items of ${each.task}`, each.chunk?.items ?? [], wire(items));
  if (items.length === 0) judgeOwnArguments(each, call, { ended, reference });
}

function judgeOwnArguments(each: Execution, call: ExpectedCall, { ended, reference }: Told): void {
  same('P4', `the kwargs of ${each.task}`, each.kwargs, wire([call.kwargs])[0]);
  const step = ended.workflow.plan.steps[each.step];
  const isTold = step?.kind === 'Task' && !step.immutable;
  if (call.failed !== undefined) judgeErrback(each, call, { ended, reference, isTold });
  else if (call.isFinally && isTold) judgeFinally(each, call, { ended, reference });
  else same('P4', `the arguments of ${each.task}`, each.args, wire(call.args));
}

interface Told {
  readonly ended: EndedRun;
  readonly reference: Reference;
}

function judgeFinally(each: Execution, call: ExpectedCall, { ended, reference }: Told): void {
  const [outcome = '', ...own] = each.args;
  same('P4', `the arguments of ${each.task}`, own, wire(call.args));
  const root = reference.states.get(keyOf(0, 0));
  const { cancelled } = ended.stored.head;
  const isDeadline = cancelled === 'DeadlineExceeded';
  const state =
    root === 'Succeeded'
      ? 'Succeeded'
      : isDeadline
        ? 'Failed'
        : root === 'Cancelled' || cancelled !== ''
          ? 'Cancelled'
          : 'Failed';
  const reason = isDeadline && root !== 'Succeeded' ? 'DeadlineExceeded' : state;
  const ids = reference.failed.map((key) => idOf(ended, ...(key.split('/').map(Number) as [number, number])));
  const failed = root === 'Succeeded' ? [] : ids.slice(0, 100);
  same('P4', `the outcome that ${each.task} was told`, parseJson(outcome), { state, reason, failed });
}

function judgeErrback(
  each: Execution,
  call: ExpectedCall,
  { ended, reference, isTold }: Told & { readonly isTold: boolean },
): void {
  const at = call.failed!;
  const failedCall = reference.calls.get(keyOf(at.step, at.member));
  const { told } = each;
  const isPlain = told === undefined && isTold;
  const [, , , ...rest] = each.args;
  same('P4', `the arguments of ${each.task}`, isPlain ? rest : each.args, wire(call.args));
  // An element that failed before it began has no call of its own, and a chunk is called by another task.
  if (failedCall === undefined || failedCall.items !== undefined) return;
  // What came in may be lost, and is then left out; an attempt that was sent again may have failed in another way.
  if (ended.mayRepeat) return;
  if (told !== undefined) {
    const { task, args, kwargs } = failedCall;
    same('P4', `what ${each.task} was told`, told, { task, args: wire(args), kwargs: wire([kwargs])[0] });
  } else if (isPlain) judgeRequest(each, failedCall, ended);
}

/** The request of what failed, and how it failed, as a worker of ours gets them. */
function judgeRequest({ task, args: [request = '', exc] }: Execution, failed: ExpectedCall, ended: EndedRun): void {
  const { step, member } = failed;
  const kept = ended.stored.kept.get(slotOf(ended.workflow.plan, ended.stored.maps, step, member));
  if (kept !== undefined) same('P4', `the exception that ${task} was told`, exc, wire([decodeFailure(kept).exc])[0]);
  const fields = entries(request)!;
  same('P4', `the task that ${task} was told`, fields.get('task'), `"${failed.task}"`);
  same('P4', `the id that ${task} was told`, fields.get('id'), `"${idOf(ended, step, member)}"`);
  same('P4', `the args that ${task} was told`, elements(fields.get('args') ?? ''), wire(failed.args));
}

function idOf(ended: EndedRun, step: number, member: number): string {
  const { run, stored } = ended;
  const { round, roundsAt } = stored.head;
  return endedTaskId({ ...run, round, roundsAt }, { step, member }, slotAt(ended, step, member)!);
}

/** As the wire writes texts: in ASCII, as Python does. Numbers and spaces are left as they are. */
function wire(texts: readonly string[]): readonly string[] {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return texts.map((text) => text.replace(/[\u0080-\uffff]/g, escaped));
}
