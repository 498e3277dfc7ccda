import { errorLine } from './api-answer.ts';
import type { Place } from './api-place.ts';
import { isSelected } from './label-selector.ts';
import type { StoredObject } from './object-rules.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One write, as watches will be told of it. */
export interface Past {
  readonly version: number;
  readonly at: Place;
  readonly type: ChangeType;
  readonly object: StoredObject;
  readonly before: StoredObject | undefined;
  /** Of the object, as it is told. */
  readonly text: string;
}

/** What a watch asks for. */
export interface Watching {
  readonly at: Place;
  readonly labelSelector: string;
  /** Told of each line: events, or the end of history. */
  readonly listener: (line: string) => void;
  /** Told when the server cuts the connection. */
  readonly onCut: () => void;
}

/** All writes that are not forgotten, and those who watch for the next. */
export class ApiHistory {
  readonly #watches = new Set<Watching>();
  #past: Past[] = [];
  /** Versions before this one are no place to begin at. */
  #forgotten = 0;

  /** Tells all watches of a write. */
  tell(past: Past): void {
    this.#past.push(past);
    for (const watch of [...this.#watches]) send(watch, past);
  }

  /** What happened after a version, then what happens; the function ends it. An expired version gives one line that says so. */
  watch(from: number, watch: Watching): () => void {
    if (from < this.#forgotten) {
      watch.listener(errorLine(410, 'Expired', `too old resource version: ${from} (${this.#forgotten})`));
      return () => undefined;
    }
    for (const past of this.#past) if (past.version > from) send(watch, past);
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }

  /** Every watch's connection breaks. */
  cut(): void {
    for (const watch of [...this.#watches]) watch.onCut();
  }

  /** Open watches are told nothing any more. */
  mute(): void {
    this.#watches.clear();
  }

  /** Forgets what happened up to a version. */
  forget(version: number): void {
    this.#forgotten = version;
    this.#past = [];
  }
}

/** An object that begins to be selected is new to the watch, and one that ends to be is gone. */
function send({ at, labelSelector, listener }: Watching, { type, object, before, text, at: where }: Past): void {
  if (!isWithin(where, at)) return;
  const was = type !== 'ADDED' && isSelected(before?.metadata.labels, labelSelector);
  const is = type !== 'DELETED' && isSelected(object.metadata.labels, labelSelector);
  if (is || was) listener(`{"type":"${toldAs(was, is)}","object":${text}}`);
}

function isWithin(where: Place, { collection, namespace }: Place): boolean {
  return where.collection === collection && (namespace === '' || where.namespace === namespace);
}

function toldAs(was: boolean, is: boolean): ChangeType {
  if (was && is) return 'MODIFIED';
  return is ? 'ADDED' : 'DELETED';
}
