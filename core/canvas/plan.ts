import type { JsonText } from '#core/base/json-text.ts';

/**
 * How plans are made from canvases. Stands in the head of every run: an operator that does not know a run's version
 * leaves the run alone. Raise it when the same canvas would be numbered or connected in another way.
 */
export const planVersion = 1;

/** `Member` takes part in the canvas; the others are called when something has ended. */
export type StepRole = 'Member' | 'Link' | 'LinkError' | 'Finally';

/** Where a step's incoming value comes from: from nowhere, from a step's value, or from the list of a chord's header. */
export type StepInput =
  | { readonly from: 'Nothing' }
  | { readonly from: 'Step'; readonly step: number }
  | { readonly from: 'Header'; readonly chord: number };

interface StepPlace {
  /** Pre-order index in the canvas as its author wrote it: element, children, link, linkError; `finally` last. */
  readonly index: number;
  /** As the author would find it: `spec.chain[1].group[0]`. */
  readonly path: string;
  readonly role: StepRole;
  /** The composite it is a member of, or the element it is a handler of; -1 for the root and for `finally`. */
  readonly parent: number;
  readonly input: StepInput;
  readonly links: readonly number[];
  readonly linkErrors: readonly number[];
  /** Whether anything asks for this step's value: a mutable successor, a list, a callback, the final result. */
  readonly valueWanted: boolean;
}

export interface TaskStep extends StepPlace {
  readonly kind: 'Task';
  readonly task: string;
  readonly args: readonly JsonText[];
  readonly kwargs: JsonText;
  readonly immutable: boolean;
  readonly queue?: string;
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

export type PlanStep = TaskStep | ChainStep | GroupStep | ChordStep;

/** A canvas compiled: `steps[i].index === i`, the root is step 0. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  readonly finally: readonly number[];
  /** Tasks of role Member: what progress counts. */
  readonly memberTasks: number;
}
