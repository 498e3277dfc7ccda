import { statusOf } from '#core/celery/result-meta.ts';
import type { Hearing, ResultGlance, ResultListener, ResultStore, ResultWrite } from '#io/results/result-store.ts';

/** The result keys of one Redis, and what it announces. A key may be deleted, as an eviction or a user does. */
export class FakeResults implements ResultStore {
  readonly texts = new Map<string, string>();
  readonly #listeners = new Set<ResultListener>();

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

  hear(listener: ResultListener): Hearing {
    queueMicrotask(() => {
      this.#listeners.add(listener);
      listener.missed();
    });
    return { close: () => void this.#listeners.delete(listener) };
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
      for (const listener of this.#listeners) listener.heard(id, text);
    });
    return true;
  }
}
