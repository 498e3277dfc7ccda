import type { JsonText } from '#core/base/json-text.ts';

/** A signature: a call described but not made. Arguments are JSON text, each as its author wrote it. */
export interface TaskElement {
  readonly kind: 'Task';
  readonly task: string;
  readonly args: readonly JsonText[];
  /** One JSON object. */
  readonly kwargs: JsonText;
  /** Celery's `.si()`: the incoming value is not prepended. */
  readonly immutable: boolean;
  /** A TaskQueue's name; absent: routed by task name. */
  readonly queue?: string;
  readonly link: readonly TaskElement[];
  readonly linkError: readonly TaskElement[];
}

export interface ChainElement {
  readonly kind: 'Chain';
  readonly members: readonly Element[];
  readonly link: readonly TaskElement[];
  readonly linkError: readonly TaskElement[];
}

export interface GroupElement {
  readonly kind: 'Group';
  readonly members: readonly Element[];
  readonly link: readonly TaskElement[];
  readonly linkError: readonly TaskElement[];
}

export interface ChordElement {
  readonly kind: 'Chord';
  readonly header: readonly Element[];
  readonly body: Element;
  readonly link: readonly TaskElement[];
  readonly linkError: readonly TaskElement[];
}

/** What a Workflow's author wrote, as a closed union. */
export type Element = TaskElement | ChainElement | GroupElement | ChordElement;

/** A whole run: the element at its root, and what runs once when all else has ended. */
export interface Canvas {
  readonly root: Element;
  readonly finally: readonly TaskElement[];
}
