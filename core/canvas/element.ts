import type { JsonText } from '#core/base/json-text.ts';

/** What stands for the result of a named step within an argument. */
export interface ResultReference {
  readonly name: string;
}

/** An argument as its author wrote it: JSON text, or text around the results of named steps. */
export type ArgumentText = JsonText | readonly (string | ResultReference)[];

export interface RetryPolicy {
  /** Further attempts after the first. */
  readonly maxRetries: number;
  /** The wait before the first retry; each further one doubles it, up to `maxBackoffMs`. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** Whether waits are spread over their upper half, so that many who failed together do not come back together. */
  readonly jitter: boolean;
  /** Names of exceptions that are tried again, of the class alone or with its module; absent: all. */
  readonly for?: readonly string[];
  /** A TaskQueue for the retries. */
  readonly escalateTo?: string;
  /** What becomes of an attempt that was lost with its worker. */
  readonly onLost: 'Retry' | 'Fail';
}

/** When a task is of no use any more: so long after it became due, or at a moment. Milliseconds. */
export type Expiry = { readonly afterMs: number } | { readonly atMs: number };

/** How a task is to be sent and bounded; all optional. */
export interface TaskOptions {
  /** A TaskQueue's name; absent: routed by task name. */
  readonly queue?: string;
  /** 0 to 9, 9 the most urgent; absent: as Celery sends messages without one. */
  readonly priority?: number;
  readonly countdownMs?: number;
  /** Milliseconds since 1970. */
  readonly etaMs?: number;
  readonly expires?: Expiry;
  readonly retry?: RetryPolicy;
  readonly timeLimitMs?: number;
  readonly softTimeLimitMs?: number;
  /** From when an attempt is due until a worker begins it. */
  readonly waitLimitMs?: number;
}

/** What any element may have. */
interface ElementPlace {
  readonly name?: string;
  /** CEL over earlier results. */
  readonly when?: string;
  readonly onFailure: 'Fail' | 'Continue';
  readonly link: readonly TaskElement[];
  readonly linkError: readonly TaskElement[];
}

/** A signature: a call described but not made. Arguments are JSON text, each as its author wrote it. */
export interface TaskElement extends ElementPlace, TaskOptions {
  readonly kind: 'Task';
  readonly task: string;
  readonly args: readonly ArgumentText[];
  /** One JSON object. */
  readonly kwargs: ArgumentText;
  /** Celery's `.si()`: the incoming value is not prepended. */
  readonly immutable: boolean;
}

export interface ChainElement extends ElementPlace {
  readonly kind: 'Chain';
  readonly members: readonly Element[];
}

export interface GroupElement extends ElementPlace {
  readonly kind: 'Group';
  readonly members: readonly Element[];
}

export interface ChordElement extends ElementPlace {
  readonly kind: 'Chord';
  readonly header: readonly Element[];
  readonly body: Element;
}

/** Where the items of a map come from. `Input`: the incoming value, which is a list. */
export type MapSource =
  | { readonly from: 'List'; readonly items: readonly JsonText[] }
  | { readonly from: 'Range'; readonly start: number; readonly stop: number; readonly step: number }
  | { readonly from: 'Input' };

export interface MapElement extends ElementPlace {
  readonly kind: 'Map';
  readonly each: Element;
  readonly over: MapSource;
  /** Celery's starmap: each item is a list, and its entries are the arguments. */
  readonly unpack: boolean;
  /** So many items in one message, by Celery's built-in `celery.map`; absent: one item, one call. */
  readonly chunk?: number;
}

/** What a Workflow's author wrote, as a closed union. */
export type Element = TaskElement | ChainElement | GroupElement | ChordElement | MapElement;

/** A whole run: the element at its root, and what runs once when all else has ended. */
export interface Canvas {
  readonly root: Element;
  readonly finally: readonly TaskElement[];
}
