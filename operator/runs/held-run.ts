import type { RunIdentity } from '#core/workflow/message.ts';
import type { RunView } from '#core/workflow/run-view.ts';
import type { RunSettings } from './run-settings.ts';

interface Held {
  readonly settings: RunSettings;
  readonly view: RunView;
  readonly identity: RunIdentity;
  /** The latest round of which something may be sent. */
  readonly releasedRound: number;
}

/** Nothing of the run is sent for the present, not even what was decided on: it is suspended, or its round not noted yet. */
export function isHeld({ settings, view, identity, releasedRound }: Held): boolean {
  return (settings.suspended && view.state.cancelled === '') || identity.round > releasedRound;
}
