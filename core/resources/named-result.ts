/** The key that stands for the result of a step by name, once that works; refused until then, so that it stays free. */
export const namedResultKey = '$result';

/** Whether an object with that key stands anywhere in the value. Not recursive: arguments may be nested deeper than a stack. */
export function findNamedResult(value: unknown): boolean {
  const left: unknown[] = [value];
  for (let item = left.pop(); left.length > 0 || item !== undefined; item = left.pop()) {
    if (typeof item !== 'object' || item === null) continue;
    if (Object.hasOwn(item, namedResultKey)) return true;
    for (const child of Object.values(item)) if (typeof child === 'object' && child !== null) left.push(child);
  }
  return false;
}
