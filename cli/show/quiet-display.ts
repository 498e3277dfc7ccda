import type { RunDisplay } from './run-display.ts';

/** Shows nothing while the run goes on. */
export const quietDisplay: RunDisplay = {
  show: () => undefined,
  log: () => undefined,
  say: () => undefined,
  end: () => undefined,
};
