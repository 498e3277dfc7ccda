/** A span for people: `420ms`, `3.2s`, `1m3s`, `2h5m`, `3d4h`. Negative spans, which clocks may make, are `0ms`. */
export function durationText(spanMs: number): string {
  const ms = Math.max(0, Math.round(spanMs));
  if (ms < 1_000) return `${ms}ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10}s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return pair(seconds, 60, 'm', 's');
  if (seconds < 86_400) return pair(Math.floor(seconds / 60), 60, 'h', 'm');
  return pair(Math.floor(seconds / 3_600), 24, 'd', 'h');
}

function pair(value: number, base: number, large: string, small: string): string {
  const rest = value % base;
  return `${Math.floor(value / base)}${large}${rest === 0 ? '' : `${rest}${small}`}`;
}
