import type { Redis } from 'ioredis';

/** Blocking calls end by themselves after so long, below the time after which a silent server is taken for gone. */
const BLOCK_SECONDS = 5;
/** How often the lists are looked at that no blocking call watches: those of other priorities, pushed by Celery. */
const LOOK_EVERY_MS = 1_000;
const AFTER_A_BREAK_MS = 500;

export interface RedisWakeOptions {
  /** Opens one more client: a blocking call needs a connection to itself. */
  readonly openBlocking: () => Redis;
  readonly client: Redis;
  /** The most urgent list of each queue. */
  readonly lists: readonly string[];
  readonly bells: readonly string[];
  /** All lists. */
  readonly watched: readonly string[];
}

/** One blocking call at a time on a connection of its own; it is left standing while nobody waits. */
interface Watch {
  readonly client: Redis;
  readonly call: (client: Redis) => Promise<unknown>;
  isStanding: boolean;
}

/**
 * Notices that there may be work: by the bell that our publishers ring, by `BLMOVE list list RIGHT RIGHT`, which waits
 * for a first element and leaves the list as it is, and by a look each second. While the worker is busy none of it is
 * called again.
 */
export class RedisWake {
  readonly #options: RedisWakeOptions;
  readonly #watches: readonly Watch[];
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(options: RedisWakeOptions) {
    this.#options = options;
    const { bells, lists, openBlocking } = options;
    const hearBells = (client: Redis): Promise<unknown> => client.blpop([...bells], BLOCK_SECONDS);
    const peeks = lists.map((list) => (client: Redis) => client.blmove(list, list, 'RIGHT', 'RIGHT', BLOCK_SECONDS));
    this.#watches = [hearBells, ...peeks].map((call) => ({ client: openBlocking(), call, isStanding: false }));
  }

  /** Resolves when there may be work or the signal aborts. One caller at a time. */
  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#isClosed) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wake = () => resolve(undefined);
    signal.addEventListener('abort', this.#wake, { once: true });
    const look = setInterval(() => void this.#look(), LOOK_EVERY_MS);
    for (const watch of this.#watches) void this.#stand(watch);
    await promise;
    clearInterval(look);
    signal.removeEventListener('abort', this.#wake);
    this.#wake = undefined;
  }

  close(): void {
    this.#isClosed = true;
    for (const { client } of this.#watches) client.disconnect();
    this.#wake?.();
  }

  async #stand(watch: Watch): Promise<void> {
    if (watch.isStanding) return;
    watch.isStanding = true;
    let hasFound = false;
    try {
      hasFound = (await watch.call(watch.client)) !== null;
    } catch {
      // Broken, or a key of another type: the look each second still finds what there is.
      await new Promise((resolve) => setTimeout(resolve, AFTER_A_BREAK_MS).unref());
    }
    watch.isStanding = false;
    if (hasFound) this.#wake?.();
    else if (this.#wake !== undefined && !this.#isClosed) void this.#stand(watch);
  }

  async #look(): Promise<void> {
    try {
      if ((await this.#options.client.exists(...this.#options.watched)) > 0) this.#wake?.();
    } catch {
      // The next claim says what is wrong.
      this.#wake?.();
    }
  }
}
