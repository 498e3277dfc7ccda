/** Proves to the compiler that a switch is complete; throws if a value from outside slipped past the types. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
