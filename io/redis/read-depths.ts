import type { Redis } from 'ioredis';
import { prioritySeparator, prioritySteps } from '#core/celery/queue-key.ts';
import { redisScript } from './redis-script.ts';

/** Messages of one queue that one worker incarnation has taken and not finished. */
export interface TakenMessages {
  readonly podUid: string;
  /** The pod's n-th worker process. */
  readonly incarnation: number;
  readonly queue: string;
  readonly count: number;
}

/** What a living worker says of itself. */
export interface WorkerLease {
  readonly podUid: string;
  readonly slots: number;
  readonly busy: number;
}

export interface BrokerDepths {
  /** Waiting messages by queue, over all priorities. */
  readonly waiting: ReadonlyMap<string, number>;
  /** Absent when there are more taken messages than may be looked through. */
  readonly taken?: readonly TakenMessages[];
  readonly leases: readonly WorkerLease[];
}

/** More tags than this are not read: the script would hold up everybody else. */
const maxTags = 20_000;
/** Queues in one call, for the same reason. All calls of one reading travel together. */
const queuesPerCall = 200;

/**
 * ARGV: prefix, maxTags, whether to read `unacked`, number of queues, queues, pod UIDs.
 * A key that is no list holds no messages, and must not hide the other queues.
 * Answers: waiting by queue; flat (pod UID, n, queue, count) or false; flat (pod UID, lease).
 */
const brokerScript = redisScript(`
local prefix, queues = ARGV[1], tonumber(ARGV[4])
local waiting, taken, leases = {}, false, {}
local function length(key)
  local answer = redis.pcall('LLEN', key)
  return type(answer) == 'number' and answer or 0
end
for q = 1, queues do
  local key = prefix .. ARGV[4 + q]
  local sum = length(key)
  for _, step in ipairs({${prioritySteps.slice(1).join(', ')}}) do
    sum = sum + length(key .. '${luaText(prioritySeparator)}' .. step)
  end
  waiting[q] = sum
end
if ARGV[3] == '1' and redis.call('HLEN', prefix .. 'unacked') <= tonumber(ARGV[2]) then
  local counts, order = {}, {}
  for _, tag in ipairs(redis.call('HKEYS', prefix .. 'unacked')) do
    local owner = string.match(tag, '^arp:([^:]+:[^:]+):')
    if owner then
      if not counts[owner] then order[#order + 1] = owner end
      counts[owner] = (counts[owner] or 0) + 1
    end
  end
  taken = {}
  for _, owner in ipairs(order) do
    local uid, n, queue = string.match(owner, '^(.*)%.(%d+):(.*)$')
    if uid then
      for _, item in ipairs({uid, n, queue, counts[owner]}) do taken[#taken + 1] = item end
    end
  end
end
for i = 5 + queues, #ARGV do
  local n = redis.call('GET', prefix .. 'arp:i:' .. ARGV[i])
  local lease = n and redis.call('GET', prefix .. 'arp:w:' .. ARGV[i] .. '.' .. n)
  if lease then
    leases[#leases + 1] = ARGV[i]
    leases[#leases + 1] = lease
  end
end
return {waiting, taken, leases}
`);

/** ARGV: prefix, queues. Answers the held messages of each queue, over the 256 shards. */
const ledgerScript = redisScript(`
local held = {}
for q = 2, #ARGV do
  local keys, sum = {}, 0
  for shard = 0, 255 do keys[shard + 1] = ARGV[1] .. 'arp:q:' .. shard .. ':' .. ARGV[q] end
  if redis.call('EXISTS', unpack(keys)) > 0 then
    for _, key in ipairs(keys) do
      for _, count in ipairs(redis.call('HVALS', key)) do sum = sum + tonumber(count) end
    end
  end
  held[q - 1] = sum
end
return held
`);

/** How deep the queues of one broker are, who has taken messages, and what the workers in these pods say of themselves. */
export async function readBrokerDepths(
  broker: Redis,
  prefix: string,
  { queues, podUids }: { queues: readonly string[]; podUids: readonly string[] },
): Promise<BrokerDepths> {
  const [first = [], ...rest] = chunksOf(queues);
  const calls = [
    brokerScript.run(broker, [], [prefix, maxTags, 1, first.length, ...first, ...podUids]),
    ...rest.map((chunk) => brokerScript.run(broker, [], [prefix, maxTags, 0, chunk.length, ...chunk])),
  ];
  const replies = (await Promise.all(calls)) as BrokerReply[];
  const waitings = replies.flatMap(([waiting]) => waiting);
  const [, taken, leases] = replies[0] ?? [[], null, []];
  return {
    waiting: new Map(queues.map((queue, at) => [queue, waitings[at] ?? 0])),
    ...(taken === null ? {} : { taken: parseTaken(taken) }),
    leases: parseLeases(leases),
  };
}

/** Messages that the engine keeps back, by queue. They are noted beside the runs, in the result store. */
export async function readHeld(
  results: Redis,
  prefix: string,
  queues: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const replies = await Promise.all(
    chunksOf(queues).map((chunk) => ledgerScript.run(results, [], [prefix, ...chunk]) as Promise<number[]>),
  );
  const held = replies.flat();
  return new Map(queues.map((queue, at) => [queue, held[at] ?? 0]));
}

type BrokerReply = readonly [readonly number[], readonly (string | number)[] | null, readonly string[]];

function parseTaken(flat: readonly (string | number)[]): TakenMessages[] {
  return fours(flat).map(([podUid, incarnation, queue, count]) => ({
    podUid: String(podUid),
    incarnation: Number(incarnation),
    queue: String(queue),
    count: Number(count),
  }));
}

function fours<T>(flat: readonly T[]): (readonly T[])[] {
  return Array.from({ length: Math.floor(flat.length / 4) }, (_, i) => flat.slice(i * 4, i * 4 + 4));
}

function parseLeases(flat: readonly string[]): WorkerLease[] {
  return flat.flatMap((podUid, at) => {
    const lease = at % 2 === 0 ? parseLease(flat[at + 1] ?? '') : undefined;
    return lease === undefined ? [] : [{ podUid, ...lease }];
  });
}

function parseLease(text: string): Pick<WorkerLease, 'slots' | 'busy'> | undefined {
  try {
    const { slots, busy } = JSON.parse(text) as { slots?: unknown; busy?: unknown };
    return typeof slots === 'number' && typeof busy === 'number' ? { slots, busy } : undefined;
  } catch {
    return undefined;
  }
}

function chunksOf(queues: readonly string[]): (readonly string[])[] {
  const count = Math.ceil(queues.length / queuesPerCall);
  return Array.from({ length: count }, (_, i) => queues.slice(i * queuesPerCall, (i + 1) * queuesPerCall));
}

/** Lua knows bytes by their decimal number. */
function luaText(text: string): string {
  return Array.from(Buffer.from(text, 'latin1'), (byte) => `\\${String(byte).padStart(3, '0')}`).join('');
}
