import { EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException, type Event } from 'js-yaml';
import { fail, ok, type Result } from '#core/base/result.ts';
import { readPlain, readTagged } from './scalar.ts';
import type { MappingEntry, MappingNode, ScalarNode, SequenceNode, YamlNode } from './yaml-node.ts';

type ScalarEvent = Extract<Event, { type: 4 }>;
type Anchored = Extract<Event, { readonly anchorStart: number }>;

/** Something about a place in a file. */
export interface Note {
  readonly offset: number;
  readonly message: string;
}

export interface ParsedYaml {
  /** Undefined for a document in which nothing stands. */
  readonly root: YamlNode | undefined;
  /** Where kubectl and the API server would make something else of what is written. */
  readonly changes: readonly Note[];
}

/** More nodes than any Workflow may have members; only aliases of aliases get there. */
const maxNodes = 2_000_000;

class Refused extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** One document of a file, read as kubectl reads it, with the place of everything. `base` is its offset in the file. */
export function parseYaml(text: string, base: number): Result<ParsedYaml, Note> {
  try {
    const builder = new TreeBuilder(text, base, parseEvents(text, { maxDepth: 200 }));
    return ok({ root: builder.document(), changes: builder.changes });
  } catch (error) {
    if (error instanceof Refused) return fail({ offset: error.offset, message: error.message });
    if (!(error instanceof YAMLException)) throw error;
    return fail({ offset: base + (error.mark?.position ?? 0), message: `is not YAML: ${error.reason}` });
  }
}

/** Folds the parser's events into a tree. */
class TreeBuilder {
  readonly changes: Note[] = [];
  readonly #text: string;
  readonly #base: number;
  readonly #events: readonly Event[];
  readonly #anchors = new Map<string, YamlNode>();
  #at = 0;
  #lastEnd = 0;

  constructor(text: string, base: number, events: readonly Event[]) {
    this.#text = text;
    this.#base = base;
    this.#events = events;
  }

  document(): YamlNode | undefined {
    if (this.#events[0]?.type !== EVENT_ID.DOCUMENT) return undefined;
    this.#at = 1;
    const first = this.#events[1];
    if (first === undefined || first.type === EVENT_ID.POP) return undefined;
    return this.#node();
  }

  #node(): YamlNode {
    const event = this.#events[this.#at];
    this.#at += 1;
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return this.#remember(event, this.#scalar(event));
      case EVENT_ID.SEQUENCE:
        return this.#remember(event, this.#sequence(event.start));
      case EVENT_ID.MAPPING:
        return this.#remember(event, this.#mapping(event.start));
      case EVENT_ID.ALIAS:
        return this.#aliased(this.#text.slice(event.anchorStart, event.anchorEnd), event.anchorStart - 1);
      default:
        throw new RangeError('the YAML parser ended a node that it had not begun');
    }
  }

  #sequence(start: number): SequenceNode {
    const items: YamlNode[] = [];
    let size = 1;
    while (!this.#hasEnded()) {
      const item = this.#node();
      items.push(item);
      size = this.#grown(size, item, start);
    }
    return { kind: 'Sequence', start: this.#base + start, size, items };
  }

  #mapping(start: number): MappingNode {
    const entries = new Map<string, MappingEntry>();
    const merged: YamlNode[] = [];
    let size = 1;
    while (!this.#hasEnded()) {
      const isMerge = this.#isMergeKey();
      const key = this.#node();
      const node = this.#node();
      size = this.#grown(size, node, start);
      if (isMerge) merged.push(node);
      else this.#add(entries, key, node);
    }
    for (const node of merged) this.#merge(entries, node);
    return { kind: 'Mapping', start: this.#base + start, size, entries };
  }

  #add(entries: Map<string, MappingEntry>, key: YamlNode, node: YamlNode): void {
    if (key.kind !== 'Scalar' || key.value === null)
      throw new Refused(key.start, 'a key must be text; kubectl takes no lists, objects or nulls for keys');
    const name = typeof key.value === 'string' ? key.value : String(JSON.parse(JSON.stringify(key.value)));
    if (entries.has(name))
      throw new Refused(key.start, `stands a second time; kubectl would keep the last ${name} only, so take one away`);
    entries.set(name, { keyStart: key.start, node });
  }

  #merge(entries: Map<string, MappingEntry>, node: YamlNode): void {
    for (const source of node.kind === 'Sequence' ? node.items : [node]) {
      if (source.kind !== 'Mapping') throw new Refused(source.start, '<< takes an object or a list of objects');
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }

  #scalar(event: ScalarEvent): ScalarNode {
    const text = getScalarValue(this.#text, event);
    const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    const start = this.#startOf(event) - (isQuoted ? 1 : 0);
    const tag = event.tagStart < 0 ? undefined : this.#text.slice(event.tagStart, event.tagEnd);
    const isPlain = event.style === SCALAR_STYLE.PLAIN;
    const read = tag !== undefined ? readTagged(tag, text) : isPlain ? readPlain(text) : ok({ value: text });
    if (!read.ok) throw new Refused(this.#base + start, read.error);
    const { value, change } = read.value as { readonly value: unknown; readonly change?: string };
    if (change !== undefined) this.changes.push({ offset: this.#base + start, message: change });
    return { kind: 'Scalar', start: this.#base + start, size: 1, text, value };
  }

  /** An empty value has no place of its own: it is where the text before it ends. */
  #startOf(event: ScalarEvent): number {
    if (event.valueStart < 0) return this.#lastEnd;
    this.#lastEnd = event.valueEnd;
    return event.valueStart;
  }

  #hasEnded(): boolean {
    if (this.#events[this.#at]?.type !== EVENT_ID.POP) return false;
    this.#at += 1;
    return true;
  }

  #isMergeKey(): boolean {
    const event = this.#events[this.#at];
    if (event?.type !== EVENT_ID.SCALAR || event.style !== SCALAR_STYLE.PLAIN) return false;
    return getScalarValue(this.#text, event) === '<<';
  }

  #remember(event: Anchored, node: YamlNode): YamlNode {
    if (event.anchorStart >= 0) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), node);
    return node;
  }

  #aliased(name: string, start: number): YamlNode {
    const node = this.#anchors.get(name);
    if (node === undefined)
      throw new Refused(this.#base + start, `*${name} stands for nothing: there is no &${name} before it`);
    return node;
  }

  #grown(size: number, node: YamlNode, start: number): number {
    const grown = size + node.size;
    if (grown > maxNodes)
      throw new Refused(this.#base + start, 'aliases within aliases make too much of this; write it out');
    return grown;
  }
}
