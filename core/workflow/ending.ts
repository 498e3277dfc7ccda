import type { Cancelled } from './advance.ts';
import type { ElementState } from './element-state.ts';

/** How a run ended, in the words of status and as `finally` is told. */
export interface Ending {
  readonly state: 'Succeeded' | 'Failed' | 'Cancelled';
  readonly reason: 'Succeeded' | 'Failed' | Exclude<Cancelled, ''>;
}

/** By where its root stands; of a run that goes on, what would be said of it now. */
export function endingOf(root: ElementState, cancelled: Cancelled): Ending {
  if (root === 'Succeeded') return { state: 'Succeeded', reason: 'Succeeded' };
  if (cancelled === 'DeadlineExceeded') return { state: 'Failed', reason: cancelled };
  const state = root === 'Cancelled' || cancelled === 'Cancelled' ? 'Cancelled' : 'Failed';
  return { state, reason: state };
}
