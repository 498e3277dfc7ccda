import type { Redis } from 'ioredis';
import { resultKeyPrefixUnder } from '#core/celery/result-key.ts';
import { redisScript } from '../../redis/redis-script.ts';
import { isWrongType } from '../../redis/wrong-type.ts';
import {
  engineIds,
  ResultStoreUnavailable,
  tailBytes,
  tailFromBytes,
  type Hearing,
  type HearingOptions,
  type ResultGlance,
  type ResultListener,
  type ResultStore,
  type ResultWrite,
} from '../result-store.ts';
import { glanceScript, storeScript } from './store-script.ts';

/** Celery's `result_expires`. */
export const RESULT_EXPIRES_SECONDS = 86_400;

/** Keys in one call: a script runs alone in the server, so a long one makes everybody wait. */
const KEYS_A_CALL = 500;

export interface RedisResultStoreOptions {
  /** Used for nothing that blocks. */
  readonly client: Redis;
  /** Opens one more client to the same server, for hearing. */
  readonly openSubscriber: () => Redis;
  /** The connection's `resultKeyPrefix`, `''` for none. */
  readonly prefix: string;
  /** How long results are kept; 0 for ever. Default: a day. */
  readonly expiresSeconds?: number;
}

const storeResults = redisScript(storeScript);
const glanceAtResults = redisScript(glanceScript);

/** Celery's Redis result backend: same keys, same channels, same rules. */
export class RedisResultStore implements ResultStore {
  readonly #options: RedisResultStoreOptions;
  readonly #keyPrefix: string;
  readonly #ttl: string;

  constructor(options: RedisResultStoreOptions) {
    this.#options = options;
    this.#keyPrefix = resultKeyPrefixUnder(options.prefix);
    this.#ttl = String(options.expiresSeconds ?? RESULT_EXPIRES_SECONDS);
  }

  async store(writes: readonly ResultWrite[]): Promise<readonly boolean[]> {
    const answers = await this.#inParts(writes, (part) => {
      const keys = part.map(({ id }) => this.#keyPrefix + id);
      return storeResults.run(this.#options.client, keys, [this.#ttl, ...part.map(({ text }) => text)]);
    });
    return answers.map((answer) => answer === 1);
  }

  async read(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    const texts = await this.#inParts(ids, (part) => this.#options.client.mget(part.map((id) => this.#keyPrefix + id)));
    return texts.map((text) => (typeof text === 'string' ? text : undefined));
  }

  async glance(ids: readonly string[]): Promise<readonly (ResultGlance | undefined)[]> {
    const flat = await this.#inParts(ids, (part) => {
      const keys = part.map((id) => this.#keyPrefix + id);
      return glanceAtResults.run(this.#options.client, keys, [String(tailFromBytes), String(tailBytes)]);
    });
    return ids.map((_id, index) => {
      const bytes = Number(flat[index * 3]);
      const tail = bytes < tailFromBytes ? undefined : String(flat[index * 3 + 2]);
      return bytes === 0 ? undefined : { bytes, head: String(flat[index * 3 + 1]), tail };
    });
  }

  hear(listener: ResultListener, { ids = [engineIds] }: HearingOptions = {}): Hearing {
    const subscriber = this.#options.openSubscriber();
    const patterns = ids.map((pattern) => this.#keyPrefix + pattern);
    subscriber.on('pmessage', (_pattern: string, channel: string, text: string) => {
      listener.heard(channel.slice(this.#keyPrefix.length), text);
    });
    const subscribe = (): void => {
      subscriber.psubscribe(...patterns).then(
        () => listener.missed(),
        // The connection broke meanwhile: the next `ready` subscribes again.
        () => undefined,
      );
    };
    subscriber.on('ready', subscribe);
    if (subscriber.status === 'ready') subscribe();
    return { close: () => subscriber.disconnect() };
  }

  /** Calls in parts of bounded size, sent at once; the answers stand in the order asked. */
  async #inParts<T>(all: readonly T[], call: (part: readonly T[]) => Promise<unknown>): Promise<unknown[]> {
    const calls: Promise<unknown>[] = [];
    for (let start = 0; start < all.length; start += KEYS_A_CALL)
      calls.push(call(all.slice(start, start + KEYS_A_CALL)));
    try {
      return (await Promise.all(calls)).flat();
    } catch (error) {
      const isRefusal = isWrongType(error);
      const what = isRefusal ? 'the result store refused' : 'the result store did not answer';
      throw new ResultStoreUnavailable(`${what}: ${(error as Error).message}`, { cause: error, isRefusal });
    }
  }
}
