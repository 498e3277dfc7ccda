import { nullText, stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { wayToRaise } from '#core/base/payload-limits.ts';
import { isLongerThan, utf8Length } from '#core/base/utf8-length.ts';
import { mapCall } from '#core/celery/map-call.ts';
import { stepAt, type Argument, type PlanStep, type TaskStep } from '#core/canvas/plan.ts';
import { isDone } from './element-state.ts';
import type { Ending } from './ending.ts';
import type { Failure } from './failure.ts';
import { failedWithin, failureAt } from './failed-member.ts';
import { chunkText, unpacked } from './items.ts';
import { slotOf } from './layout.ts';
import type { RunView } from './run-view.ts';
import { failureOfValue } from './value-failure.ts';
import { inputOf, itemsOfMap, mapAt, ResultTooLarge, valueOf, type StepMember } from './value.ts';

/** A call: the task's name, for a chunk is called by a task of Celery's own, and its arguments, each as text. */
export interface Call {
  readonly task: string;
  readonly args: readonly JsonText[];
  readonly kwargs: JsonText;
}

/** What an errback is told: what failed, as it was called, and how it failed. */
export interface FailedCall extends StepMember {
  readonly call: Call;
  readonly failure: Failure;
}

/** A due step's call; an errback's says what failed, because that travels in one of two forms. */
export type DueCall =
  | { readonly form: 'Plain'; readonly call: Call }
  | { readonly form: 'Errback'; readonly own: Call; readonly failed: FailedCall };

/** How the run ended, as `finally` is told. */
export interface RunOutcome extends Ending {
  /** Ids of what failed, at most 100: of tasks, and of elements that failed before any of their tasks began. */
  readonly failed: readonly string[];
}

/**
 * The call of a due step's member. Throws `ResultLost` when a value is not kept any more, `ResultTooLarge` beyond
 * `payloadLimits.listBytes`, `NotAList` for an item that cannot be unpacked.
 */
export function callOf(view: RunView, step: TaskStep, member: number, outcome: () => RunOutcome): DueCall {
  switch (step.role) {
    case 'Member':
    case 'Link':
      return { form: 'Plain', call: ownCall(view, step, member) };
    case 'Finally':
      return { form: 'Plain', call: withInput(view, step, member, [stringifyJson(outcome())]) };
    case 'LinkError':
      return {
        form: 'Errback',
        own: withInput(view, step, member, []),
        failed: failedCall(view, { step: step.parent, member }),
      };
  }
}

function ownCall(view: RunView, step: TaskStep, member: number): Call {
  const { plan, state } = view;
  const { input } = step;
  if (input.from === 'Item' && mapAt(plan, input.map).chunk !== undefined) return chunkCall(view, step, member);
  if (step.immutable) return withInput(view, step, member, []);
  const text = inputOf(plan, state, { step: step.index, member });
  if (text === undefined) return withInput(view, step, member, []);
  const isUnpacked = input.from === 'Item' && mapAt(plan, input.map).unpack;
  return withInput(view, step, member, isUnpacked ? unpacked(step.path, text, member) : [text]);
}

/** One message for many items: Celery's workers call the task with each of them. */
function chunkCall(view: RunView, step: TaskStep, member: number): Call {
  const { plan, state } = view;
  const map = mapAt(plan, step.map);
  const items = bounded(view, step, chunkText(map, itemsOfMap(plan, state, map), member));
  const { task, kwargsText } = mapCall(step.task, items, { unpack: map.unpack });
  return { task, args: [], kwargs: kwargsText };
}

function withInput(view: RunView, step: TaskStep, member: number, input: readonly JsonText[]): Call {
  const first = step.immutable ? [] : input.map((text) => bounded(view, step, text));
  let length = first.reduce((sum, text) => sum + text.length, 0);
  const own = (argument: Argument): JsonText => {
    const text = argumentText(view, step, argument, member);
    length += text.length;
    if (length <= limits.argumentBytes) return text;
    const size = `its arguments are more than ${limits.argumentBytes} bytes together`;
    throw new ResultTooLarge(`${step.path}: ${size}; return references instead of values`);
  };
  return { task: step.task, args: [...first, ...step.args.map(own)], kwargs: own(step.kwargs) };
}

/** An argument with the values of the steps that it names; a step without a value is null. */
function argumentText(view: RunView, step: TaskStep, argument: Argument, member: number): JsonText {
  if (typeof argument === 'string') return argument;
  const parts: string[] = [];
  let length = 0;
  for (const part of argument) {
    const text = typeof part === 'string' ? part : namedValue(view, part.step, member);
    parts.push(text);
    length += text.length;
    // Of many large results no text is made: it might be more than one holds.
    if (length > limits.argumentBytes) throw tooLarge(view, step, `what it names is ${length} bytes or more`);
  }
  return bounded(view, step, parts.join('') as JsonText, 'an argument that names results');
}

function namedValue({ plan, state, evaluation }: RunView, step: number, member: number): JsonText {
  const stands = evaluation.states[slotOf(plan, state.maps, step, member)] ?? 'Waiting';
  return isDone(stands) ? valueOf(plan, state, { step, member }) : nullText;
}

function bounded(view: RunView, step: TaskStep, text: JsonText, what = 'what comes in'): JsonText {
  if (!isLongerThan(text, view.payloadLimits.listBytes)) return text;
  throw tooLarge(view, step, `${what} is ${utf8Length(text)} bytes`);
}

function tooLarge({ payloadLimits: { listBytes } }: RunView, { path }: TaskStep, size: string): ResultTooLarge {
  const wayOut = `return references instead of values; ${wayToRaise('listBytes')}`;
  return new ResultTooLarge(`${path}: ${size}, more than the ${listBytes} that one message carries; ${wayOut}`);
}

function failedCall(view: RunView, element: StepMember): FailedCall {
  const failed = failedWithin(view, element);
  return { ...failed, call: calledWith(view, failed), failure: failureAt(view, failed) };
}

/** What the failed task was called with; without what came in, where that is no longer kept or could not be handed on. */
function calledWith(view: RunView, { step: index, member }: StepMember): Call {
  const step = stepAt(view.plan, index);
  if (step.kind !== 'Task') return { task: elementTask(step), args: [], kwargs: '{}' as JsonText };
  try {
    return ownCall(view, step, member);
  } catch (error) {
    if (failureOfValue(error) === undefined) throw error;
    return withInput(view, { ...step, args: [], kwargs: '{}' as JsonText }, member, []);
  }
}

/** What stands for the task's name where an element failed that is no task: a map without a list, say. */
function elementTask(step: PlanStep): string {
  return step.kind === 'Task' ? step.task : `arpeggio.${step.kind.toLowerCase()}`;
}

/** The request as an errback of our own workers gets it: the fields of Celery's `Context` that a reader asks for. */
export function requestText(id: string, rootId: string, { call }: FailedCall): JsonText {
  const fixed = stringifyJson({ id, task: call.task, retries: 0, root_id: rootId, parent_id: null });
  return `${fixed.slice(0, -1)},"args":[${call.args.join(', ')}],"kwargs":${call.kwargs}}` as JsonText;
}
