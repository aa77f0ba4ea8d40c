-- Shared by the scripts that compute how many batches of a queue come first.
local LONG = 100     -- members of a ring from which its counts are cached
local KEPT = 1000    -- milliseconds of the cache

-- Return the members of a ring, and the count of each. Counting is the main cost of these scripts.
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

-- Return the place of a member in its ring; 0 for a new member, which will join at the head.
local function place_of(own, members)
  for n, name in ipairs(members) do
    if name == own then return n end
  end
  return 0
end

-- Return the number of turns of a whole ring up to and including the n-th turn of the member at `place`.
-- A member without batches drops out.
local function turns(counts, place, n)
  local sum = n
  for other, count in ipairs(counts) do
    if other < place then sum = sum + math.min(count, n) end
    if other > place then sum = sum + math.min(count, n - 1) end
  end
  return sum
end

-- Return a function of n: the number of batches of a queue up to and including the job's n-th.
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
