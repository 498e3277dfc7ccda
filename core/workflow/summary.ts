import { isLongerThan } from '#core/base/utf8-length.ts';
import { strictJson } from '#core/base/python-json.ts';
import { parseJson } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { stepAt, type PlanStep } from '#core/canvas/plan.ts';
import type { HandlerStatus, NotStopped, StepFailure, StepStatus } from '#core/resources/workflow-status.ts';
import type { RunView } from './run-view.ts';
import { isDone, isOver, type ElementState } from './element-state.ts';
import { readError } from './failure.ts';
import { failedWithin, failureAt } from './failed-member.ts';
import { forEachTaskSlot, slotOf } from './layout.ts';
import { endedTaskId, type RunIdentity } from './message.ts';
import type { Reports } from './observation.ts';
import { isInFlight, readSlot, slotStateAt } from './slots.ts';
import { nameOf, rowsOf, type TaskSlot } from './step-rows.ts';
import { handlerRows } from './handler-rows.ts';
import { shownError } from './shown-error.ts';
import { itemsOf, memberCount } from './items.ts';
import type { RunState } from './run-state.ts';
import { failureOfValue } from './value-failure.ts';
import { itemsOfMap, valueOf } from './value.ts';

/** The counts and lists of a run that its readers see; bounded, whatever the size of the run. */
export interface Summary {
  readonly done: number;
  readonly total: number;
  readonly running: number;
  readonly failed: number;
  readonly held: number;
  /** What runs or waits in a queue, by name or task: the first, and how many others. */
  readonly step?: string;
  readonly steps: readonly StepStatus[];
  readonly failures: readonly StepFailure[];
  readonly notStopped: readonly NotStopped[];
  readonly handlers: readonly HandlerStatus[];
  readonly succeeded: number;
  readonly passedOver: number;
  /** Of a run that has failed: which failure it is that failed it. */
  readonly why?: StepFailure;
  /** Of a run that was cancelled: one of the first tasks that were under way then, one that ran before one that waited. */
  readonly stopped?: StepFailure;
}

/** What one look over all slots finds. */
interface Tally {
  done: number;
  total: number;
  running: number;
  failed: number;
  succeeded: number;
  passedOver: number;
  readonly active: Set<string>;
  readonly failures: FailedSlot[];
  readonly cancelled: TaskSlot[];
}

/** A task, or a composite that failed before any of its tasks began: it counts like a task then. */
interface FailedSlot extends Omit<TaskSlot, 'step'> {
  readonly step: PlanStep;
}

const ended: ReadonlySet<ElementState> = new Set(['Succeeded', 'PassedOver', 'Continued', 'Failed']);

export function summarise(run: RunIdentity, view: RunView, reports: Reports): Summary {
  const { plan, state, evaluation } = view;
  const none = { done: 0, total: 0, running: 0, failed: 0, succeeded: 0, passedOver: 0 };
  const tally: Tally = { ...none, active: new Set(), failures: [], cancelled: [] };
  forEachTaskSlot(plan, state.maps, (step, member, at) => {
    if (step.role === 'Member') count(tally, view, { step, member, at });
  });
  for (const step of plan.steps) if (step.kind !== 'Task') countFailedItself(tally, view, step);
  const why = whyItFailed(view);
  const stopped = tally.cancelled.map((each) => failureRow(run, view, each));
  const [first] = tally.active;
  const others = tally.active.size - 1;
  const total = tally.total + expectedTasks(view);
  return {
    // What success did not need, such as the rest of a chain that was allowed to fail, is not waited for.
    done: evaluation.states[0] === 'Succeeded' ? total : tally.done,
    total,
    running: tally.running,
    failed: tally.failed,
    succeeded: tally.succeeded,
    passedOver: tally.passedOver,
    held: [...evaluation.dueCounts.values()].reduce((sum, each) => sum + each, 0),
    ...(first === undefined ? {} : { step: others === 0 ? first : `${first} +${others}` }),
    steps: rowsOf(run, view, reports),
    failures: tally.failures.map((each) => failureRow(run, view, each)),
    notStopped: tally.cancelled.filter((each) => isUnstoppable(view, each)).map((each) => placeOf(run, view, each)),
    handlers: handlerRows(run, view),
    ...(why === undefined ? {} : { why: failureRow(run, view, why) }),
    ...firstStopped(stopped),
  };
}

function count(tally: Tally, { state, evaluation }: RunView, task: TaskSlot): void {
  const stands = evaluation.states[task.at] ?? 'Waiting';
  tally.total += 1;
  if (ended.has(stands)) tally.done += 1;
  if (stands === 'Succeeded') tally.succeeded += 1;
  if (stands === 'PassedOver') tally.passedOver += 1;
  if (stands === 'Cancelled') countCancelled(tally, state, task);
  if (stands === 'Active') {
    tally.active.add(callName(task.step));
    if (isInFlight(slotStateAt(state.slots, task.at))) tally.running += 1;
  }
  if (stands === 'Failed' || stands === 'Continued') {
    tally.failed += 1;
    addFew(tally.failures, task);
  }
}

function callName({ name, task }: TaskSlot['step']): string {
  return name ?? task;
}

/** Only one that was under way has ended; the others never began. */
function countCancelled(tally: Tally, { kept, cancelled }: RunState, task: TaskSlot): void {
  if (kept.get(task.at) === undefined) return;
  tally.done += 1;
  // Where nobody cancelled the run, a task that somebody revoked is why it ended.
  addFew(cancelled === '' ? tally.failures : tally.cancelled, task);
}

/** Its condition could not be judged, or it is a map and got no list. */
function countFailedItself(tally: Tally, { plan, state }: RunView, step: PlanStep): void {
  const members = step.map === -1 ? 1 : (state.maps.get(step.map)?.count ?? 0);
  for (let member = 0; member < members; member += 1) {
    const at = slotOf(plan, state.maps, step.index, member);
    const own = slotStateAt(state.slots, at);
    if (own !== 'Failed' && own !== 'Continued') continue;
    tally.total += 1;
    tally.done += 1;
    tally.failed += 1;
    addFew(tally.failures, { step, member, at });
  }
}

/** What failed the root; undefined while it goes on, and where a cancel ended it before anything failed. */
function whyItFailed(view: RunView): FailedSlot | undefined {
  const { plan, state, evaluation } = view;
  const root = evaluation.states[0] ?? 'Waiting';
  if (root !== 'Failed' && !(root === 'Cancelled' && state.cancelled === '')) return undefined;
  const { step, member } = failedWithin(view, { step: 0, member: 0 });
  return { step: stepAt(plan, step), member, at: slotOf(plan, state.maps, step, member) };
}

function addFew<T>(list: T[], task: T): void {
  if (list.length < limits.statusFailures) list.push(task);
}

/** Tasks of maps that have not begun, where their number is known from what was written. */
function expectedTasks({ plan, state }: RunView): number {
  let tasks = 0;
  for (const step of plan.steps) {
    if (step.kind !== 'Map' || step.over.from === 'Input' || state.maps.has(step.index)) continue;
    const inner = plan.steps.filter(
      ({ kind, role, map }) => kind === 'Task' && role === 'Member' && map === step.index,
    );
    tasks += inner.length * countOrNone(() => memberCount(step, itemsOf(step, undefined)));
  }
  return tasks;
}

/** Of one that waited the operator itself says that it took it back. */
function firstStopped(stopped: readonly StepFailure[]): Pick<Summary, 'stopped'> {
  const first = stopped.find(({ type }) => type !== 'Cancelled') ?? stopped[0];
  return first === undefined ? {} : { stopped: first };
}

function countOrNone(members: () => number): number {
  try {
    return members();
  } catch (error) {
    if (failureOfValue(error) === undefined) throw error;
    return 0;
  }
}

function failureRow(run: RunIdentity, view: RunView, { step, member, at }: FailedSlot): StepFailure {
  const place = { step: step.index, member };
  return {
    ...(step.kind === 'Task' ? placeOf(run, view, { step, member, at }) : elementPlace({ step, member })),
    ...attemptOf(view, at),
    ...(step.map === -1 ? {} : itemsAt(view, step, member)),
    ...shownError(failureAt(view, place)),
  };
}

function attemptOf({ state }: RunView, at: number): Pick<StepFailure, 'attempt'> {
  const { attempt } = readSlot(state.slots, at);
  return attempt === 0 ? {} : { attempt };
}

/** The last chunk of a list may be shorter than the others. */
function itemsAt({ plan, state }: RunView, step: PlanStep, member: number): Pick<StepFailure, 'item' | 'items'> {
  const map = plan.steps[step.map];
  if (map?.kind !== 'Map' || map.chunk === undefined) return { item: member };
  const item = member * map.chunk;
  const count = countOrNone(() => itemsOfMap(plan, state, map).count);
  return { item, items: count > item ? Math.min(map.chunk, count - item) : map.chunk };
}

function isUnstoppable(view: RunView, { step, member }: TaskSlot): boolean {
  return readError(failureAt(view, { step: step.index, member }).exc).type === 'Unstoppable';
}

function placeOf(run: RunIdentity, { state }: RunView, { step, member, at }: TaskSlot): NotStopped {
  const taskId = endedTaskId(run, { step: step.index, member }, readSlot(state.slots, at));
  return { ...elementPlace({ step, member }), task: step.task, taskId };
}

function elementPlace({ step, member }: Pick<FailedSlot, 'step' | 'member'>) {
  return { step: step.index, path: step.path, ...nameOf(step), ...(step.map === -1 ? {} : { member }) };
}

/** The final result for status: what the API server takes, or undefined where it is too large or not there. */
export function shownResult({ plan, state, evaluation }: RunView): { readonly value: unknown } | undefined {
  const root = evaluation.states[0] ?? 'Waiting';
  if (!isOver(root) || !isDone(root)) return undefined;
  try {
    const text = valueOf(plan, state, { step: 0, member: 0 });
    return isLongerThan(text, limits.shownResultBytes) ? undefined : { value: parseJson(strictJson(text)) };
  } catch (error) {
    if (failureOfValue(error) !== undefined || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
