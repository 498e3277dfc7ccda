import { ledgerLua, storedLua } from './stored-lua.ts';

/**
 * Writes a whole run back: `core/workflow/restore.ts` in Lua. KEYS: head, slots, kept, outbox, fence, registry. ARGV:
 * fence, rev, uid, its 48 bits, slots, what ledger keys begin with; then four counts, of arguments for the head, kept,
 * outbox and ledger, and these. The head names what the ledger does.
 */
export const restoreScript = `
local head, slots, kept, outbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
${storedLua}
${ledgerLua}
local fence = tonumber(redis.call('GET', KEYS[5]) or '0')
if tonumber(ARGV[1]) < fence then return {'StaleFence', tostring(fence)} end
local rev = redis.call('EXISTS', slots) == 1 and redis.call('HGET', head, 'rev')
if rev and tonumber(rev) >= tonumber(ARGV[2]) then return {'StaleRev', unpack(stored())} end
local owner = redis.call('HGET', KEYS[6], ARGV[4])
if owner and owner ~= ARGV[3] then return {'Crowded', owner} end
redis.call('HSET', KEYS[6], ARGV[4], ARGV[3])
if tonumber(ARGV[1]) > fence then redis.call('SET', KEYS[5], ARGV[1]) end
leaveLedger(head, ARGV[6], ARGV[3])
redis.call('DEL', head, slots, kept, outbox)
local p = 11
local function write(command, key, count)
  for i = p, p + count - 1, 1000 do redis.call(command, key, unpack(ARGV, i, math.min(i + 999, p + count - 1))) end
  p = p + count
end
write('HSET', head, tonumber(ARGV[7]))
redis.call('SET', slots, ARGV[5])
write('HSET', kept, tonumber(ARGV[8]))
write('RPUSH', outbox, tonumber(ARGV[9]))
for i = p, p + ARGV[10] - 1, 2 do redis.call('HSET', ARGV[6] .. ARGV[i], ARGV[3], ARGV[i + 1]) end
return {'Restored', ARGV[2]}
`;
