import { nullText, type JsonText } from '#core/base/json-text.ts';
import { limits } from '#core/base/limits.ts';
import { wayToRaise } from '#core/base/payload-limits.ts';
import { membersOf } from '#core/canvas/members.ts';
import { stepAt, type MapStep, type Plan, type PlanStep } from '#core/canvas/plan.ts';
import { itemsOf, type Items } from './items.ts';
import { slotOf } from './layout.ts';
import type { RunState } from './run-state.ts';
import { runsOnce } from './runs-once.ts';
import { slotStateAt } from './slots.ts';

const noSecondRun = 'it is not made again, as its retry.onLost is Fail: begin anew with another Workflow';

/** A finished step's value was needed and is not among the kept results. */
export class ResultLost extends Error {
  override readonly name = 'ResultLost';
  readonly step: PlanStep;
  readonly member: number;

  constructor(step: PlanStep, member: number) {
    const says = runsOnce(step) ? `; ${noSecondRun}` : '';
    super(`${step.path}: its result is needed and is not kept any more${says}`);
    this.step = step;
    this.member = member;
  }
}

/** A value is more than may be made of it. */
export class ResultTooLarge extends Error {
  override readonly name = 'ResultTooLarge';
}

/** One member of a step; member 0 where it runs once. */
export interface StepMember {
  readonly step: number;
  readonly member: number;
}

/**
 * The value of an element that is done, as text: a task's result as it was stored, a chain's last value, a chord's body's,
 * a group's or map's list in the order in which it was written, nested as it was written. What was passed over has the
 * value that came in, what failed and was continued null. Throws `ResultLost`, `ResultTooLarge`.
 */
export function valueOf(plan: Plan, state: RunState, at: StepMember): JsonText {
  const step = stepAt(plan, at.step);
  const own = slotStateAt(state.slots, slotOf(plan, state.maps, at.step, at.member));
  if (own === 'PassedOver') return inputOf(plan, state, at) ?? nullText;
  if (own === 'Continued' || isBroken(plan, state, step, at.member)) return nullText;
  return ownValue(plan, state, step, at.member);
}

/** A composite whose failure does not count, and of which something failed. */
function isBroken(plan: Plan, state: RunState, step: PlanStep, member: number): boolean {
  return step.onFailure === 'Continue' && step.kind !== 'Task' && !isWhole(plan, state, step, member);
}

function ownValue(plan: Plan, state: RunState, step: PlanStep, member: number): JsonText {
  switch (step.kind) {
    case 'Task':
      return state.kept.get(slotOf(plan, state.maps, step.index, member)) ?? lost(step, member);
    case 'Chain': {
      const last = step.members.at(-1);
      if (last !== undefined) return valueOf(plan, state, { step: last, member });
      return inputOf(plan, state, { step: step.index, member }) ?? nullText;
    }
    case 'Group':
      return listOf(plan, state, { ...step, member });
    case 'Chord':
      return valueOf(plan, state, { step: step.body, member });
    case 'Map':
      return mapValue(plan, state, step);
  }
}

function lost(step: PlanStep, member: number): never {
  throw new ResultLost(step, member);
}

/** What comes in; undefined where nothing does, so that nothing is prepended. */
export function inputOf(plan: Plan, state: RunState, { step, member }: StepMember): JsonText | undefined {
  const { input } = stepAt(plan, step);
  switch (input.from) {
    case 'Nothing':
      return undefined;
    case 'Step':
      return valueOf(plan, state, { step: input.step, member });
    case 'Header': {
      const chord = stepAt(plan, input.chord);
      if (chord.kind !== 'Chord') throw new RangeError(`step ${input.chord} is not a chord`);
      return listOf(plan, state, { path: chord.path, members: chord.header, member });
    }
    case 'Item':
      return itemsOfMap(plan, state, mapAt(plan, input.map)).item(member);
  }
}

export function mapAt(plan: Plan, index: number): MapStep {
  const map = stepAt(plan, index);
  if (map.kind !== 'Map') throw new RangeError(`step ${index} is not a map`);
  return map;
}

/** The items of a map, found once. Throws `NotAList`, `ResultLost`, `ResultTooLarge`. */
export function itemsOfMap(plan: Plan, state: RunState, map: MapStep): Items {
  const known = state.items.get(map.index);
  if (known !== undefined) return known;
  // No message carries this list as a whole.
  const wide = { ...state, listCharacters: limits.itemsBytes };
  const input = map.over.from === 'Input' ? inputOf(plan, wide, { step: map.index, member: 0 }) : undefined;
  const items = itemsOf(map, input);
  state.items.set(map.index, items);
  return items;
}

interface SideBySide {
  readonly path: string;
  /** Their steps. */
  readonly members: readonly number[];
  readonly member: number;
}

function listOf(plan: Plan, state: RunState, { path, members, member }: SideBySide): JsonText {
  const list = new BoundedList(state, path);
  for (const step of members) list.add(listedValue(plan, state, { step, member }));
  return list.text();
}

/** A list is refused by the lengths of its parts, before it is made: of a wide map it might be more than a string holds. */
class BoundedList {
  readonly #most: number;
  readonly #path: string;
  readonly #values: string[] = [];
  #length = 0;

  constructor({ listCharacters = limits.listBytes }: RunState, path: string) {
    this.#most = listCharacters;
    this.#path = path;
  }

  /** Throws `ResultTooLarge`. */
  add(value: string): void {
    this.#length += value.length + 2;
    if (this.#length > this.#most) {
      const wayOut = `return references instead of values; ${wayToRaise('listBytes')}`;
      throw new ResultTooLarge(`${this.#path}: its list of results is more than ${this.#most} bytes; ${wayOut}`);
    }
    this.#values.push(value);
  }

  text(): JsonText {
    return `[${this.#values.join(', ')}]` as JsonText;
  }
}

/** In a list, what was passed over leaves null: nothing of its own came out of it. */
function listedValue(plan: Plan, state: RunState, at: StepMember): JsonText {
  const own = slotStateAt(state.slots, slotOf(plan, state.maps, at.step, at.member));
  return own === 'PassedOver' ? nullText : valueOf(plan, state, at);
}

/** The values of all members; chunks are lists themselves, and come flattened. */
function mapValue(plan: Plan, state: RunState, map: MapStep): JsonText {
  const { count } = state.maps.get(map.index) ?? { count: 0 };
  const list = new BoundedList(state, map.path);
  for (let member = 0; member < count; member += 1) {
    const value = listedValue(plan, state, { step: map.each, member });
    const text = map.chunk === undefined ? value : value.trim().slice(1, -1).trim();
    if (map.chunk === undefined || text !== '') list.add(text);
  }
  return list.text();
}

/** Whether a composite of `onFailure: Continue` ended well, so that it has a value of its own. */
function isWhole(plan: Plan, state: RunState, step: PlanStep, member: number): boolean {
  switch (step.kind) {
    case 'Task': {
      const own = slotStateAt(state.slots, slotOf(plan, state.maps, step.index, member));
      return own === 'Succeeded' || own === 'PassedOver' || own === 'Continued';
    }
    case 'Map':
      return isWholeMap(plan, state, step);
    default:
      // Of a chord the header too: a body that was skipped may look whole, because its own failure would not count.
      return membersOf(step).every((each) => isWholeAt(plan, state, each, member));
  }
}

function isWholeAt(plan: Plan, state: RunState, index: number, member: number): boolean {
  const step = stepAt(plan, index);
  const own = slotStateAt(state.slots, slotOf(plan, state.maps, index, member));
  if (own === 'PassedOver' || step.onFailure === 'Continue') return true;
  // It may have failed as a whole before anything in it began.
  return own !== 'Failed' && isWhole(plan, state, step, member);
}

function isWholeMap(plan: Plan, state: RunState, map: MapStep): boolean {
  const unfolded = state.maps.get(map.index);
  if (unfolded === undefined) return false;
  for (let member = 0; member < unfolded.count; member += 1) {
    if (!isWholeAt(plan, state, map.each, member)) return false;
  }
  return true;
}
