import { arrayOf, elements, entries } from '../base/json-span.ts';
import type { JsonText } from '../base/json-text.ts';
import { ok, type Result } from '../base/result.ts';
import { malformed, type DecodeError } from './decode-error.ts';

/** The third part of a message's body: what Celery's own workers do after the task. Each text is one signature. */
export interface Embed {
  /** `link`: called with the result. */
  readonly callbacks: readonly JsonText[];
  /** `link_error`. */
  readonly errbacks: readonly JsonText[];
  /** The steps that are left, last one first: the next is the last element. */
  readonly chain: readonly JsonText[];
  /** The body of the chord to which this task's result is counted. */
  readonly chord: JsonText | undefined;
}

const emptyEmbed: Embed = { callbacks: [], errbacks: [], chain: [], chord: undefined };

export const emptyEmbedText = '{"callbacks":null,"errbacks":null,"chain":null,"chord":null}' as JsonText;

export function encodeEmbed(embed: Embed): JsonText {
  const list = (texts: readonly JsonText[]): string => (texts.length === 0 ? 'null' : arrayOf(texts));
  return (`{"callbacks":${list(embed.callbacks)},"errbacks":${list(embed.errbacks)},` +
    `"chain":${list(embed.chain)},"chord":${embed.chord ?? 'null'}}`) as JsonText;
}

/** The usual message's, in our own writing and in Python's. */
const nothing: ReadonlySet<string> = new Set([emptyEmbedText, emptyEmbedText.replace(/[:,]/g, '$& '), 'null', '{}']);

/** Missing parts, null and `{}` are nothing; something of another shape is an error. */
export function decodeEmbed(text: string): Result<Embed, DecodeError> {
  if (nothing.has(text)) return ok(emptyEmbed);
  const fields = entries(text);
  if (fields === undefined) return malformed('MalformedBody', 'body[2] is not an object');
  const callbacks = listOf(fields.get('callbacks'));
  const errbacks = listOf(fields.get('errbacks'));
  const chain = listOf(fields.get('chain'));
  if (callbacks === undefined || errbacks === undefined || chain === undefined) {
    return malformed('MalformedBody', 'body[2].callbacks, .errbacks or .chain is not a list');
  }
  const chord = fields.get('chord');
  return ok({ callbacks, errbacks, chain, chord: chord === 'null' ? undefined : chord });
}

function listOf(text: JsonText | undefined): readonly JsonText[] | undefined {
  return text === undefined || text === 'null' ? [] : elements(text);
}
