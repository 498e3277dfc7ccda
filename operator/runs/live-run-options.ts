import type { Plan } from '#core/canvas/plan.ts';
import type { StoredRun } from '#core/workflow/advance.ts';
import type { RunKey } from '#io/runs/run-store.ts';
import type { InboxRoom } from './inbox-room.ts';
import type { Router } from './route.ts';
import type { RunPorts } from './run-ports.ts';
import type { RunSettings } from './run-settings.ts';
import type { Window } from './window.ts';

export interface LiveRunOptions {
  readonly key: RunKey;
  readonly plan: Plan;
  readonly router: Router;
  readonly stored: StoredRun;
  readonly settings: RunSettings;
}

export interface LiveRunPorts extends Pick<RunPorts, 'store' | 'results' | 'newTag' | 'clock' | 'payloadLimits'> {
  /** The clock of the run's Redis. */
  readonly home: { nowMs(): number };
  readonly window: Window;
  readonly room: InboxRoom;
}
