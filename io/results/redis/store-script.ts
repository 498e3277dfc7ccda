/**
 * Celery's `GET; SETEX; PUBLISH` in one step, so that no other writer gets between. Lua source of a function
 * `store(key, ttl, text)`, which answers 0 when a SUCCESS stands there. A `ttl` of 0 keeps the result for ever.
 */
export const storeFunction = `
local function succeeded(key)
  local head = redis.call('GETRANGE', key, 0, 31)
  if head == '' then return false end
  local status = string.match(head, '^{%s*"status":%s*"([^"]*)"')
  if status then return status == 'SUCCESS' end
  local ok, meta = pcall(cjson.decode, redis.call('GET', key))
  return ok and type(meta) == 'table' and meta.status == 'SUCCESS'
end
local function store(key, ttl, text)
  if succeeded(key) then return 0 end
  if ttl == '0' then redis.call('SET', key, text) else redis.call('SETEX', key, ttl, text) end
  redis.call('PUBLISH', key, text)
  return 1
end
`;

/** KEYS: the results. ARGV: seconds to live, then a text for each key. */
export const storeScript = `${storeFunction}
local answers = {}
for i, key in ipairs(KEYS) do answers[i] = store(key, ARGV[1], ARGV[i + 1]) end
return answers
`;

/** KEYS: the results. ARGV: from which length on, so many bytes of the end. Answers length, first 32 bytes and end, flat. */
export const glanceScript = `
local answers = {}
for i, key in ipairs(KEYS) do
  local length = redis.call('STRLEN', key)
  answers[i * 3 - 2] = length
  answers[i * 3 - 1] = redis.call('GETRANGE', key, 0, 31)
  answers[i * 3] = length < tonumber(ARGV[1]) and '' or redis.call('GETRANGE', key, -tonumber(ARGV[2]), -1)
end
return answers
`;
