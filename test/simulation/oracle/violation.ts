/** A promise that was broken; the promises are numbered as docs/simulation.md lists them. */
export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(promise: string, message: string) {
    super(`${promise}: ${message}`);
  }
}

/** Throws unless the two are one, compared as JSON. */
export function same(promise: string, what: string, is: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(is), JSON.stringify(expected)];
  if (one !== other) throw new Violation(promise, `${what} is ${one} and should be ${other}`);
}
