/** The moment at which it runs. */
export function start_clock(): string {
  return new Date().toISOString();
}

export function read_clock(startedAt: string): { startedAt: string; waitedMs: number } {
  return { startedAt, waitedMs: Date.now() - Date.parse(startedAt) };
}
