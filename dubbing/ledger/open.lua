-- Enter all missing batches of a round that is new, or that Redis lost in part. Arguments: job, round,
-- tenant, seconds of the programme, lines of the job, lines that the round leaves unchanged, id of the
-- request over HTTP that asked for the round or '', and then for each batch: number, queue, token, number
-- of the extraction that it needs or '', lines, and the number of failed lines if its result is stored,
-- else ''.
-- Returns the number of entered batches. Batches in progress are kept.
local job, round, tenant = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local key = jobkey(job)
local state = redis.call('HGET', key, 'state')
local known = tonumber(redis.call('HGET', key, 'round') or '')
if known and (known > round or known == round and ended(state)) then return 0 end

-- A full Redis refuses this first write; after any other write it would refuse nothing more.
redis.call('HSET', key, 'round', round, 'tenant', tenant, 'length', ARGV[4], 'lines', ARGV[5],
  'request', ARGV[7])
redis.call('PERSIST', key)
redis.call('PERSIST', key .. ':events')
if known and known < round then forget_work(job) end

local batches, closed = {}, {}
local done, failed, count = tonumber(ARGV[6]), 0, 0
for i = 8, #ARGV, 6 do
  local number, queue, token, needs, lines, faults = unpack(ARGV, i, i + 5)
  batches[#batches + 1] = {number = number, queue = queue, token = token, needs = needs}
  -- Counted batches stay counted: the caller may have read storage before their results were stored.
  local counted = known == round and redis.call('GETBIT', key .. ':closed', number) == 1
  if counted or faults ~= '' then
    closed[number] = true
    count, done, failed = count + 1, done + lines, failed + num(faults)
  end
end
local whole = count == #batches

redis.call('DEL', key .. ':closed', key .. ':queues', key .. ':held')
local kept, begun = {}, count > 0
local function keep(of, token, zset)
  local number = string.match(token, '^(%d+):')
  local open = number and not closed[number] or not number and whole
  if of ~= tostring(round) or not open then return false end
  kept[token] = true
  begun = begun or zset == 'leases:'
  return true
end
local seen = {}
local function clear(queue)
  if seen[queue] then return end
  seen[queue] = true
  redis.call('SADD', key .. ':queues', queue)
  redis.call('DEL', todokey(job, queue))
  forget_sent(job, queue, keep)
end
clear('assembly')
for _, batch in ipairs(batches) do
  clear(batch.queue)
  if batch.needs ~= '' then redis.call('DEL', key .. ':held:' .. batch.needs) end
  if closed[batch.number] then redis.call('SETBIT', key .. ':closed', batch.number, 1) end
end

redis.call('HSET', key, 'done', done, 'failed', failed, 'batches', #batches, 'closed', count)
local put, owed = 0, {assembly = whole and 1 or 0}
for _, batch in ipairs(batches) do
  local lines = closed[batch.number] and 0 or lines_of(batch.token)
  owed[batch.queue] = (owed[batch.queue] or 0) + lines
  if not closed[batch.number] and not kept[batch.token] then
    put = put + 1
    if batch.needs ~= '' and not closed[batch.needs] then
      redis.call('SADD', key .. ':held', batch.needs)
      redis.call('RPUSH', key .. ':held:' .. batch.needs, batch.queue .. '|' .. batch.token)
    else
      redis.call('RPUSH', todokey(job, batch.queue), batch.token)
      enlist(job, batch.queue)
    end
  end
end
for queue, lines in pairs(owed) do set_left(queue, job, lines) end
if not whole then
  set_state(job, begun and 'synthesizing' or 'queued')
elseif kept['assembly'] then
  set_state(job, 'assembling')
else
  start_assembly(job)
  put = put + 1
end
return put
