import { expect } from 'vitest';
import { entries, elements } from '#core/base/json-span.ts';
import { parseJson } from '#core/base/json-text.ts';
import { taskIdOf } from '#core/workflow/message.ts';
import { readSlot } from '#core/workflow/slots.ts';
import { valueOf } from '#core/workflow/value.ts';
import { tasksOf, type TreeRun } from './canvas-tree.ts';
import { referenceRun, type ExpectedCall, type Reference, type TaskEnd } from './reference-run.ts';
import { idIn, type SimulatedRun } from './simulated-run.ts';
import { exceptionText, idOf, type Execution } from './simulated-workers.ts';
import type { StoredRun } from '#core/workflow/advance.ts';

/**
 * Holds a run that ended to what its canvas means. How each task ended is taken from what was recorded; everything else
 * — who was called, with what, how often, after whom, and what came out — is the reference's word against the engine's.
 */
export async function expectPromisesKept(tree: TreeRun, run: SimulatedRun): Promise<Reference> {
  const stored = await run.store.read();
  const evaluation = await run.evaluation();
  expect(evaluation.stage).toBe('Ended');
  expect(evaluation.due).toEqual([]);
  const reference = referenceRun(tree, recordedEnds(tree, run, stored));
  expect(run.plan.steps.map(({ path }) => path)).toEqual(reference.paths);
  expect(evaluation.states).toEqual(reference.states);
  expectCalls(run, stored, reference);
  expectOrder(run, reference);
  const told = new Set(tree.finally.map(({ name }) => name));
  for (const each of run.workers.executions) expectArguments(each, run, { reference, stored, told });
  const value = reference.value === undefined ? undefined : valueOf(run.plan, { ...stored, cancelled: false }, 0);
  expect(value).toBe(reference.value);
  return reference;
}

const stepOf = (run: SimulatedRun, task: string): number =>
  run.plan.steps.findIndex((step) => step.kind === 'Task' && step.task === task);

/** A failure counts from the newest attempt only, so that is whose exception stands. */
function recordedEnds(tree: TreeRun, run: SimulatedRun, stored: StoredRun): (task: string) => TaskEnd {
  const tasks = tasksOf(tree);
  return (task) => {
    const step = stepOf(run, task);
    const { state, attempt, carried } = readSlot(stored.slots, step);
    const bodies = run.workers.executions.filter((each) => each.task === task);
    if (state === 'Failed') {
      expect(bodies.some((each) => each.attempt === attempt && !each.succeeded)).toBe(true);
      expect(stored.kept.get(step)).toBe(`{"exc":${exceptionText(task, attempt)},"traceback":"tb\\n"}`);
      return { succeeded: false, text: exceptionText(task, attempt) };
    }
    expect(`${task} ${state}`).toBe(`${task} Succeeded`);
    expect(bodies.some(({ succeeded }) => succeeded || carried)).toBe(true);
    return { succeeded: true, text: tasks.get(task)!.result };
  };
}

/** Who is to be called was called, each attempt by exactly one message; nobody else was. */
function expectCalls(run: SimulatedRun, stored: StoredRun, reference: Reference): void {
  const expected = [...reference.calls.keys()].map((task) => stepOf(run, task)).sort((a, b) => a - b);
  const executed = new Set(run.workers.executions.map(({ step }) => step));
  expect([...executed].sort((a, b) => a - b)).toEqual(expected);
  const sent = run.store.pushed.map(({ message }) => idOf(idIn(message)));
  if (sent.length === 0) return;
  const attempts = expected.flatMap((step) => {
    const { attempt } = readSlot(stored.slots, step);
    return Array.from({ length: attempt + 1 }, (_, each) => `${step}.${each}`);
  });
  expect(sent.map(({ step, attempt }) => `${step}.${attempt}`).sort()).toEqual(attempts.sort());
}

/** Nothing is sent before all that it needs has been recorded. */
function expectOrder(run: SimulatedRun, reference: Reference): void {
  const taskAt = new Map([...reference.calls.keys()].map((task) => [stepOf(run, task), task]));
  for (const { message, call } of run.store.pushed) {
    const task = taskAt.get(idOf(idIn(message)).step);
    for (const before of reference.calls.get(task ?? '')?.after ?? []) {
      const endedAt = run.store.endedAt.get(stepOf(run, before)) ?? Number.POSITIVE_INFINITY;
      if (endedAt > call)
        throw new Error(`${task ?? '?'} was sent in call ${call}, before ${before} ended (${endedAt})`);
    }
  }
}

interface Known {
  readonly reference: Reference;
  readonly stored: StoredRun;
  /** Names of the tasks of `finally`. */
  readonly told: ReadonlySet<string>;
}

function expectArguments(each: Execution, run: SimulatedRun, known: Known): void {
  const call = known.reference.calls.get(each.task);
  if (call === undefined) throw new Error(`${each.task} ran and should not`);
  expect(each.kwargs).toBe(call.kwargs);
  const step = run.plan.steps[each.step];
  const isTold = step?.kind === 'Task' && !step.immutable;
  if (call.failed !== undefined) expectErrback(each, call, { run, known, isTold });
  else if (known.told.has(each.task) && isTold) expectFinally(each, call, { run, known });
  else expect(each.args).toEqual(wire(call.args));
}

function expectFinally(
  each: Execution,
  call: ExpectedCall,
  { run, known }: { readonly run: SimulatedRun; readonly known: Known },
): void {
  const [outcome = '', ...own] = each.args;
  expect(own).toEqual(wire(call.args));
  const { reference, stored } = known;
  const state = reference.value === undefined ? 'Failed' : 'Succeeded';
  const identity = { ...run.store.run, round: 0 };
  const failed = reference.failed.map((task) => {
    const step = stepOf(run, task);
    return taskIdOf(identity, step, readSlot(stored.slots, step).attempt);
  });
  expect(parseJson(outcome)).toEqual({ state, reason: state, failed });
}

function expectErrback(
  each: Execution,
  call: ExpectedCall,
  { run, known, isTold }: { readonly run: SimulatedRun; readonly known: Known; readonly isTold: boolean },
): void {
  const task = call.failed ?? '';
  const failedCall = known.reference.calls.get(task)!;
  const { attempt } = readSlot(known.stored.slots, stepOf(run, task));
  if (each.told !== undefined) {
    expect(each.args).toEqual(wire(call.args));
    expect(each.told).toEqual({ task, args: wire(failedCall.args), kwargs: failedCall.kwargs });
    return;
  }
  if (!isTold) {
    expect(each.args).toEqual(wire(call.args));
    return;
  }
  const [request = '', exc, traceback, ...own] = each.args;
  expect(own).toEqual(wire(call.args));
  expect([exc, traceback]).toEqual([exceptionText(task, attempt), '"tb\\n"']);
  const fields = entries(request)!;
  expect(fields.get('task')).toBe(`"${task}"`);
  expect(fields.get('id')).toBe(`"${taskIdOf({ ...run.store.run, round: 0 }, stepOf(run, task), attempt)}"`);
  expect(fields.get('kwargs')).toBe(failedCall.kwargs);
  expect(elements(fields.get('args') ?? '')).toEqual(wire(failedCall.args));
}

/** As the wire writes texts: in ASCII, as Python does. Numbers and spaces are left as they are. */
function wire(texts: readonly string[]): readonly string[] {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return texts.map((text) => text.replace(/[\u0080-\uffff]/g, escaped));
}
