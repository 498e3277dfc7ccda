import type { RunDisplay } from './run-display.ts';
import type { Terminal } from './terminal.ts';

/** Shows nothing while the run goes on; says only what the program itself has to say. */
export function quietDisplay(terminal: Terminal): RunDisplay {
  return {
    show: () => undefined,
    log: () => undefined,
    say: (text) => terminal.err(`${text}\n`),
    end: () => undefined,
  };
}
