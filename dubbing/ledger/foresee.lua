-- Return the prospects of a tenant's jobs if they were submitted now. Arguments: tenant, and then for each
-- queue its name and the number of their batches.
-- Returns for each queue, and last for an assembly of one second: queue, batches up to their last one,
-- slots online, seconds per batch or '', and a list of each currency and the millionths that a line costs.
local tenant = ARGV[1]
local found = {}
local function add(queue, work)
  found[#found + 1] = {queue, tostring(work), online(queue), pace(queue, 1), line_costs(queue)}
end
for n = 2, #ARGV, 2 do
  local queue, batches = ARGV[n], tonumber(ARGV[n + 1])
  local leased, published = redis.call('ZCARD', P .. 'leases:' .. queue), redis.call('ZCARD', P .. 'published:' .. queue)
  -- As for submitted jobs, a batch in progress counts half.
  add(queue, leased / 2 + published + taken('', tenant, queue)(batches))
end
add('assembly', 1)
return found
