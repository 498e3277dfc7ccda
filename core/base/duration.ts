const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Milliseconds of a duration as Go and Kubernetes write it: `90s`, `1h30m`, `1.5h`. Undefined for anything else; the
 * API server lets only such text into a spec.
 */
export function parseDurationMs(text: string): number | undefined {
  if (!/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/([0-9.]+)(ms|s|m|h)/g);
  const sum = [...parts].reduce((total, [, count = '', unit = '']) => total + Number(count) * (unitMs[unit] ?? 0), 0);
  return Math.round(sum);
}
