import { storedLua } from './stored-lua.ts';

/**
 * Creates a run's head and claims its 48 bits, or finds both. The slots are there from then on: where they are not, the
 * run was lost, whatever is left of it. KEYS: head, slots, kept, outbox, registry, fence, and for each
 * candidate who had it before. ARGV: fence, uid, plan version, digest, `1` to find only, candidates for the 48 bits. Replies `Begun`, isNew, head,
 * slots, kept, outbox.
 */
export const beginScript = `
local head, slots, kept, outbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
${storedLua}
local fence = tonumber(redis.call('GET', KEYS[6]) or '0')
if tonumber(ARGV[1]) < fence then return {'StaleFence', tostring(fence)} end
local run48 = redis.call('EXISTS', slots) == 1 and redis.call('HGET', head, 'run48')
local isNew = '0'
if run48 then
  redis.call('HSETNX', KEYS[5], run48, ARGV[2])
  for i = 1, 4 do redis.call('PERSIST', KEYS[i]) end
elseif ARGV[5] == '1' then
  return {'HeadMissing'}
else
  for i = 6, #ARGV do
    if (redis.call('GET', KEYS[i + 1]) or ARGV[2]) == ARGV[2] then
      redis.call('HSETNX', KEYS[5], ARGV[i], ARGV[2])
      if redis.call('HGET', KEYS[5], ARGV[i]) == ARGV[2] then run48 = ARGV[i] break end
    end
  end
  if not run48 then return {'Crowded'} end
  local now = redis.call('TIME')
  local ms = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
  redis.call('DEL', head, kept, outbox)
  redis.call('SET', slots, '')
  redis.call('HSET', head, 'uid', ARGV[2], 'run48', run48, 'rev', 0, 'round', 0, 'roundsAt', '', 'retried', 0, 'planVersion', ARGV[3],
    'digest', ARGV[4], 'cancelled', '', 'begunAtMs', ms)
  isNew = '1'
end
if tonumber(ARGV[1]) > fence then redis.call('SET', KEYS[6], ARGV[1]) end
return {'Begun', isNew, unpack(stored())}
`;
