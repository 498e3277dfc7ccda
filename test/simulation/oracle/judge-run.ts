import type { JsonText } from '#core/base/json-text.ts';
import type { Evaluation } from '#core/workflow/evaluation.ts';
import { decodeFailure } from '#core/workflow/failure.ts';
import { slotOf } from '#core/workflow/layout.ts';
import { isInFlight, type Slot } from '#core/workflow/slots.ts';
import { valueOf } from '#core/workflow/value.ts';
import { evaluationOf, slotAt, stateOf, type EndedRun } from './ended-run.ts';
import { keyOf, unknownEnd, type RecordedEnd, type Reference } from './expectation.ts';
import { standsFromBefore } from './handler-that-stands.ts';
import { judgeAllArguments } from './judge-arguments.ts';
import { judgeCalls, judgeOrder } from './judge-calls.ts';
import { judgeQueues } from './judge-queues.ts';
import { judgeTimes } from './judge-times.ts';
import { referenceOf } from './reference.ts';
import { same, Violation } from './violation.ts';
import type { Execution, WorkflowCase } from './workflow-case.ts';

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
    endOf: (step, member, isNever) => recordedEnd(ended, { step, member }, isNever),
    isCancelled,
    hasMembers: (step) => stored.maps.has(step),
  });
  judgeStates(ended, evaluation, reference);
  judgeCalls(ended, reference);
  judgeOrder(ended, reference);
  judgeQueues(ended);
  judgeTimes(ended, reference);
  judgeAllArguments(ended, reference);
  const hasValue = evaluation.states[0] === 'Succeeded';
  const value = hasValue ? valueOf(workflow.plan, stateOf(stored), { step: 0, member: 0 }) : undefined;
  same('P4', 'the value of the run', value, reference.value);
  return shownState(ended, reference);
}

function shownState({ stored }: EndedRun, { states }: Reference): string {
  const root = states.get(keyOf(0, 0));
  if (root === 'Succeeded') return 'Succeeded';
  if (stored.head.cancelled !== '') return stored.head.cancelled;
  return root === 'Cancelled' ? 'Cancelled' : 'Failed';
}

/** Where a member stands in the record, and what its body did. */
interface Recorded {
  readonly name: string;
  readonly slot: Slot;
  readonly kept: JsonText | undefined;
  readonly bodies: readonly Execution[];
  /** Failures that the engine may establish by itself. */
  readonly engines: readonly string[] | 'Any';
}

function recordedEnd(
  ended: EndedRun,
  { step, member }: { readonly step: number; readonly member: number },
  isNever: boolean,
): RecordedEnd {
  const { workflow, stored, mayLose } = ended;
  const slot = slotAt(ended, step, member);
  if (slot === undefined) return unknownEnd;
  const { path, kind } = workflow.plan.steps[step]!;
  return endOf({
    name: `${path}${member > 0 ? ` of item ${member}` : ''}`,
    slot,
    kept: stored.kept.get(slotOf(workflow.plan, stored.maps, step, member)),
    bodies: workflow.executions.filter((each) => each.step === step && each.member === member),
    engines: mayLose || kind !== 'Task' ? 'Any' : enginesOf(workflow, step, isNever),
  });
}

/** What the engine itself may say of a task, though nothing was lost. */
function enginesOf({ elements: all }: WorkflowCase, step: number, isNever: boolean): readonly string[] {
  const element = all[step];
  if (element?.kind !== 'task') return [];
  if (isNever) return ['NotAList'];
  const { waitLimitMs, expires, timeLimitMs } = element;
  return [
    ...(waitLimitMs === undefined ? [] : ['WaitLimitExceeded']),
    ...(expires === undefined ? [] : ['Expired']),
    ...(timeLimitMs === undefined ? [] : ['TimeLimitExceeded']),
  ];
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
function failureText({ name, slot, kept, bodies, engines }: Recorded): string {
  const { exc } = decodeFailure(kept);
  const isOwn = bodies.some((each) => each.attempt === slot.attempt && !each.succeeded && each.text === exc);
  const isEngines = exc.includes('"exc_module":"arpeggio"');
  if (isOwn || (isEngines && (engines === 'Any' || engines.some((type) => exc.includes(`"exc_type":"${type}"`)))))
    return exc;
  throw new Violation('P2', `${name} is recorded as ${slot.state} and never failed so: ${exc}`);
}

/** What its condition said stands, though what comes before it was made again and ended otherwise. */
function isFromBefore({ losses }: EndedRun, is: Evaluation['states'][number] | undefined): boolean {
  return losses > 0 && is === 'PassedOver';
}

function judgeStates(ended: EndedRun, { states }: Evaluation, reference: Reference): void {
  const { workflow, stored } = ended;
  const { plan } = workflow;
  for (const [step, count] of reference.members)
    same('P4', `the members of step ${step}`, stored.maps.get(step)?.count, count);
  for (const [key, expected] of reference.states) {
    const [step, member] = key.split('/').map(Number) as [number, number];
    const { map, path } = plan.steps[step]!;
    if (map !== -1 && !stored.maps.has(map)) continue;
    const is = states[slotOf(plan, stored.maps, step, member)];
    if (expected === 'Skipped' && (isFromBefore(ended, is) || standsFromBefore(ended, step, member))) continue;
    same('P4', `the state of ${path}, item ${member},`, is, expected);
  }
}
