/** Lua: the whole run, as `stored-reply.ts` reads it. Wants the locals `head`, `slots`, `kept` and `outbox`. */
export const storedLua = `
local function stored()
  return {redis.call('HGETALL', head), redis.call('GET', slots), redis.call('HGETALL', kept), redis.call('LRANGE', outbox, 0, -1)}
end`;

/**
 * Lua: `core/workflow/unfolded.ts`. `fieldOf(at)` is the field under which a slot's text is kept, `slotOf(step, member)`
 * the other way round. The head is read once, at the first question — to ask
 * before a map unfolds is to miss it afterwards — and not at all in a run without maps. Wants the
 * locals `head`, and `unfolded`: whether any map is, which the head says as `maps`.
 */
export const unfoldedLua = `
local owners
local function ownersOf()
  if owners then return owners end
  owners = {}
  if not unfolded then return owners end
  local fields = redis.call('HGETALL', head)
  for i = 1, #fields, 2 do
    local map = string.match(fields[i], '^m:(%d+)$')
    if map then
      local base, count, width = string.match(fields[i + 1], '^(%d+) (%d+) (%d+)$')
      owners[#owners + 1] = {first = map + 1, base = tonumber(base), slots = count * width, width = tonumber(width)}
    end
  end
  return owners
end
local function fieldOf(at)
  for _, owner in ipairs(ownersOf()) do
    local offset = at - owner.base
    if offset >= 0 and offset < owner.slots then
      return (owner.first + offset % owner.width) .. ':' .. math.floor(offset / owner.width)
    end
  end
  return at .. ':0'
end
local function slotOf(step, member)
  for _, owner in ipairs(ownersOf()) do
    local inner = step - owner.first
    if inner >= 0 and inner < owner.width then return owner.base + member * owner.width + inner end
  end
  return step
end`;

/** Lua: takes a run out of every ledger that its head names. */
export const ledgerLua = `
local function leaveLedger(head, ledgers, uid)
  for _, field in ipairs(redis.call('HKEYS', head)) do
    if string.sub(field, 1, 2) == 'q:' then
      redis.call('HDEL', ledgers .. string.sub(field, 3), uid)
      redis.call('HDEL', head, field)
    end
  end
end`;
