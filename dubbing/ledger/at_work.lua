-- Return the ids of the jobs with waiting, published or leased batches, or with remaining lines, on queues.
-- Arguments: the queues.
local ids, known = {}, {}
local function note(job)
  if job and not known[job] then
    known[job] = true
    ids[#ids + 1] = job
  end
end
local asked = {}
for _, queue in ipairs(ARGV) do
  asked[queue] = true
  for _, tenant in ipairs(redis.call('LRANGE', P .. 'ring:' .. ring(queue), 0, -1)) do
    for _, job in ipairs(redis.call('LRANGE', P .. 'ring:' .. ring(queue, tenant), 0, -1)) do note(job) end
  end
  for _, zset in ipairs({'published:', 'leases:'}) do
    for _, m in ipairs(redis.call('ZRANGE', P .. zset .. queue, 0, -1)) do note((split(m))) end
  end
end
-- Releases that knew no remaining lines leave those of the jobs that they end.
for _, field in ipairs(redis.call('HKEYS', P .. 'backlog')) do
  local queue, job = string.match(field, '^([^|]+)|(.+)$')
  if asked[queue] then note(job) end
end
return ids
