import { parseJson, type JsonText } from '#core/base/json-text.ts';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { planOf } from '#core/canvas/compile.ts';
import { normalise } from '#core/canvas/normalise.ts';
import type { WorkflowSpec } from '#core/resources/workflow.ts';
import type { Cancelled } from '#core/workflow/advance.ts';
import type { Plan } from '#core/canvas/plan.ts';
import type { RunState } from '#core/workflow/run-state.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import { decide } from '#core/workflow/decide.ts';
import { evaluate } from '#core/workflow/evaluate.ts';
import { initialState } from '#core/workflow/initial-state.ts';
import { slotOf } from '#core/workflow/layout.ts';
import { encodeSlot, slotBytes, type Slot } from '#core/workflow/slots.ts';

/** What became of one member of a task, by the task's name; of a task that runs once, member 0. */
export interface Became extends Partial<Slot> {
  readonly member?: number;
  readonly kept?: string;
}

export interface RunViewOptions {
  readonly cancelled?: Cancelled;
  readonly nowTicks?: number;
  readonly begunAtMs?: number;
}

const untouched: Slot = { state: 'Waiting', lost: 0, carried: false, attempt: 0, atTicks: 0 };

/** A run of which maps have begun and tasks became what is said; what follows is evaluated. */
export function aRunView(
  spec: object,
  became: Readonly<Record<string, readonly Became[]>> = {},
  { cancelled = '', nowTicks = 0, begunAtMs = 0 }: RunViewOptions = {},
): RunView {
  const plan = planOf(normalise(parseJson(JSON.stringify(spec)) as WorkflowSpec));
  const run = { name: 'w', namespace: 'n', uid: 'u' };
  const payloadLimits = defaultPayloadLimits;
  const context = { nowTicks: 0, run48: 'aaaaaaaaaaaa', run, payloadLimits };
  const begun = decide(plan, initialState(begunAtMs), [], context).state;
  const state = { ...begun, ...withBecome(plan, begun, became), cancelled };
  return { plan, state, evaluation: evaluate(plan, state, { nowTicks, judge: () => 'Holds' }), payloadLimits };
}

function withBecome(
  plan: Plan,
  begun: RunState,
  became: Readonly<Record<string, readonly Became[]>>,
): Pick<RunState, 'slots' | 'kept'> {
  const kept = new Map<number, JsonText>();
  const slots = begun.slots.slice();
  for (const step of plan.steps) {
    for (const { member = 0, kept: text, ...slot } of step.kind === 'Task' ? (became[step.task] ?? []) : []) {
      const at = slotOf(plan, begun.maps, step.index, member);
      slots.set(encodeSlot({ ...untouched, ...slot }), at * slotBytes);
      if (text !== undefined) kept.set(at, text as JsonText);
    }
  }
  return { slots, kept };
}
