import { ledgerLua } from './stored-lua.ts';

/**
 * Ends a run. KEYS: head, slots, kept, outbox, registry, who had these 48 bits. ARGV: uid, its 48 bits, seconds that its keys stay, what ledger
 * keys begin with. The bits may be another run's by now, when this is repeated late: then they stay so.
 */
export const endScript = `
${ledgerLua}
local owner = redis.call('HGET', KEYS[5], ARGV[2])
if owner == ARGV[1] then redis.call('HDEL', KEYS[5], ARGV[2]) end
if not owner or owner == ARGV[1] then redis.call('SET', KEYS[6], ARGV[1], 'EX', ARGV[3]) end
for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
leaveLedger(KEYS[1], ARGV[4], ARGV[1])
return {'Ended'}
`;
