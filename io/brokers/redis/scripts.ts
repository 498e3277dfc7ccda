import { storeFunction } from '../../results/redis/store-script.ts';
import { BELL_BYTES, DEAD_LETTERS } from '../broker-keys.ts';

const ring = `
local function ring(bell)
  redis.call('LPUSH', bell, '1')
  redis.call('LTRIM', bell, 0, ${BELL_BYTES - 1})
end
`;

/** All or nothing, for who is refused tries again. ARGV: for each message its list, its queue's bell and its text. */
export const publishScript = `${ring}
for i = 1, #ARGV, 3 do
  redis.call('LLEN', ARGV[i])
  redis.call('LLEN', ARGV[i + 1])
end
local rung = {}
for i = 1, #ARGV, 3 do
  redis.call('LPUSH', ARGV[i], ARGV[i + 2])
  rung[ARGV[i + 1]] = true
end
for bell in pairs(rung) do ring(bell) end
return #ARGV / 3
`;

/**
 * Takes messages and enters them into kombu's books in one step: there is no moment at which a crash loses one. What is
 * not the text of an object is entered as a string, so that a Celery worker that reads the books finds JSON.
 * Afterwards a bell is silent, unless its queue still holds something: then the next idle worker hears it.
 * KEYS: unacked, unacked_index, the marks, the lists in the order of taking. ARGV: most, tag head, first number, then for
 * each list its queue and its bell. Answers for each message the number of its list, counted from 0 or, for a marked one, down
 * from -1, and its text.
 */
export const claimScript = `${ring}
local most, head, number = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local score = time[1] .. '.' .. string.format('%06d', time[2])
local answer, n, scores, books = {}, 0, {}, {}
local hasMarks = redis.call('EXISTS', KEYS[3]) == 1
local function marked(text)
  local id = string.match(text, '"id":%s*"([^"]*)"')
  return id and redis.call('ZSCORE', KEYS[3], id)
end
local function enter()
  if #scores == 0 then return end
  redis.call('ZADD', KEYS[2], unpack(scores))
  redis.call('HSET', KEYS[1], unpack(books))
  scores, books = {}, {}
end
for i = 4, #KEYS do
  if n >= most then break end
  local queue = ARGV[i * 2 - 4]
  local texts = redis.pcall('RPOP', KEYS[i], most - n)
  if texts and not texts.err then
    for _, text in ipairs(texts) do
      local tag = head .. queue .. ':' .. string.format('%.0f', number + n)
      local isObject = string.find(text, '^%s*{') and string.find(text, '}%s*$')
      scores[#scores + 1] = score
      scores[#scores + 1] = tag
      books[#books + 1] = tag
      books[#books + 1] = '[' .. (isObject and text or cjson.encode(text)) .. ', "", ' .. cjson.encode(queue) .. ']'
      answer[#answer + 1] = hasMarks and marked(text) and 3 - i or i - 4
      answer[#answer + 1] = text
      n = n + 1
      if #scores >= 1000 then enter() end
    end
  end
end
enter()
local seen = {}
for i = 4, #KEYS do
  local bell = ARGV[i * 2 - 3]
  if not seen[bell] then
    seen[bell] = 'silent'
    redis.call('DEL', bell)
  end
  if n >= most and seen[bell] == 'silent' and redis.call('TYPE', KEYS[i]).ok == 'list' then
    seen[bell] = 'rung'
    ring(bell)
  end
end
return answer
`;

/**
 * Everything that finished runs leave behind. A script that fails midway leaves what it has written, and would push it
 * again at each attempt: so every queue is looked at before the first write. A script may change the database: results
 * in another database of the same server are stored here, too. KEYS: unacked, unacked_index. ARGV: the broker's database, the
 * results' (empty: stored elsewhere), seconds to live, then four counts and their lists:
 *   messages (list, bell, text)   results (key, text)   dead letters (list, text)   tags that are done with
 */
export const settleScript = `${ring}${storeFunction}
local publications, results, dead, tags = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local firstResult = 8 + publications * 3
local firstDead = firstResult + results * 2
for i = 8, firstResult - 1, 3 do
  redis.call('LLEN', ARGV[i])
  redis.call('LLEN', ARGV[i + 1])
end
for i = firstDead, firstDead + dead * 2 - 1, 2 do redis.call('LLEN', ARGV[i]) end
if results > 0 then
  if ARGV[2] ~= ARGV[1] then redis.call('SELECT', ARGV[2]) end
  for i = firstResult, firstDead - 1, 2 do redis.call('STRLEN', ARGV[i]) end
  for i = firstResult, firstDead - 1, 2 do store(ARGV[i], ARGV[3], ARGV[i + 1]) end
  if ARGV[2] ~= ARGV[1] then redis.call('SELECT', ARGV[1]) end
end
local at, rung = 8, {}
for _ = 1, publications do
  redis.call('LPUSH', ARGV[at], ARGV[at + 2])
  rung[ARGV[at + 1]] = true
  at = at + 3
end
for bell in pairs(rung) do ring(bell) end
at = firstDead
for _ = 1, dead do
  redis.call('LPUSH', ARGV[at], ARGV[at + 1])
  redis.call('LTRIM', ARGV[at], 0, ${DEAD_LETTERS - 1})
  at = at + 2
end
for i = at, at + tags - 1 do
  redis.call('ZREM', KEYS[2], ARGV[i])
  redis.call('HDEL', KEYS[1], ARGV[i])
end
return tags
`;

/**
 * Moves held messages to the front of their queues; a tag that is gone was moved by somebody else. KEYS: unacked,
 * unacked_index. ARGV: for each message its tag, its list, its queue's bell (empty: a list that nobody waits for) and the text.
 */
export const handBackScript = `${ring}
local moved, rung = 0, {}
for i = 1, #ARGV, 4 do
  if redis.call('HDEL', KEYS[1], ARGV[i]) == 1 then
    redis.call('ZREM', KEYS[2], ARGV[i])
    redis.call('RPUSH', ARGV[i + 1], ARGV[i + 3])
    if ARGV[i + 2] ~= '' then rung[ARGV[i + 2]] = true end
    moved = moved + 1
  end
end
for bell in pairs(rung) do ring(bell) end
return moved
`;

/**
 * Says that a worker lives and that its messages are in good hands. KEYS: lease, unacked, unacked_index, its pod's counter.
 * ARGV: the lease's text, milliseconds to live, its number, then the tags. Answers the tags that are no longer its own. A
 * counter that was lost with the server's data is raised again: the next incarnation must not get this one's number.
 */
export const renewScript = `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if tonumber(redis.call('GET', KEYS[4]) or '0') < tonumber(ARGV[3]) then redis.call('SET', KEYS[4], ARGV[3]) end
local time = redis.call('TIME')
local score = time[1] .. '.' .. string.format('%06d', time[2])
local gone = {}
for i = 4, #ARGV do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then
    redis.call('ZADD', KEYS[3], 'XX', score, ARGV[i])
  else
    gone[#gone + 1] = ARGV[i]
  end
end
return gone
`;

/** Marks ids, and forgets the marks that are older than they need be. KEYS: the marks. ARGV: seconds to live, then the ids. */
export const markScript = `
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return #ARGV - 1
`;

/** Counts of messages, not of lists. KEYS: four lists a queue. */
export const waitingScript = `
local counts = {}
for i = 1, #KEYS, 4 do
  local count = 0
  for j = i, i + 3 do
    local length = redis.pcall('LLEN', KEYS[j])
    if type(length) == 'number' then count = count + length end
  end
  counts[#counts + 1] = count
end
return counts
`;

/**
 * Asks every worker, with a place for the answers that expires by itself. KEYS: the binding of the reply exchange, kombu's
 * deadlines of bindings, the list of the answers. ARGV: the binding's member, the exchange, the binding's deadline in ms, seconds
 * that answers are kept, the channel, then the questions. Answers how many heard each.
 */
export const askScript = `
redis.call('SADD', KEYS[1], ARGV[1])
redis.pcall('ZADD', KEYS[2], 'GT', ARGV[3], ARGV[2])
redis.call('DEL', KEYS[3])
redis.call('LPUSH', KEYS[3], '')
redis.call('EXPIRE', KEYS[3], ARGV[4])
local heard = 0
for i = 6, #ARGV do heard = redis.call('PUBLISH', ARGV[5], ARGV[i]) end
return heard
`;
