/** How one task, or an element before it began, ended, as it was recorded; `text` is what was kept. */
export interface RecordedEnd {
  readonly state: 'Succeeded' | 'Failed' | 'Continued' | 'PassedOver' | 'Cancelled' | 'Lost' | 'Open';
  readonly text: string;
}

/** One call that may happen, once an attempt. */
export interface ExpectedCall {
  readonly task: string;
  readonly step: number;
  readonly member: number;
  /** JSON texts of what the task gets; of an errback or `finally`: its own arguments, without what it is told. */
  readonly args: readonly string[];
  readonly kwargs: string;
  /** Of a chunk: its items, for each of which one worker calls the task in turn. */
  readonly items?: readonly string[];
  /** Calls that must have ended before this one is sent. */
  readonly after: readonly string[];
  /** Of an errback: what failed. */
  readonly failed?: { readonly step: number; readonly member: number };
  readonly isFinally: boolean;
  /** False where a cancel may have kept it from running, or the engine itself ended it. */
  readonly isCertain: boolean;
  /** It cannot be called: it fails without. */
  readonly isNever?: boolean;
}

export type ReferenceState = 'Succeeded' | 'Failed' | 'Continued' | 'PassedOver' | 'Cancelled' | 'Skipped';

export interface Reference {
  /** By `step/member`. */
  readonly calls: ReadonlyMap<string, ExpectedCall>;
  readonly states: ReadonlyMap<string, ReferenceState>;
  /** Items of each map that began, by step. */
  readonly members: ReadonlyMap<number, number>;
  /** The root's value; undefined when it did not succeed. */
  readonly value: string | undefined;
  /** Member tasks that failed, and maps that did before they had any, by `step/member`, in the order of their steps. */
  readonly failed: readonly string[];
}

export function keyOf(step: number, member: number): string {
  return `${step}/${member}`;
}

/** What a record says of a member that it does not know. */
export const unknownEnd: RecordedEnd = { state: 'Open', text: '' };
