import { elements, entries } from '#core/base/json-span.ts';
import { parseJson, type JsonText } from '#core/base/json-text.ts';
import type { StoredRun } from '#core/workflow/advance.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import type { Evaluation } from '#core/workflow/evaluation.ts';
import { decodeFailure } from '#core/workflow/failure.ts';
import { judgeOf } from '#core/workflow/judge.ts';
import { slotOf } from '#core/workflow/layout.ts';
import { endedTaskId } from '#core/workflow/message.ts';
import type { RunState } from '#core/workflow/run-state.ts';
import { isInFlight, readSlot, type Slot } from '#core/workflow/slots.ts';
import { valueOf } from '#core/workflow/value.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import { keyOf, referenceOf, unknownEnd, type ExpectedCall, type RecordedEnd, type Reference } from './reference.ts';
import { same, Violation } from './violation.ts';
import type { Execution, Sent, WorkflowCase } from './workflow-case.ts';

/** A run that ended, as its store holds it. */
export interface EndedRun {
  readonly workflow: WorkflowCase;
  readonly run: RunKey;
  readonly stored: StoredRun;
  /** Something happened that may keep a task from ever answering. */
  readonly mayLose: boolean;
  /** Messages or their records may be there twice. */
  readonly mayRepeat: boolean;
  /** Times that Redis forgot something. */
  readonly losses: number;
}

/**
 * Holds a run that ended to what its canvas means. How each task ended is taken from what was recorded, and must be what
 * some execution did; everything else — who was called, with what, how often, after whom, and what came out — is the
 * reference's word against the engine's. Resolves to the word that its status must say.
 */
export function judgeRun(ended: EndedRun): string {
  const { workflow, stored } = ended;
  const isCancelled = stored.head.cancelled !== '';
  const evaluation = evaluationOf(ended);
  same('P1', 'the stage', evaluation.stage, 'Ended');
  const reference = referenceOf(workflow.canvas, {
    endOf: (step, member) => recordedEnd(ended, step, member),
    isCancelled,
    hasMembers: (step) => stored.maps.has(step),
  });
  judgeStates(ended, evaluation, reference);
  judgeCalls(ended, reference);
  judgeOrder(ended, reference);
  for (const each of workflow.executions) {
    if (each.round === stored.head.round && isOfThisMemory(each, ended)) judgeArguments(each, ended, reference);
  }
  const hasValue = evaluation.states[0] === 'Succeeded';
  const value = hasValue ? valueOf(workflow.plan, stateOf(stored), { step: 0, member: 0 }) : undefined;
  same('P4', 'the value of the run', value, reference.value);
  return shownState(ended, reference);
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

function shownState({ stored }: EndedRun, { states }: Reference): string {
  const root = states.get(keyOf(0, 0));
  if (root === 'Succeeded') return 'Succeeded';
  if (stored.head.cancelled !== '') return stored.head.cancelled;
  return root === 'Cancelled' ? 'Cancelled' : 'Failed';
}

function stateOf({ slots, kept, maps, head }: StoredRun): RunState {
  const { cancelled, begunAtMs } = head;
  return { slots, kept, maps, cancelled, begunAtMs, items: new Map(), admitted: new Set() };
}

export function stageOf(workflow: WorkflowCase, stored: StoredRun): Evaluation['stage'] {
  return evaluationOf({ workflow, stored }).stage;
}

function evaluationOf({ workflow, stored }: Pick<EndedRun, 'workflow' | 'stored'>): Evaluation {
  const state = stateOf(stored);
  const [namespace = '', name = ''] = workflow.key.split('/');
  const judge = judgeOf(workflow.plan, state, { name, namespace, uid: workflow.uid });
  return evaluate(workflow.plan, state, { nowTicks: Number.MAX_SAFE_INTEGER, judge });
}

/** The slot of a member; undefined where its map has no members. */
function slotAt({ workflow, stored }: EndedRun, step: number, member: number): Slot | undefined {
  const { map } = workflow.plan.steps[step]!;
  if (map !== -1 && member >= (stored.maps.get(map)?.count ?? 0)) return undefined;
  return readSlot(stored.slots, slotOf(workflow.plan, stored.maps, step, member));
}

/** Where a member stands in the record, and what its body did. */
interface Recorded {
  readonly name: string;
  readonly slot: Slot;
  readonly kept: JsonText | undefined;
  readonly bodies: readonly Execution[];
  /** The engine may say by itself that it failed. */
  readonly mayBeEngines: boolean;
}

function recordedEnd(ended: EndedRun, step: number, member: number): RecordedEnd {
  const { workflow, stored, mayLose } = ended;
  const slot = slotAt(ended, step, member);
  if (slot === undefined) return unknownEnd;
  const { path, kind } = workflow.plan.steps[step]!;
  return endOf({
    name: `${path}${member > 0 ? ` of item ${member}` : ''}`,
    slot,
    kept: stored.kept.get(slotOf(workflow.plan, stored.maps, step, member)),
    bodies: workflow.executions.filter((each) => each.step === step && each.member === member),
    mayBeEngines: mayLose || kind !== 'Task',
  });
}

function endOf(recorded: Recorded): RecordedEnd {
  const { name, slot } = recorded;
  const { state } = slot;
  if (state === 'Succeeded') return { state, text: successText(recorded) };
  if (state === 'Failed' || state === 'Continued' || state === 'Lost') return { state, text: failureText(recorded) };
  if (state === 'PassedOver' || state === 'Cancelled') return { state, text: '' };
  if (isInFlight(state)) throw new Violation('P1', `${name} should have ended and is ${state}`);
  return { state: 'Open', text: '' };
}

/** Success is believed from any attempt. */
function successText({ name, slot, kept, bodies }: Recorded): string {
  const [first, ...others] = bodies.filter(({ succeeded }) => succeeded || slot.carried).map(({ text }) => text);
  if (first === undefined) throw new Violation('P2', `${name} is recorded as succeeded and never did`);
  if (kept === undefined || kept === first || others.includes(kept)) return kept ?? first;
  throw new Violation('P4', `${name}: what is kept is no result of it: ${kept}`);
}

/** A failure counts from the newest attempt only. */
function failureText({ name, slot, kept, bodies, mayBeEngines }: Recorded): string {
  const { exc } = decodeFailure(kept);
  const isOwn = bodies.some((each) => each.attempt === slot.attempt && !each.succeeded && each.text === exc);
  if (isOwn || (mayBeEngines && exc.includes('"exc_module":"arpeggio"'))) return exc;
  throw new Violation('P2', `${name} is recorded as ${slot.state} and never failed so: ${exc}`);
}

function judgeStates({ workflow, stored }: EndedRun, { states }: Evaluation, reference: Reference): void {
  const { plan } = workflow;
  for (const [step, count] of reference.members)
    same('P4', `the members of step ${step}`, stored.maps.get(step)?.count, count);
  for (const [key, expected] of reference.states) {
    const [step, member] = key.split('/').map(Number) as [number, number];
    const { map, path } = plan.steps[step]!;
    if (map !== -1 && !stored.maps.has(map)) continue;
    same('P4', `the state of ${path}, item ${member},`, states[slotOf(plan, stored.maps, step, member)], expected);
  }
}

/** Who is to be called was called, each attempt by exactly one message; nobody else was. */
function judgeCalls(ended: EndedRun, reference: Reference): void {
  const { workflow, mayRepeat, stored } = ended;
  const executed = new Set(workflow.executions.map(({ step, member }) => keyOf(step, member)));
  const isOneRound = stored.head.round === 0;
  for (const key of executed) {
    if (isOneRound && !reference.calls.has(key)) throw new Violation('P5', `step ${key} ran and should not`);
  }
  for (const [key, { isCertain, task }] of reference.calls) {
    if (isCertain && !executed.has(key)) throw new Violation('P5', `${task} (${key}) should have run and did not`);
  }
  if (!mayRepeat && isOneRound) judgeAttempts(ended, reference);
}

function judgeAttempts(ended: EndedRun, { calls }: Reference): void {
  const sent = new Set<string>();
  for (const { step, member, attempt } of ended.workflow.sent) {
    const key = `${keyOf(step, member)}.${attempt}`;
    if (sent.has(key)) throw new Violation('P3', `attempt ${key} was sent twice`);
    sent.add(key);
  }
  for (const [key, { isCertain, step, member }] of calls) {
    const { attempt } = slotAt(ended, step, member)!;
    for (let i = 0; isCertain && i <= attempt; i += 1) {
      if (!sent.has(`${key}.${i}`)) throw new Violation('P3', `attempt ${key}.${i} was never sent`);
    }
  }
}

/** Nothing is sent before all that it needs has been recorded. */
function judgeOrder({ workflow, stored }: EndedRun, reference: Reference): void {
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

function judgeArguments(each: Execution, ended: EndedRun, reference: Reference): void {
  const call = reference.calls.get(keyOf(each.step, each.member));
  if (call === undefined) throw new Violation('P5', `${each.task} ran and should not`);
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
  // An element that failed before it began has no call of its own.
  if (failedCall === undefined) return;
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
