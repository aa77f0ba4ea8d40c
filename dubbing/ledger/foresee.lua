-- Tell how far a tenant's jobs would be if they were submitted now: tenant, then for each queue: its
-- name, and how many batches they would have there. Returns for each queue, and at last for an assembly
-- of one second: queue, batches until their last one is done, slots online, seconds per batch or '', and
-- a list of each currency and the millionths of it that a line cost.
local tenant = ARGV[1]
local found = {}
local function add(queue, work)
  found[#found + 1] = {queue, tostring(work), online(queue), pace(queue, 1), line_costs(queue)}
end
for n = 2, #ARGV, 2 do
  local queue, batches = ARGV[n], tonumber(ARGV[n + 1])
  local leased, published = redis.call('ZCARD', P .. 'leases:' .. queue), redis.call('ZCARD', P .. 'published:' .. queue)
  -- As for jobs that are there: a batch in progress counts as half done.
  add(queue, leased / 2 + published + taken('', tenant, queue)(batches))
end
add('assembly', 1)
return found
