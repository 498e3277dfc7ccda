import type { AdvanceAnswer, StoredRun } from '#core/workflow/advance.ts';

type Refusal = Exclude<AdvanceAnswer, { ok: true }>['refusal'];

/** What became of one turn of a run. `Refused` carries why; the caller knows what to do about it. */
export type Turn =
  | { readonly did: 'Nothing' | 'Something' }
  /** `older`: what stands is older than what this operator was told is done. */
  | { readonly did: 'Refused'; readonly refusal: Refusal; readonly older?: StoredRun };
