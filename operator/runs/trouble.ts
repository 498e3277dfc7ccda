import type { Verdict } from '#core/workflow/verdict.ts';

/** Why a run stands still for now; it is tried again by itself. */
export interface Trouble extends Pick<Verdict, 'message'> {
  /** The store or broker does not answer, or the operator itself is at fault. */
  readonly reason: Extract<Verdict['reason'], 'ConnectionNotReady' | 'OperatorError'>;
}

/** What no server answers with: these say that a program is wrong, or was given more than it can hold. */
const defects = [TypeError, RangeError, ReferenceError, SyntaxError];

export function troubleOf(error: unknown): Trouble {
  const text = error instanceof Error ? error.message : String(error);
  if (defects.some((defect) => error instanceof defect)) {
    return { reason: 'OperatorError', message: `the operator failed and tries again: ${text}` };
  }
  return { reason: 'ConnectionNotReady', message: `the run goes on when its Redis answers: ${text}` };
}
