/** Tasks of the integration tests; plain functions, as users write them. */
export function add(...numbers: unknown[]): number {
  return numbers.flat(9).reduce((total: number, each) => total + (typeof each === 'number' ? each : 0), 0);
}

export function square(x: number): number {
  return x * x;
}

export function fail(): never {
  throw new RangeError('told to');
}

export function large(bytes: number): string {
  return 'x'.repeat(bytes);
}

export function echo(...args: unknown[]): unknown[] {
  return args;
}

export async function slow(ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return 'awake';
}
