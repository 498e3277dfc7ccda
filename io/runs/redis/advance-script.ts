/**
 * The deciding script: `core/workflow/advance.ts` in Lua, and the pushing. All or nothing: every refusal stands before
 * the first write, and so does a look at each list, for a script that fails midway leaves behind what it has written.
 * KEYS: head, slots, kept, outbox, fence, timers. ARGV: fence, rev, cancel, the home's db, then five counts (records,
 * publishes, ledger changes, timers set, timers cleared), then
 *   records    step, slot (8 bytes in hex), `1` if something is kept, its text
 *   publishes  step, slot (8 bytes in hex), `1` if clean-up, `Push`|`Outbox`|`Hold`, db, list, bell, message
 *   ledger     key, delta      timers set  name, due in ms      timers cleared  name
 */
export const advanceScript = `
local head, slots, kept, outbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function bytes(hex)
  return struct.pack('>I4I4', tonumber(string.sub(hex, 1, 8), 16), tonumber(string.sub(hex, 9), 16))
end
local function stored()
  return {redis.call('HGETALL', head), redis.call('GET', slots), redis.call('HGETALL', kept), redis.call('LRANGE', outbox, 0, -1)}
end
local known = redis.call('HMGET', head, 'rev', 'cancelled')
if not known[1] then return {'HeadMissing'} end
local fence = tonumber(redis.call('GET', KEYS[5]) or '0')
if tonumber(ARGV[1]) < fence then return {'StaleFence', tostring(fence)} end
if known[1] ~= ARGV[2] then return {'StaleRev', unpack(stored())} end
local records, publishes, ledger, set, clear =
  tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local firstPublish = 10 + records * 4
if known[2] == '1' then
  for i = 0, publishes - 1 do
    if ARGV[firstPublish + i * 8 + 2] ~= '1' then return {'Cancelled', unpack(stored())} end
  end
end
local home, db, list = ARGV[4], ARGV[4], false
for i = 0, publishes - 1 do
  local p = firstPublish + i * 8
  if ARGV[p + 3] == 'Push' and (ARGV[p + 5] ~= list or ARGV[p + 4] ~= db) then
    if ARGV[p + 4] ~= db then redis.call('SELECT', ARGV[p + 4]) end
    db, list = ARGV[p + 4], ARGV[p + 5]
    redis.call('LLEN', list)
    redis.call('LLEN', ARGV[p + 6])
  end
end
if db ~= home then redis.call('SELECT', home) end
for i = 0, records - 1 do
  local at = 10 + i * 4
  local step = ARGV[at]
  local old = redis.call('GETRANGE', slots, step * 8, step * 8)
  if old == '' or string.byte(old) < 16 then
    redis.call('SETRANGE', slots, step * 8, bytes(ARGV[at + 1]))
    if ARGV[at + 2] == '1' then redis.call('HSET', kept, step .. ':0', ARGV[at + 3]) end
  end
end
for i = 0, publishes - 1 do
  local at = firstPublish + i * 8
  redis.call('SETRANGE', slots, ARGV[at] * 8, bytes(ARGV[at + 1]))
  if ARGV[at + 3] == 'Outbox' then redis.call('RPUSH', outbox, ARGV[at + 7]) end
end
local at = firstPublish + publishes * 8
for i = 0, ledger - 1 do
  local uid = redis.call('HGET', head, 'uid')
  if redis.call('HINCRBY', ARGV[at + i * 2], uid, ARGV[at + i * 2 + 1]) <= 0 then redis.call('HDEL', ARGV[at + i * 2], uid) end
end
at = at + ledger * 2
for i = 0, set - 1 do redis.call('ZADD', KEYS[6], ARGV[at + i * 2 + 1], ARGV[at + i * 2]) end
at = at + set * 2
for i = 0, clear - 1 do redis.call('ZREM', KEYS[6], ARGV[at + i]) end
if ARGV[3] == '1' then redis.call('HSET', head, 'cancelled', 1) end
local rev = redis.call('HINCRBY', head, 'rev', 1)
local bell, batch = false, {}
db, list = home, false
local function flush()
  if #batch == 0 then return end
  redis.call('LPUSH', list, unpack(batch))
  redis.call('LPUSH', bell, '1')
  redis.call('LTRIM', bell, 0, 63)
  batch = {}
end
for i = 0, publishes - 1 do
  local p = firstPublish + i * 8
  if ARGV[p + 3] == 'Push' then
    if ARGV[p + 5] ~= list or ARGV[p + 4] ~= db then
      flush()
      if ARGV[p + 4] ~= db then redis.call('SELECT', ARGV[p + 4]) end
      db, list, bell = ARGV[p + 4], ARGV[p + 5], ARGV[p + 6]
    end
    batch[#batch + 1] = ARGV[p + 7]
  end
end
flush()
return {'Advanced', tostring(rev)}
`;
