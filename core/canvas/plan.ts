import type { JsonText } from '#core/base/json-text.ts';
import type { Condition } from '#core/expressions/condition.ts';
import type { MapSource, TaskOptions } from './element.ts';

/**
 * How plans are made from canvases. Stands in the head of every run: an operator that does not know a run's version
 * leaves the run alone. Raise it when the same canvas would be numbered or connected in another way.
 */
export const planVersion = 2;

/** `Member` takes part in the canvas; the others are called when something has ended. */
export type StepRole = 'Member' | 'Link' | 'LinkError' | 'Finally';

/**
 * Where a step's incoming value comes from: from nowhere, from a step's value, from the list of a chord's header, or from
 * a map, one item for each member.
 */
export type StepInput =
  | { readonly from: 'Nothing' }
  | { readonly from: 'Step'; readonly step: number }
  | { readonly from: 'Header'; readonly chord: number }
  | { readonly from: 'Item'; readonly map: number };

/** An argument: text, or text around the values of steps. */
export type Argument = JsonText | readonly (string | { readonly step: number })[];

/** A condition, and which steps its names mean. */
export interface StepCondition {
  readonly condition: Condition;
  readonly steps: ReadonlyMap<string, number>;
}

interface StepPlace {
  /** Pre-order index in the canvas as its author wrote it: element, children, link, linkError; `finally` last. */
  readonly index: number;
  /** As the author would find it: `spec.chain[1].group[0]`. */
  readonly path: string;
  readonly role: StepRole;
  /** The composite it is a member of, or the element it is a handler of; -1 for the root and for `finally`. */
  readonly parent: number;
  /** The map for each of whose items it runs; -1 for a step that runs once. */
  readonly map: number;
  readonly input: StepInput;
  readonly links: readonly number[];
  readonly linkErrors: readonly number[];
  /** Whether anything asks for this step's value: a mutable successor, a list, a callback, a name, the final result. */
  readonly valueWanted: boolean;
  readonly name?: string;
  readonly when?: StepCondition;
  readonly onFailure: 'Fail' | 'Continue';
}

export interface TaskStep extends StepPlace, TaskOptions {
  readonly kind: 'Task';
  readonly task: string;
  readonly args: readonly Argument[];
  readonly kwargs: Argument;
  readonly immutable: boolean;
}

export interface ChainStep extends StepPlace {
  readonly kind: 'Chain';
  readonly members: readonly number[];
}

export interface GroupStep extends StepPlace {
  readonly kind: 'Group';
  readonly members: readonly number[];
}

export interface ChordStep extends StepPlace {
  readonly kind: 'Chord';
  readonly header: readonly number[];
  readonly body: number;
}

/** Its members are folded: the steps `each` to `each + width - 1` stand for every item. */
export interface MapStep extends StepPlace {
  readonly kind: 'Map';
  readonly each: number;
  /** Steps of what runs for each item, its handlers included. */
  readonly width: number;
  readonly over: MapSource;
  readonly unpack: boolean;
  readonly chunk?: number;
}

export type PlanStep = TaskStep | ChainStep | GroupStep | ChordStep | MapStep;

/** A canvas compiled: `steps[i].index === i`, the root is step 0. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  readonly finally: readonly number[];
  /** Steps by the names that their author gave. */
  readonly names: ReadonlyMap<string, number>;
}

/** Throws RangeError for a number that the plan has no step for. */
export function stepAt(plan: Plan, index: number): PlanStep {
  const step = plan.steps[index];
  if (step === undefined) throw new RangeError(`the plan has ${plan.steps.length} steps and none of index ${index}`);
  return step;
}
