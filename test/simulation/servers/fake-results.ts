import { statusOf } from '#core/celery/result-meta.ts';
import {
  engineIds,
  type Hearing,
  type HearingOptions,
  type ResultGlance,
  type ResultListener,
  type ResultStore,
  type ResultWrite,
} from '#io/results/result-store.ts';

interface Listening {
  readonly listener: ResultListener;
  readonly patterns: readonly RegExp[];
}

/** The result keys of one Redis, and what it announces. A key may be deleted, as an eviction or a user does. */
export class FakeResults implements ResultStore {
  readonly texts = new Map<string, string>();
  readonly #listeners = new Set<Listening>();

  store(writes: readonly ResultWrite[]): Promise<readonly boolean[]> {
    return Promise.resolve(writes.map((write) => this.#storeOne(write)));
  }

  read(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    return Promise.resolve(ids.map((id) => this.texts.get(id)));
  }

  glance(ids: readonly string[]): Promise<readonly (ResultGlance | undefined)[]> {
    return Promise.resolve(
      ids.map((id) => {
        const text = this.texts.get(id);
        return text === undefined ? undefined : { bytes: Buffer.byteLength(text), head: text.slice(0, 32) };
      }),
    );
  }

  hear(listener: ResultListener, { ids = [engineIds] }: HearingOptions = {}): Hearing {
    const listening = { listener, patterns: ids.map(globOf) };
    queueMicrotask(() => {
      this.#listeners.add(listening);
      listener.missed();
    });
    return { close: () => void this.#listeners.delete(listening) };
  }

  /** As an eviction or a hand on the keyboard does. */
  deleteLatest(): void {
    const id = [...this.texts.keys()].at(-1);
    if (id !== undefined) this.texts.delete(id);
  }

  #storeOne({ id, text }: ResultWrite): boolean {
    const known = this.texts.get(id);
    if (known !== undefined && statusOf(known) === 'SUCCESS') return false;
    this.texts.set(id, text);
    queueMicrotask(() => {
      for (const { listener, patterns } of this.#listeners) {
        if (patterns.some((pattern) => pattern.test(id))) listener.heard(id, text);
      }
    });
    return true;
  }
}

function globOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}
