-- Renew a lease or a reservation. Arguments: job, round, token, queue, number or '' for an assembly, owner,
-- lease, deadline.
-- Returns 1 while the work is still needed and its deadline has not passed.
local job, round, token, queue, number, owner = unpack(ARGV, 1, 6)
local m = member(job, round, token)
local standing = live(job, round)
if standing == 'over' then return 0 end
local t = now()
local finish = t + tonumber(ARGV[7])
if reservation(m) == owner then
  reserve(m, owner, tonumber(ARGV[7]))
  return 1
end
local holder, deadline = holding(m)
if not holder then
  if standing == 'unknown' then return 0 end
  -- Redis lost the owner, or lease and owner. The owner takes the batch back, unless it was sent again or
  -- counted.
  local closed = number ~= '' and redis.call('GETBIT', jobkey(job) .. ':closed', number) == 1
  if closed or redis.call('ZSCORE', P .. 'published:' .. queue, m) then return 0 end
  lease(queue, m, owner, finish, t + tonumber(ARGV[8]))
  return 1
end
if holder ~= owner or t > deadline then return 0 end
redis.call('ZADD', P .. 'leases:' .. queue, math.min(finish, deadline), m)
return 1
