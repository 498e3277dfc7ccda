/** `{$result: name}` in arguments stands for the result of the step of that name. */
export const namedResultKey = '$result';

type Holder = Readonly<Record<string, unknown>>;

/** The objects that have the key, anywhere in the value. Not recursive: arguments may be nested deeper than a stack. */
export function findNamedResults(value: unknown): Holder[] {
  const found: Holder[] = [];
  const left: Holder[] = isHolder(value) ? [value] : [];
  for (let item = left.pop(); item !== undefined; item = left.pop()) {
    const holds = Object.hasOwn(item, namedResultKey);
    if (holds) found.push(item);
    for (const child of holds ? [] : Object.values(item)) if (isHolder(child)) left.push(child);
  }
  return found.reverse();
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null;
}

/** The name that such an object gives; undefined when it holds anything else. */
export function nameOfResult(holder: Holder): string | undefined {
  const name = holder[namedResultKey];
  return typeof name === 'string' && Object.keys(holder).length === 1 ? name : undefined;
}
