/** Kubernetes' MicroTime: leases and events refuse a time without six decimals. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
