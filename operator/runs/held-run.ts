import type { LiveRun } from './live-run.ts';

/** Nothing of the run is sent for the present, not even what was decided on: it is suspended, or its round not noted yet. */
export function isHeld({ settings, view, identity, releasedRound }: LiveRun): boolean {
  return (settings.suspended && view.state.cancelled === '') || identity.round > releasedRound;
}
