/**
 * Ends a run. KEYS: head, slots, kept, outbox, registry, then the ledgers it stands in. ARGV: uid, its 48 bits, seconds
 * that its keys stay. The bits may be another run's by now, when this is repeated: then they stay claimed.
 */
export const endScript = `
if redis.call('HGET', KEYS[5], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[5], ARGV[2]) end
for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
for i = 6, #KEYS do redis.call('HDEL', KEYS[i], ARGV[1]) end
return {'Ended'}
`;
