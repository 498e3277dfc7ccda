/** Celery's way to send what JSON has not: `{"__type__": …, "__value__": …}`. */
interface Typed {
  readonly __type__: string;
  readonly __value__: unknown;
}

/** A date with a time becomes a Date, bytes an array of bytes; a plain date, a time, a decimal and a UUID their text. */
function decodeTyped({ __type__: type, __value__: value }: Typed): unknown {
  const text = String(value);
  switch (type) {
    case 'datetime':
      return new Date(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
    case 'bytes':
      return new TextEncoder().encode(text);
    case 'base64':
      return new Uint8Array(Buffer.from(text, 'base64'));
    case 'uuid':
      return String((value as { hex: unknown }).hex).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    default:
      return value;
  }
}

/** Replaces every typed value within. */
export function withTypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTypes);
  if (typeof value !== 'object' || value === null) return value;
  if (isTyped(value)) return decodeTyped(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTypes(item)]));
}

function isTyped(value: object): value is Typed {
  return '__type__' in value && '__value__' in value && Object.keys(value).length === 2;
}
