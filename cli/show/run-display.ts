import type { WorkflowStatus } from '#core/resources/workflow-status.ts';
import type { LogEntry } from './log-line.ts';
import type { ShownState } from './shown-state.ts';

/** What a display is shown of a run. */
export interface RunSight {
  readonly status: WorkflowStatus;
  readonly states: ReadonlyMap<string, ShownState>;
}

/** Shows a run while it goes on. */
export interface RunDisplay {
  /** There is something new to see; called as often as one likes. */
  show(): void;
  log(entry: LogEntry): void;
  /** A sentence of the program's own. */
  say(text: string): void;
  /** Shows what is last to be seen, and leaves the terminal as it was. */
  end(): void;
}
