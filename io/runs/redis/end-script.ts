import { ledgerLua } from './stored-lua.ts';

/**
 * Ends a run. KEYS: head, slots, kept, outbox, registry. ARGV: uid, its 48 bits, seconds that its keys stay, what ledger
 * keys begin with. The bits may be another run's by now, when this is repeated: then they stay claimed.
 */
export const endScript = `
${ledgerLua}
if redis.call('HGET', KEYS[5], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[5], ARGV[2]) end
for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
leaveLedger(KEYS[1], ARGV[4], ARGV[1])
return {'Ended'}
`;
