import { isDone, isOver, type ElementState } from './element-state.ts';

/** Whether an element may begin: what it needs is still open, is there, or will never be. */
export type Admission = 'Closed' | 'Open' | 'Barred';

/** An element without members is done as soon as it may begin. */
export function emptyState(admission: Admission): ElementState {
  return admission === 'Open' ? 'Succeeded' : admission === 'Closed' ? 'Waiting' : 'Skipped';
}

export function admissionAfter(state: ElementState): Admission {
  if (isDone(state)) return 'Open';
  return isOver(state) ? 'Barred' : 'Closed';
}

/** Callbacks are called with a result: what was passed over or continued after its failure has none of its own. */
export function admissionOfLink(state: ElementState): Admission {
  if (state === 'Succeeded') return 'Open';
  return isOver(state) ? 'Barred' : 'Closed';
}

/** Errbacks are called for what failed or was cancelled, never for what something else's failure kept from running. */
export function admissionOfErrback(state: ElementState): Admission {
  if (state === 'Failed' || state === 'Continued' || state === 'Cancelled') return 'Open';
  return isOver(state) ? 'Barred' : 'Closed';
}
