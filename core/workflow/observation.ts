import type { JsonText } from '#core/base/json-text.ts';
import type { Failure } from './failure.ts';

/** Something seen about one attempt of one member of a step. Any may be missed, repeated, late or out of order. */
export type Observation = { readonly step: number; readonly member: number; readonly attempt: number } & (
  | { readonly seen: 'Started' }
  | { readonly seen: 'Retrying' }
  /** A state of the task's own making, by Celery's `update_state`; shown, never recorded. */
  | { readonly seen: 'Reported'; readonly report: Report }
  | { readonly seen: 'Succeeded'; readonly result: JsonText }
  /** It succeeded, with a result that nobody fetches: it is longer than a run keeps. */
  | { readonly seen: 'TooLarge'; readonly bytes: number }
  | { readonly seen: 'Failed'; readonly failure: Failure }
  | { readonly seen: 'Revoked'; readonly failure: Failure }
  /** The worker is gone, or said that the task was lost with its process: not the task's own failure. */
  | { readonly seen: 'Lost'; readonly failure: Failure }
);

/** What a running task says of itself: the state's name, and how far it is where its meta tells that in numbers. */
export interface Report {
  readonly state: string;
  readonly done?: number;
  readonly total?: number;
}

/** What an attempt said of itself last. */
export interface AttemptReport extends Report {
  readonly attempt: number;
}

/** What running tasks said of themselves last, by slot; of an earlier attempt, it tells nothing of a later one. */
export type Reports = ReadonlyMap<number, AttemptReport>;

/** How the latest attempt of a task ended that was to be repeated, by slot: its number, and the error in few words. */
export type LastErrors = ReadonlyMap<number, { readonly attempt: number; readonly text: string }>;
