-- Compare the counts of jobs with their entries. Arguments: ids of jobs.
-- Every batch of a job is either closed, or it waits, is held, published or leased, once. A job with
-- waiting batches has its turns.
-- Returns for each job 'sound', 'over' after the end of its round, 'unknown', or 'broken'.
local NUMBERS = {'round', 'length', 'lines', 'done', 'failed', 'batches', 'closed'}

-- Return the number of messages and leases of each round of each job on a queue; counted once a call.
local sent = {}
local function sent_on(queue)
  if sent[queue] then return sent[queue] end
  local counts, seen = {}, {}
  for _, zset in ipairs({'published:', 'leases:'}) do
    for _, m in ipairs(redis.call('ZRANGE', P .. zset .. queue, 0, -1)) do
      local job, round, token = split(m)
      if not job or not is_token(token) then
        redis.call('ZREM', P .. zset .. queue, m)
      elseif not seen[m] then
        seen[m] = true
        local of = job .. '|' .. round
        counts[of] = (counts[of] or 0) + 1
      end
    end
  end
  sent[queue] = counts
  return counts
end

local members = {}
local function in_ring(name, member)
  if not members[name] then
    members[name] = {}
    for _, one in ipairs(redis.call('LRANGE', P .. 'ring:' .. name, 0, -1)) do
      members[name][one] = true
    end
  end
  return members[name][member]
end

local function has_turn(job, tenant, queue)
  return in_ring(ring(queue, tenant), job) and in_ring(ring(queue), tenant)
end

local function audit(job)
  local key = jobkey(job)
  local state, tenant, round, request = unpack(redis.call('HMGET', key, 'state', 'tenant', 'round', 'request'))
  if not round then return 'unknown' end
  if ended(state) then return 'over' end
  local counts = redis.call('HMGET', key, unpack(NUMBERS))
  for n in ipairs(NUMBERS) do
    if not tonumber(counts[n] or '') then return 'broken' end
  end
  if not state or not tenant or not request then return 'broken' end
  local batches, closed = tonumber(counts[6]), tonumber(counts[7])
  if redis.call('BITCOUNT', key .. ':closed') ~= closed then return 'broken' end

  local found = 0
  for _, queue in ipairs(redis.call('SMEMBERS', key .. ':queues')) do
    local waiting = redis.call('LLEN', todokey(job, queue))
    if waiting > 0 and not has_turn(job, tenant, queue) then return 'broken' end
    local open = waiting + (sent_on(queue)[job .. '|' .. round] or 0)
    local _, lines = left(queue, job)
    if open > 0 and lines == 0 then return 'broken' end
    found = found + open
  end
  for _, held in ipairs(redis.call('SMEMBERS', key .. ':held')) do
    found = found + redis.call('LLEN', key .. ':held:' .. held)
  end
  -- After the last batch, assembly is one more.
  local open = closed == batches and 1 or batches - closed
  return found == open and 'sound' or 'broken'
end

local answers = {}
for n, job in ipairs(ARGV) do answers[n] = audit(job) end
return answers
