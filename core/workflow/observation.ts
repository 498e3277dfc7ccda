import type { JsonText } from '#core/base/json-text.ts';
import type { Failure } from './failure.ts';

/** Something seen about one attempt of one step. Any may be missed, repeated, late or out of order. */
export type Observation = { readonly step: number; readonly attempt: number } & (
  | { readonly seen: 'Started' }
  | { readonly seen: 'Retrying' }
  | { readonly seen: 'Succeeded'; readonly result: JsonText }
  | { readonly seen: 'Failed'; readonly failure: Failure }
  | { readonly seen: 'Revoked'; readonly failure: Failure }
  /** The worker is gone, or said that the task was lost with its process: not the task's own failure. */
  | { readonly seen: 'Lost'; readonly failure: Failure }
);
