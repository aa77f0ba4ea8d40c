-- Return the snapshots of jobs. Arguments: ids.
-- Returns two lists for each job. The first holds its state, round, lines, and the counts of done lines,
-- failed lines and closed batches. The second holds, for an active job, for each queue with work for it:
-- queue, batches before its next one or '', batches up to its last one, slots online, seconds per batch
-- or ''.

-- Return the number of a job's batches that will join a queue after extractions.
local function held(job, queue)
  local count = 0
  for _, number in ipairs(redis.call('SMEMBERS', jobkey(job) .. ':held')) do
    local list = jobkey(job) .. ':held:' .. number
    local first = redis.call('LINDEX', list, 0)
    if first and string.match(first, '^([^|]+)|') == queue then
      count = count + redis.call('LLEN', list)
    end
  end
  return count
end

-- Return the places of a job's batches in a sorted set, and the size of the set.
local function own(job, zset)
  local places = {}
  local members = redis.call('ZRANGE', zset, 0, -1)
  for n, m in ipairs(members) do
    if split(m) == job then places[#places + 1] = n end
  end
  return places, #members
end

local function standing(job, tenant, queue)
  local waiting = redis.call('LLEN', todokey(job, queue))
  local later = waiting + held(job, queue)
  local sent, published = own(job, P .. 'published:' .. queue)
  local begun, leased = own(job, P .. 'leases:' .. queue)
  local turn = later > 0 and taken(job, tenant, queue)
  local first = sent[1] or waiting > 0 and published + turn(1)
  -- A batch in progress counts half.
  local work = #begun / 2
  if #sent > 0 then work = leased / 2 + sent[#sent] end
  if later > 0 then work = leased / 2 + published + turn(later) end
  return first and first - 1, work
end

local function standings(job, tenant, state)
  local found = {}
  local function add(queue, ahead, work)
    if work == 0 then return end
    local size = queue == 'assembly' and programme(job) or 1
    found[#found + 1] = {queue, ahead or '', tostring(work), online(queue), pace(queue, size)}
  end
  for _, queue in ipairs(redis.call('SMEMBERS', jobkey(job) .. ':queues')) do
    add(queue, standing(job, tenant, queue))
  end
  if state ~= 'assembling' then add('assembly', nil, 1) end
  return found
end

local answers = {}
for n, job in ipairs(ARGV) do
  local fields = redis.call('HMGET', jobkey(job), 'state', 'round', 'lines', 'done', 'failed', 'closed')
  local tenant = redis.call('HGET', jobkey(job), 'tenant')
  local active = live(job, fields[2]) == 'live'
  answers[n] = {fields, active and standings(job, tenant, fields[1]) or {}}
end
return answers
