/**
 * The revisions of many runs, as one text of numbers with a space between: an answer of many parts costs its reader more
 * than the question. `-` where there is no head, or no slots beside it. KEYS: head and slots of each.
 */
export const revisionsScript = `
local revisions = {}
for i = 1, #KEYS, 2 do
  revisions[#revisions + 1] = redis.call('EXISTS', KEYS[i + 1]) == 1 and redis.call('HGET', KEYS[i], 'rev') or '-'
end
return {table.concat(revisions, ' ')}
`;
