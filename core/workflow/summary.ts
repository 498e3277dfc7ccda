import { strictJson } from '#core/base/python-json.ts';
import { parseJson } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import type { PlanStep, TaskStep } from '#core/canvas/plan.ts';
import type { HandlerStatus, StepFailure, StepStatus } from '#core/resources/workflow-status.ts';
import { failureOf, type RunView } from './call.ts';
import type { ElementState } from './evaluate.ts';
import { readError } from './failure.ts';
import { taskIdOf, type RunIdentity } from './message.ts';
import { readSlot, type SlotState } from './slots.ts';
import { ResultLost, valueOf } from './value.ts';

/** The counts and lists of a run that its readers see; bounded, whatever the size of the run. */
export interface Summary {
  readonly done: number;
  readonly total: number;
  readonly running: number;
  readonly failed: number;
  /** Names of the tasks that run or wait in a queue: the first, and how many others. */
  readonly step?: string;
  readonly steps: readonly StepStatus[];
  readonly failures: readonly StepFailure[];
  readonly handlers: readonly HandlerStatus[];
}

export function summarise(run: RunIdentity, view: RunView): Summary {
  const tasks = view.plan.steps.filter((step): step is TaskStep => step.kind === 'Task');
  const members = tasks.filter(({ role }) => role === 'Member');
  const stateOf = ({ index }: PlanStep): ElementState => view.evaluation.states[index] ?? 'Waiting';
  const active = members.filter((step) => stateOf(step) === 'Active');
  const failed = members.filter((step) => stateOf(step) === 'Failed');
  const ended = members.filter((step) => ['Succeeded', 'Failed', 'Cancelled'].includes(stateOf(step)));
  const step = currentStep(active);
  return {
    done: ended.length,
    total: members.length,
    running: active.length,
    failed: failed.length,
    ...(step === undefined ? {} : { step }),
    steps: stepsOf(run, view, members),
    failures: failed.slice(0, limits.statusFailures).map((each) => failureStatus(run, view, each)),
    handlers: handlersOf(run, view, tasks),
  };
}

function currentStep(active: readonly TaskStep[]): string | undefined {
  const names = [...new Set(active.map(({ task }) => task))];
  const [first] = names;
  if (first === undefined) return undefined;
  return names.length === 1 ? first : `${first} +${names.length - 1}`;
}

const worth: Record<ElementState, number> = {
  Failed: 0,
  Active: 1,
  Cancelled: 2,
  Waiting: 3,
  Succeeded: 4,
  Skipped: 5,
};

/** What went wrong and what runs first, then the rest in order, until the list is full; listed in order. */
function stepsOf(run: RunIdentity, view: RunView, members: readonly TaskStep[]): readonly StepStatus[] {
  const rank = ({ index }: TaskStep): number => worth[view.evaluation.states[index] ?? 'Waiting'];
  const chosen = members.length <= limits.statusSteps ? members : [...members].sort((a, b) => rank(a) - rank(b));
  return chosen
    .slice(0, limits.statusSteps)
    .sort((a, b) => a.index - b.index)
    .map((step) => ({ id: step.index, ...shownStep(run, view, step) }));
}

function shownStep(run: RunIdentity, view: RunView, step: TaskStep): Omit<StepStatus, 'id'> {
  const slot = readSlot(view.state.slots, step.index);
  const wasSent = slot.state !== 'Waiting' || slot.attempt > 0;
  return {
    path: step.path,
    task: step.task,
    state: shownState(view.evaluation.states[step.index] ?? 'Waiting', slot.state),
    ...(slot.attempt > 0 ? { attempt: slot.attempt } : {}),
    ...(wasSent ? { taskId: taskIdOf(run, step.index, slot.attempt) } : {}),
  };
}

function shownState(state: ElementState, slot: SlotState): string {
  if (state !== 'Active') return slot === 'Lost' ? 'Lost' : state;
  return slot === 'Published' || slot === 'Waiting' ? 'Queued' : slot;
}

function failureStatus(run: RunIdentity, view: RunView, step: TaskStep): StepFailure {
  const { attempt } = readSlot(view.state.slots, step.index);
  const { type, message } = readError(failureOf(view.state, step).exc);
  return {
    step: step.index,
    path: step.path,
    task: step.task,
    taskId: taskIdOf(run, step.index, attempt),
    type: type.slice(0, 255),
    message: message.slice(0, limits.shownErrorCharacters),
  };
}

/** Handlers that were called or are still to be; those whose occasion did not come are left out. */
function handlersOf(run: RunIdentity, view: RunView, tasks: readonly TaskStep[]): readonly HandlerStatus[] {
  const handlers = tasks.filter((step) => step.role !== 'Member' && view.evaluation.states[step.index] !== 'Skipped');
  return handlers.slice(0, limits.statusSteps).map((step) => {
    const { path, task, state, taskId } = shownStep(run, view, step);
    const failed = view.evaluation.states[step.index] === 'Failed';
    const error = failed ? readError(failureOf(view.state, step).exc) : undefined;
    return {
      kind: step.role === 'Member' ? 'Link' : step.role,
      path,
      task: task ?? '',
      state,
      ...(taskId === undefined ? {} : { taskId }),
      ...(error === undefined
        ? {}
        : { message: `${error.type}: ${error.message}`.slice(0, limits.shownErrorCharacters) }),
    };
  });
}

/** The final result for status: what the API server takes, or undefined where it is too large or not there. */
export function shownResult(view: RunView): { readonly value: unknown } | undefined {
  if (view.evaluation.states[0] !== 'Succeeded') return undefined;
  try {
    const text = valueOf(view.plan, view.state, 0);
    return text.length > limits.shownResultBytes ? undefined : { value: parseJson(strictJson(text)) };
  } catch (error) {
    if (error instanceof ResultLost || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
