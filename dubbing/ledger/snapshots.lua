-- Tell where jobs stand: ids. Returns for each job two lists. The first is its state, round, lines,
-- done, failed and closed. The second holds, while it is being worked on, for each queue with work for
-- it: queue, batches ahead of its next one or '', batches until its last one is done, slots online,
-- seconds per batch or ''.
local LONG = 100     -- members of a ring whose counts are kept for those who ask soon
local KEPT = 1000    -- milliseconds that they are kept

-- Return how many batches will join a queue when extractions are done.
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

-- Return the members of a ring, and the count of each. To count them all is what this script costs.
local rings = {}
local function counted(name, count)
  local found = rings[name] or {{}, {}}
  local members, counts = unpack(found)
  if rings[name] then return members, counts end
  rings[name] = found
  for member, kept in string.gmatch(redis.call('GET', P .. 'counts:' .. name) or '', '([^|\n]+)|(%d+)\n') do
    members[#members + 1], counts[#counts + 1] = member, tonumber(kept)
  end
  if #members > 0 then return members, counts end
  local lines = {}
  for n, member in ipairs(redis.call('LRANGE', P .. 'ring:' .. name, 0, -1)) do
    members[n], counts[n] = member, count(member)
    lines[n] = member .. '|' .. counts[n] .. '\n'
  end
  if #members >= LONG then redis.call('SET', P .. 'counts:' .. name, table.concat(lines), 'PX', KEPT) end
  return members, counts
end

-- Return the place of a member among others. One that is not there yet will join at the head.
local function place_of(own, members)
  for n, name in ipairs(members) do
    if name == own then return n end
  end
  return 0
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
local function taken(job, tenant, queue)
  local function jobs(name)
    return counted(ring(queue, name), function(id) return redis.call('LLEN', todokey(id, queue)) end)
  end
  local tenants, of_tenants = counted(ring(queue), function(name)
    local sum, _, counts = 0, jobs(name)
    for _, count in ipairs(counts) do sum = sum + count end
    return sum
  end)
  local tenant_place = place_of(tenant, tenants)
  local members, counts = jobs(tenant)
  local place = place_of(job, members)
  return function(n) return turns(of_tenants, tenant_place, turns(counts, place, n)) end
end

-- Return the places of the job's batches in a sorted set, and how many batches it holds.
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
  -- A batch in progress counts as half done.
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
