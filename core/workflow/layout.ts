import { stepAt, type Plan, type PlanStep, type TaskStep } from '#core/canvas/plan.ts';
import { memberOffset, type UnfoldedMaps } from './unfolded.ts';

/** The slot of one member of a step; of a step that runs once, whatever the member, its own. */
export function slotOf(plan: Plan, maps: UnfoldedMaps, step: number, member: number): number {
  const { map } = stepAt(plan, step);
  return map === -1 ? step : step + offsetOf(maps, map, member);
}

/** See `memberOffset`. Throws RangeError for a map that has not begun. */
export function offsetOf(maps: UnfoldedMaps, map: number, member: number): number {
  const unfolded = maps.get(map);
  if (unfolded === undefined) throw new RangeError(`map ${map} has no members yet`);
  return memberOffset(map, unfolded, member);
}

/** Slots of a run: those of its steps, and those of its maps' members. */
export function slotCount(plan: Plan, maps: UnfoldedMaps): number {
  let count = plan.steps.length;
  for (const { base, count: members, width } of maps.values()) count = Math.max(count, base + members * width);
  return count;
}

/** Calls for every slot of the plan's tasks: literal ones and those of unfolded maps, in slot order of each step. */
export function forEachTaskSlot(
  plan: Plan,
  maps: UnfoldedMaps,
  visit: (step: TaskStep, member: number, slot: number) => void,
): void {
  for (const step of plan.steps) if (step.kind === 'Task') visitSlots(step, maps, visit);
}

/** The same for every slot, those of composites included. */
export function forEachSlot(
  plan: Plan,
  maps: UnfoldedMaps,
  visit: (step: PlanStep, member: number, slot: number) => void,
): void {
  for (const step of plan.steps) visitSlots(step, maps, visit);
}

function visitSlots<S extends PlanStep>(
  step: S,
  maps: UnfoldedMaps,
  visit: (step: S, member: number, slot: number) => void,
): void {
  if (step.map === -1) {
    visit(step, 0, step.index);
    return;
  }
  const unfolded = maps.get(step.map);
  if (unfolded === undefined) return;
  const first = step.index + memberOffset(step.map, unfolded, 0);
  for (let member = 0; member < unfolded.count; member += 1) visit(step, member, first + member * unfolded.width);
}
