import type { StoredRun } from '#core/workflow/advance.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import type { Evaluation } from '#core/workflow/evaluation.ts';
import { judgeOf } from '#core/workflow/judge.ts';
import { slotOf } from '#core/workflow/layout.ts';
import type { RunState } from '#core/workflow/run-state.ts';
import { readSlot, type Slot } from '#core/workflow/slots.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import type { WorkflowCase } from './workflow-case.ts';

/** What a run's world was like. */
export interface Circumstances {
  /** Something happened that may keep a task from ever answering. */
  readonly mayLose: boolean;
  /** Messages or their records may be there twice. */
  readonly mayRepeat: boolean;
  /** Times that Redis forgot something. */
  readonly losses: number;
  readonly latencyMs: number;
  /** Nothing but time kept its tasks from being sent. */
  readonly isPrompt: boolean;
}

/** A run that ended, as its store holds it. */
export interface EndedRun extends Circumstances {
  readonly workflow: WorkflowCase;
  readonly run: RunKey;
  readonly stored: StoredRun;
}

export function stateOf({ slots, kept, maps, head }: StoredRun): RunState {
  const { cancelled, begunAtMs } = head;
  return { slots, kept, maps, cancelled, begunAtMs, items: new Map(), admitted: new Set() };
}

export function stageOf(workflow: WorkflowCase, stored: StoredRun): Evaluation['stage'] {
  return evaluationOf({ workflow, stored }).stage;
}

export function evaluationOf({ workflow, stored }: Pick<EndedRun, 'workflow' | 'stored'>): Evaluation {
  const state = stateOf(stored);
  const [namespace = '', name = ''] = workflow.key.split('/');
  const judge = judgeOf(workflow.plan, state, { name, namespace, uid: workflow.uid });
  return evaluate(workflow.plan, state, { nowTicks: Number.MAX_SAFE_INTEGER, judge });
}

/** The slot of a member; undefined where its map has no members. */
export function slotAt({ workflow, stored }: EndedRun, step: number, member: number): Slot | undefined {
  const { map } = workflow.plan.steps[step]!;
  if (map !== -1 && member >= (stored.maps.get(map)?.count ?? 0)) return undefined;
  return readSlot(stored.slots, slotOf(workflow.plan, stored.maps, step, member));
}
