import type { AdvanceAnswer } from '#core/workflow/advance.ts';
import type { RecoveredRun } from '#core/workflow/recover.ts';

type Refusal = Exclude<AdvanceAnswer, { ok: true }>['refusal'];

/** What became of one turn of a run; the caller knows what to do about it. */
export type Turn =
  /** `wasWritten`: the store acknowledged a change. Default false. */
  | { readonly did: 'Nothing' | 'Something'; readonly wasWritten?: boolean }
  | { readonly did: 'Refused'; readonly refusal: Refusal }
  /** Its Redis lost data of it: what is to be written back; undefined when there are no more rounds for that. */
  | { readonly did: 'Lost'; readonly recovered: RecoveredRun | undefined };
