-- Tell where a job stands: job. Returns for each queue with work for it: queue, batches ahead of its
-- next one or '', batches until its last one is done, slots online, seconds per batch or ''.
local job = ARGV[1]
local round, tenant, state = unpack(redis.call('HMGET', jobkey(job), 'round', 'tenant', 'state'))
if live(job, round) ~= 'live' then return {} end

-- Return how many batches will join a queue when extractions are done.
local function held(queue)
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

-- Return the count of each member of a ring, the place of `own` in the ring, and the sum of the
-- counts. If `own` is not in the ring yet, its place is the head, where it will join.
local function look(ring, own, count)
  local counts, place, sum = {}, nil, 0
  for n, name in ipairs(redis.call('LRANGE', ring, 0, -1)) do
    counts[n] = count(name)
    sum = sum + counts[n]
    if name == own then place = n end
  end
  if not place then
    table.insert(counts, 1, 0)
    place = 1
  end
  return counts, place, sum
end

-- Return the turns of a whole ring up to the n-th turn of the member at `place`, including it. A
-- member with nothing left drops out.
local function turns(counts, place, n)
  local sum = n
  for other, count in ipairs(counts) do
    if other < place then sum = sum + math.min(count, n) end
    if other > place then sum = sum + math.min(count, n - 1) end
  end
  return sum
end

-- Return a function of n: how many batches of a queue are taken up to the job's n-th, including it.
local function taken(queue)
  local ring = P .. 'ring:' .. queue
  local function jobs(name)
    return look(ring .. ':' .. name, job, function(id) return redis.call('LLEN', todokey(id, queue)) end)
  end
  local tenants, tenant_place = look(ring, tenant, function(name)
    local _, _, sum = jobs(name)
    return sum
  end)
  local counts, place = jobs(tenant)
  return function(n) return turns(tenants, tenant_place, turns(counts, place, n)) end
end

-- Return the places of the job's batches in a sorted set, and how many batches it holds.
local function own(zset)
  local places = {}
  local members = redis.call('ZRANGE', zset, 0, -1)
  for n, m in ipairs(members) do
    if split(m) == job then places[#places + 1] = n end
  end
  return places, #members
end

local function standing(queue)
  local waiting = redis.call('LLEN', todokey(job, queue))
  local later = waiting + held(queue)
  local sent, published = own(P .. 'published:' .. queue)
  local begun, leased = own(P .. 'leases:' .. queue)
  local turn = later > 0 and taken(queue)
  local first = sent[1] or waiting > 0 and published + turn(1)
  -- A batch in progress counts as half done.
  local work = #begun / 2
  if #sent > 0 then work = leased / 2 + sent[#sent] end
  if later > 0 then work = leased / 2 + published + turn(later) end
  return first and first - 1, work
end

local found = {}
local function add(queue, ahead, work)
  if work == 0 then return end
  local size = queue == 'assembly' and programme(job) or 1
  found[#found + 1] = {queue, ahead or '', tostring(work), online(queue), pace(queue, size)}
end
for _, queue in ipairs(redis.call('SMEMBERS', jobkey(job) .. ':queues')) do
  add(queue, standing(queue))
end
if state ~= 'assembling' then add('assembly', nil, 1) end
return found
