import { nullText, stringifyJson, type JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { isLongerThan, utf8Length } from '#core/base/utf8-length.ts';
import type { Plan, PlanStep, TaskStep } from '#core/canvas/plan.ts';
import type { Evaluation } from './evaluate.ts';
import { decodeFailure, type Failure } from './failure.ts';
import type { RunState } from './run-state.ts';
import { slotStateAt } from './slots.ts';
import { inputOf, ResultLost } from './value.ts';

/** The arguments of one call, each as text. */
export interface Call {
  readonly args: readonly JsonText[];
  readonly kwargs: JsonText;
}

/** What an errback is told: the failed task, as it was called, and how it failed. */
export interface FailedCall {
  readonly step: TaskStep;
  readonly call: Call;
  readonly failure: Failure;
}

/** A due step's call; an errback's says what failed, because that travels in one of two forms. */
export type DueCall =
  | { readonly form: 'Plain'; readonly call: Call }
  | { readonly form: 'Errback'; readonly own: Call; readonly failed: FailedCall };

/** How the run ended, as `finally` is told. */
export interface RunOutcome {
  readonly state: 'Succeeded' | 'Failed' | 'Cancelled';
  readonly reason: string;
  /** Task ids of what failed, at most 100. */
  readonly failed: readonly string[];
}

/** A run as it is known at one moment. */
export interface RunView {
  readonly plan: Plan;
  readonly state: RunState;
  readonly evaluation: Evaluation;
}

/** The lists and results that a call would carry are more than a message may hold. */
export class ArgumentsTooLarge extends Error {
  override readonly name = 'ArgumentsTooLarge';
}

/** Throws `ResultLost` when a value is not kept any more, `ArgumentsTooLarge` beyond 16 MiB. */
export function callOf({ plan, state, evaluation }: RunView, step: TaskStep, outcome: () => RunOutcome): DueCall {
  switch (step.role) {
    case 'Member':
    case 'Link':
      return { form: 'Plain', call: ownCall(plan, state, step) };
    case 'Finally':
      return { form: 'Plain', call: withFirst(step, stringifyJson(outcome())) };
    case 'LinkError':
      return {
        form: 'Errback',
        own: { args: step.args, kwargs: step.kwargs },
        failed: failedCall(plan, state, evaluation, step.parent),
      };
  }
}

function ownCall(plan: Plan, state: RunState, step: TaskStep): Call {
  if (step.immutable) return { args: step.args, kwargs: step.kwargs };
  const input = inputOf(plan, state, step.input);
  return input === undefined ? { args: step.args, kwargs: step.kwargs } : withFirst(step, input);
}

function withFirst(step: TaskStep, first: JsonText): Call {
  if (isLongerThan(first, limits.listBytes)) {
    const size = `${utf8Length(first)} bytes, more than the ${limits.listBytes} that one message carries`;
    throw new ArgumentsTooLarge(`${step.path}: what comes in is ${size}; return references instead of values`);
  }
  return { args: step.immutable ? step.args : [first, ...step.args], kwargs: step.kwargs };
}

function failedCall(plan: Plan, state: RunState, evaluation: Evaluation, element: number): FailedCall {
  const step = firstFailed(plan, evaluation, element);
  if (step === undefined) throw new RangeError(`step ${element} has a due errback and no failed task`);
  return { step, call: calledWith(plan, state, step), failure: failureOf(state, step) };
}

/** What the failed task was called with; without what came in, where that is no longer kept. */
function calledWith(plan: Plan, state: RunState, step: TaskStep): Call {
  try {
    return ownCall(plan, state, step);
  } catch (error) {
    if (error instanceof ResultLost || error instanceof ArgumentsTooLarge)
      return { args: step.args, kwargs: step.kwargs };
    throw error;
  }
}

export function failureOf(state: RunState, step: TaskStep): Failure {
  const kept = state.kept.get(step.index);
  if (kept !== undefined && slotStateAt(state.slots, step.index) !== 'Succeeded') return decodeFailure(kept);
  return {
    exc: stringifyJson({ exc_type: 'TaskRevokedError', exc_message: ['cancelled'], exc_module: 'celery.exceptions' }),
    traceback: nullText,
  };
}

/** The first task, in the order in which it was written, that failed or was cancelled within an element. */
export function firstFailed(plan: Plan, evaluation: Evaluation, element: number): TaskStep | undefined {
  const step = plan.steps[element];
  const state = evaluation.states[element];
  if (step === undefined || (state !== 'Failed' && state !== 'Cancelled')) return undefined;
  if (step.kind === 'Task') return step;
  for (const member of membersOf(step)) {
    const found = firstFailed(plan, evaluation, member);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function membersOf(step: PlanStep): readonly number[] {
  switch (step.kind) {
    case 'Task':
      return [];
    case 'Chord':
      return [...step.header, step.body];
    default:
      return step.members;
  }
}

/** The request as an errback of our own workers gets it: the fields of Celery's `Context` that a reader asks for. */
export function requestText(id: string, rootId: string, failed: FailedCall): JsonText {
  const { step, call } = failed;
  const fixed = stringifyJson({ id, task: step.task, retries: 0, root_id: rootId, parent_id: null });
  return `${fixed.slice(0, -1)},"args":[${call.args.join(', ')}],"kwargs":${call.kwargs}}` as JsonText;
}
