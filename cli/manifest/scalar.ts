import { isRawNumber, parseJson } from '#core/base/json-text.ts';
import { fail, ok, type Result } from '#core/base/result.ts';

/** What a scalar stands for once kubectl has read it and the API server has stored it. */
export interface Scalar {
  readonly value: unknown;
  /** Said when that is not what was written. */
  readonly change?: string;
}

const nulls: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const words: ReadonlyMap<string, boolean> = new Map(
  [
    { value: true, texts: ['true', 'True', 'TRUE', 'y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'] },
    { value: false, texts: ['false', 'False', 'FALSE', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'] },
  ].flatMap(({ value, texts }) => texts.map((text) => [text, value] as const)),
);
const infinite = /^[+-]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/;
const float = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const integer = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/**
 * A plain scalar as kubectl's YAML reader (go-yaml v2 under sigs.k8s.io/yaml 1.6) takes it and the API server keeps it:
 * words of YAML 1.1, leading zeros for octals, integers of 64 bits, every other number a double. The error says what
 * kubectl would refuse.
 */
export function readPlain(text: string): Result<Scalar, string> {
  if (nulls.has(text)) return ok({ value: null });
  const word = words.get(text);
  if (word !== undefined) return ok(readWord(text, word));
  if (infinite.test(text)) return fail(`${text} is no number of JSON; quote it to pass the text`);
  if (!/^[-+.0-9]/.test(text)) return ok({ value: text });
  return ok(readNumber(text) ?? { value: text });
}

function readWord(text: string, value: boolean): Scalar {
  if (/^(true|false)$/i.test(text)) return { value };
  return { value, change: `kubectl reads ${text} as ${value}; quote it to pass the text` };
}

/** Undefined for what only begins like a number: a date, a version, a time of day. */
function readNumber(text: string): Scalar | undefined {
  const plain = text.replaceAll('_', '');
  const whole = integer.exec(plain);
  if (whole !== null) return readInteger(text, whole[1] === '-' ? -1n : 1n, whole[2] ?? '0');
  if (!float.test(plain) || !Number.isFinite(Number(plain))) return undefined;
  return shown(text, normalised(Number(plain)));
}

function readInteger(text: string, sign: bigint, digits: string): Scalar {
  const isOctal = /^0[0-7]+$/.test(digits);
  const value = sign * BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  if (value > int64Max || value < int64Min) {
    const served = normalised(Number(value));
    const change = `the API server keeps integers of 64 bits and would serve ${text} as ${textOf(served)}; pass it as text, in quotes`;
    return { value: served, change };
  }
  return shown(text, parseJson(String(value)));
}

/** The API server knows a double's value, not how it was written. */
function normalised(value: number): unknown {
  return Object.is(value, -0) ? 0 : parseJson(String(value));
}

function shown(text: string, value: unknown): Scalar {
  const served = textOf(value);
  if (served === text) return { value };
  return {
    value,
    change: `the API server would serve ${text} as ${served}; pass it as text, in quotes, if that matters`,
  };
}

function textOf(value: unknown): string {
  return isRawNumber(value) ? value.rawJSON : String(value);
}

/** A scalar with an explicit tag such as `!!str`. Tags of one's own change nothing, as with kubectl. */
export function readTagged(tag: string, text: string): Result<Scalar, string> {
  switch (tag) {
    case '!!binary':
      return ok({ value: Buffer.from(text, 'base64').toString('utf8') });
    case '!!int':
    case '!!float':
    case '!!bool':
    case '!!null': {
      const read = readPlain(text);
      return read.ok && isOfTag(tag, read.value.value)
        ? ok({ value: read.value.value })
        : fail(`${text} cannot be read as ${tag}`);
    }
    default:
      return ok({ value: text });
  }
}

function isOfTag(tag: string, value: unknown): boolean {
  if (tag === '!!null') return value === null;
  if (tag === '!!bool') return typeof value === 'boolean';
  return typeof value === 'number' || isRawNumber(value);
}
