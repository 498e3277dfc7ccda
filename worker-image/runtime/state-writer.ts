interface Wanted {
  readonly text: string;
  readonly done: () => void;
}

/**
 * Stores the states that a task passes through, one at a time and in order; one that was not begun gives way to a later
 * one. Nothing is stored once it is closed: a task's last state is its result.
 */
export class StateWriter {
  readonly #store: (text: string) => Promise<void>;
  #wanted: Wanted | undefined;
  #sending: Promise<void> | undefined;
  #isClosed = false;
  #isUsed = false;

  /** `store` never rejects. */
  constructor(store: (text: string) => Promise<void>) {
    this.#store = store;
  }

  /** Whether any state was written. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Resolves when this state or a later one is stored, or none will be. */
  write(text: string): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isUsed = true;
    this.#wanted?.done();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wanted = { text, done: () => resolve(undefined) };
    this.#sending ??= this.#send();
    return promise;
  }

  /** Stores nothing more. Resolves when no state is on its way any more; undefined when none is. */
  close(): Promise<void> | undefined {
    this.#isClosed = true;
    this.#wanted?.done();
    this.#wanted = undefined;
    return this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#wanted !== undefined) {
      const { text, done } = this.#wanted;
      this.#wanted = undefined;
      await this.#store(text);
      done();
    }
    this.#sending = undefined;
  }
}
