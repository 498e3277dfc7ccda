import type { Redis } from 'ioredis';
import { redisScript } from '../../redis/redis-script.ts';
import { BrokerKeys } from '../broker-keys.ts';
import { answered } from './answered.ts';
import { renewScript } from './scripts.ts';

/** A lease lives for so long; it is renewed every two seconds. */
const LEASE_MS = 10_000;
const TAGS_A_CALL = 1_000;

const renewLease = redisScript(renewScript);

/** What a lease says of its worker. */
export interface LeaseText {
  readonly pool: string;
  readonly slots: number;
  readonly busy: number;
  readonly queues: readonly string[];
}

/** Keeps a worker's lease and the score of its messages in kombu's books fresh. */
export class RedisLease {
  readonly #client: Redis;
  readonly #keys: BrokerKeys;
  readonly #incarnation: string;

  constructor(client: Redis, prefix: string, incarnation: string) {
    this.#client = client;
    this.#keys = new BrokerKeys(prefix);
    this.#incarnation = incarnation;
  }

  /** Returns those of the tags that are no longer this worker's. Throws `BrokerUnavailable`. */
  async renew(text: LeaseText, tags: readonly string[]): Promise<readonly string[]> {
    const [podUid, number] = partsOf(this.#incarnation);
    const { unacked, unackedIndex } = this.#keys;
    const keys = [this.#keys.lease(this.#incarnation), unacked, unackedIndex, this.#keys.counter(podUid)];
    const gone: string[] = [];
    for (let start = 0; start === 0 || start < tags.length; start += TAGS_A_CALL) {
      const args = [JSON.stringify(text), LEASE_MS, number, ...tags.slice(start, start + TAGS_A_CALL)];
      gone.push(...((await answered(renewLease.run(this.#client, keys, args))) as string[]));
    }
    return gone;
  }

  /** The worker ends in good order: nobody need wait for the lease to run out. */
  async end(): Promise<void> {
    await answered(this.#client.del(this.#keys.lease(this.#incarnation)));
  }
}

/** `<podUID>.<n>`. */
function partsOf(incarnation: string): readonly [podUid: string, number: number] {
  const dot = incarnation.lastIndexOf('.');
  return [incarnation.slice(0, dot), Number(incarnation.slice(dot + 1))];
}
