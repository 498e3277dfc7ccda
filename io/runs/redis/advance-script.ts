import { BELL_BYTES } from '../../brokers/broker-keys.ts';
import { storedLua, unfoldedLua } from './stored-lua.ts';

/**
 * The deciding script: `core/workflow/advance.ts` in Lua, and the pushing. All or nothing: every refusal stands before
 * the first write, and so does a look at each list, for a script that fails midway leaves behind what it has written.
 * KEYS: head, slots, kept, outbox, fence. ARGV, as `advance-arguments.ts` writes it: fence, rev, why cancelled or `''`,
 * the home's db, `1` if anything but clean-up is published, a new round's ticks or `''`, its slots, the
 * `retryFailed` that it answers, what ledger keys begin with; then five counts, of
 *   queues      db, list, bell, messages      the outbox has the list `''`
 *   ledger      queue, held
 *   unfolds     step, base, count, width
 *   slots       first, how many, their two words of 32 bits
 *   records     first, how many, their two words, `1` if a text of each is kept, then these texts
 * and then the messages, queue after queue.
 */
export const advanceScript = `
local head, slots, kept, outbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local known = redis.call('HMGET', head, 'rev', 'cancelled', 'maps')
local unfolded = known[3]
${storedLua}
${unfoldedLua}
if not known[1] or redis.call('EXISTS', slots) == 0 then return {'HeadMissing'} end
local fence = tonumber(redis.call('GET', KEYS[5]) or '0')
if tonumber(ARGV[1]) < fence then return {'StaleFence', tostring(fence)} end
if known[1] ~= ARGV[2] then return {'StaleRev', unpack(stored())} end
if known[2] ~= '' and ARGV[5] == '1' then return {'Cancelled', unpack(stored())} end
local home, round = ARGV[4], ARGV[6]
local queues, ledger, unfolds, stretches, records =
  tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local firstQueue = 15
local db = home
for p = firstQueue, firstQueue + (queues - 1) * 4, 4 do
  if ARGV[p + 1] ~= '' then
    if ARGV[p] ~= db then redis.call('SELECT', ARGV[p]) db = ARGV[p] end
    redis.call('LLEN', ARGV[p + 1])
    redis.call('LLEN', ARGV[p + 2])
  end
end
if db ~= home then redis.call('SELECT', home) end
local p = firstQueue + queues * 4

if tonumber(ARGV[1]) > fence then redis.call('SET', KEYS[5], ARGV[1]) end
for _ = 1, ledger do
  local uid = redis.call('HGET', head, 'uid')
  if ARGV[p + 1] == '0' then
    redis.call('HDEL', ARGV[9] .. ARGV[p], uid)
    redis.call('HDEL', head, 'q:' .. ARGV[p])
  else
    redis.call('HSET', ARGV[9] .. ARGV[p], uid, ARGV[p + 1])
    redis.call('HSET', head, 'q:' .. ARGV[p], ARGV[p + 1])
  end
  p = p + 2
end

local anew = {}
for i = p, p + (unfolds - 1) * 4, 4 do
  local before = redis.call('HGET', head, 'm:' .. ARGV[i])
  if before then anew[#anew + 1] = {ARGV[i] + 0, ARGV[i] + tonumber(string.match(before, '%d+$'))} end
end
local function isForgotten(step, member)
  if round ~= '' and (string.byte(ARGV[7], slotOf(step, member) * 8 + 1) or 0) < 16 then return true end
  for _, map in ipairs(anew) do
    if step > map[1] and step <= map[2] then return true end
  end
  return false
end
if round ~= '' or #anew > 0 then
  local gone = {}
  for _, field in ipairs(redis.call('HKEYS', kept)) do
    local step, member = string.match(field, '^(%d+):(%d+)$')
    if isForgotten(tonumber(step), tonumber(member)) then gone[#gone + 1] = field end
  end
  for i = 1, #gone, 1000 do redis.call('HDEL', kept, unpack(gone, i, math.min(i + 999, #gone))) end
end
if round ~= '' then
  redis.call('SET', slots, ARGV[7])
  local before = redis.call('HGET', head, 'roundsAt')
  redis.call('HSET', head, 'cancelled', '', 'retried', ARGV[8], 'roundsAt', before == '' and round or before .. ' ' .. round)
  redis.call('HINCRBY', head, 'round', 1)
  for _, key in ipairs({head, slots, kept, outbox}) do redis.call('PERSIST', key) end
end
for _ = 1, unfolds do
  redis.call('HSET', head, 'm:' .. ARGV[p], ARGV[p + 1] .. ' ' .. ARGV[p + 2] .. ' ' .. ARGV[p + 3])
  local size = (ARGV[p + 1] + ARGV[p + 2] * ARGV[p + 3]) * 8
  if redis.call('STRLEN', slots) < size then redis.call('SETRANGE', slots, size - 1, '\\0') end
  p = p + 4
end
if unfolds > 0 then
  redis.call('HSET', head, 'maps', 1)
  unfolded = true
end

local firstStretch = p
p = p + stretches * 4
local texts = {}
local function keep(at, text)
  texts[#texts + 1] = fieldOf(at)
  texts[#texts + 1] = text
  if #texts >= 2000 then redis.call('HSET', kept, unpack(texts)) texts = {} end
end
for _ = 1, records do
  local at, count, slot = tonumber(ARGV[p]), tonumber(ARGV[p + 1]), struct.pack('>I4I4', ARGV[p + 2], ARGV[p + 3])
  local keeps = ARGV[p + 4] == '1'
  p = p + 5
  local old = redis.call('GETRANGE', slots, at * 8, (at + count) * 8 - 1)
  local from = 0
  for i = 0, count do
    if i == count or (string.byte(old, i * 8 + 1) or 0) >= 16 then
      if i > from then redis.call('SETRANGE', slots, (at + from) * 8, string.rep(slot, i - from)) end
      from = i + 1
    elseif keeps then
      keep(at + i, ARGV[p + i])
    end
  end
  if keeps then p = p + count end
end
if #texts > 0 then redis.call('HSET', kept, unpack(texts)) end
for i = firstStretch, firstStretch + (stretches - 1) * 4, 4 do
  redis.call('SETRANGE', slots, ARGV[i] * 8, string.rep(struct.pack('>I4I4', ARGV[i + 2], ARGV[i + 3]), ARGV[i + 1]))
end
if ARGV[3] ~= '' and known[2] == '' then redis.call('HSET', head, 'cancelled', ARGV[3]) end
local rev = redis.call('HINCRBY', head, 'rev', 1)

for i = firstQueue, firstQueue + (queues - 1) * 4, 4 do
  local list, bell, count = ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  if list == '' then
    if db ~= home then redis.call('SELECT', home) db = home end
    redis.call('RPUSH', outbox, unpack(ARGV, p, p + count - 1))
  else
    if ARGV[i] ~= db then redis.call('SELECT', ARGV[i]) db = ARGV[i] end
    redis.call('LPUSH', list, unpack(ARGV, p, p + count - 1))
    redis.call('LPUSH', bell, '1')
    redis.call('LTRIM', bell, 0, ${BELL_BYTES - 1})
  end
  p = p + count
end
return {'Advanced', tostring(rev)}
`;
