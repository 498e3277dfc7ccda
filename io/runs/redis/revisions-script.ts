/**
 * The revisions of many runs, as one text of numbers with a space between: an answer of many parts costs its reader more
 * than the question. `-` where there is no head. KEYS: their heads.
 */
export const revisionsScript = `
local revisions = {}
for i = 1, #KEYS do revisions[i] = redis.call('HGET', KEYS[i], 'rev') or '-' end
return {table.concat(revisions, ' ')}
`;
