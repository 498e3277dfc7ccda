import type { ControlPlane } from './control-plane.ts';
import type { Launcher } from './processes.ts';
import type { Slot } from './slot.ts';

/** What each further part of a full cluster is started with. */
export type ClusterParts = {
  readonly launcher: Launcher;
  readonly binary: string;
  readonly slot: Slot;
  readonly controlPlane: ControlPlane;
};
