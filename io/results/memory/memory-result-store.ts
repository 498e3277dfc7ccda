import { utf8Length } from '#core/base/utf8-length.ts';
import { statusOf } from '#core/celery/result-meta.ts';
import {
  engineIds,
  tailBytes,
  tailFromBytes,
  type Hearing,
  type HearingOptions,
  type ResultGlance,
  type ResultListener,
  type ResultStore,
  type ResultWrite,
} from '../result-store.ts';

interface Listening {
  readonly listener: ResultListener;
  readonly patterns: readonly RegExp[];
}

/** A result store within one process; nothing expires. */
export class MemoryResultStore implements ResultStore {
  readonly #texts: Map<string, string>;
  readonly #listening = new Set<Listening>();

  /** `texts` is what it holds, by id, for whoever wants to look at it or to lose some of it. */
  constructor(texts: Map<string, string> = new Map()) {
    this.#texts = texts;
  }

  store(writes: readonly ResultWrite[]): Promise<readonly boolean[]> {
    return Promise.resolve(writes.map((write) => this.#storeOne(write)));
  }

  read(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    return Promise.resolve(ids.map((id) => this.#texts.get(id)));
  }

  glance(ids: readonly string[]): Promise<readonly (ResultGlance | undefined)[]> {
    return Promise.resolve(
      ids.map((id) => {
        const text = this.#texts.get(id);
        return text === undefined ? undefined : glanceAt(text);
      }),
    );
  }

  hear(listener: ResultListener, { ids = [engineIds] }: HearingOptions = {}): Hearing {
    const listening = { listener, patterns: ids.map(globOf) };
    queueMicrotask(() => {
      this.#listening.add(listening);
      listener.missed();
    });
    return { close: () => queueMicrotask(() => this.#listening.delete(listening)) };
  }

  #storeOne({ id, text }: ResultWrite): boolean {
    const old = this.#texts.get(id);
    if (old !== undefined && statusOf(old) === 'SUCCESS') return false;
    this.#texts.set(id, text);
    queueMicrotask(() => {
      for (const { listener, patterns } of this.#listening) {
        if (patterns.some((pattern) => pattern.test(id))) listener.heard(id, text);
      }
    });
    return true;
  }
}

function glanceAt(text: string): ResultGlance {
  const bytes = utf8Length(text);
  return { bytes, head: text.slice(0, 32), tail: bytes < tailFromBytes ? undefined : text.slice(-tailBytes) };
}

function globOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}
