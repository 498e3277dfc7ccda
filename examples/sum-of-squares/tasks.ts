/** Every function that this module exports is a task, by its own name. */
export function square(n: number): number {
  return n * n;
}

export function total(numbers: number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
