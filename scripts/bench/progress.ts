const started = performance.now();

/** One line on stderr with the seconds since the start: stdout is for the table. */
export function progress(message: string): void {
  console.error(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${message}`);
}
