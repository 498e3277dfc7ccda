import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { redisScript } from '../../redis/redis-script.ts';
import { ResultStoreUnavailable } from '../result-store.ts';
import { RESULT_EXPIRES_SECONDS } from './redis-result-store.ts';

/** Celery's: a claimant that dies leaves the body to the next report after this. */
const CLAIM_SECONDS = 21;
/** How long a chord whose body is out is remembered, against members that report again. */
const DONE_SECONDS = 300;

/**
 * Celery 5.7's way of counting: the first report of a member stands, and one reporter gets the body. KEYS: .j .t .s .d,
 * the group's key, .c. ARGV: member, entry, score, seconds to live, seconds of a claim, token.
 */
const reportChord = redisScript(`
if redis.call('GET', KEYS[6]) == 'done' then return 0 end
if redis.call('SISMEMBER', KEYS[4], ARGV[1]) == 0 then
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
  redis.call('SADD', KEYS[4], ARGV[1])
end
local count = redis.call('ZCOUNT', KEYS[1], '-inf', '+inf')
for i = 1, 5 do redis.call('EXPIRE', KEYS[i], ARGV[4]) end
local size = redis.call('GET', KEYS[3])
if not size or count ~= tonumber(size) + tonumber(redis.call('GET', KEYS[2]) or '0') then return 0 end
if redis.call('SET', KEYS[6], ARGV[6], 'NX', 'EX', ARGV[5]) then return 1 end
return 0
`);

/** KEYS: .c .j .t .s .d. ARGV: token, seconds. */
const finishChord = redisScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('SET', KEYS[1], 'done', 'EX', ARGV[2])
return 1
`);

export interface ChordReport {
  readonly groupId: string;
  readonly taskId: string;
  /** The member's place; null stands behind all others. */
  readonly index: number | null;
  /** `[1, id, status, result]` as JSON. */
  readonly entry: string;
}

/** The keys by which Celery's workers count the members of a native chord. */
export class RedisChordCounter {
  readonly #client: Redis;
  readonly #prefix: string;

  /** `prefix` is what stands before `celery-taskset-meta-`. */
  constructor(client: Redis, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  async expect(groupId: string, members: number): Promise<void> {
    const key = this.#key(groupId);
    const call = this.#client.multi().del(`${key}.c`).set(`${key}.s`, String(members), 'EX', RESULT_EXPIRES_SECONDS);
    await answered(call.exec());
  }

  async report({ groupId, taskId, index, entry }: ChordReport): Promise<string | undefined> {
    const key = this.#key(groupId);
    const token = randomUUID();
    const keys = ['.j', '.t', '.s', '.d', '', '.c'].map((suffix) => key + suffix);
    const member = `${taskId}:${index ?? 'inf'}`;
    const args = [member, entry, index ?? '+inf', RESULT_EXPIRES_SECONDS, CLAIM_SECONDS, token];
    return (await answered(reportChord.run(this.#client, keys, args))) === 1 ? token : undefined;
  }

  entries(groupId: string): Promise<readonly string[]> {
    return answered(this.#client.zrange(`${this.#key(groupId)}.j`, '0', '-1'));
  }

  async finish(groupId: string, token: string): Promise<void> {
    const key = this.#key(groupId);
    const keys = ['.c', '.j', '.t', '.s', '.d'].map((suffix) => key + suffix);
    await answered(finishChord.run(this.#client, keys, [token, DONE_SECONDS]));
  }

  #key(groupId: string): string {
    return `${this.#prefix}celery-taskset-meta-${groupId}`;
  }
}

async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw new ResultStoreUnavailable(`the result store did not answer: ${(error as Error).message}`, { cause: error });
  }
}
