-- Renew a lease: job, round, token, queue, owner, lease. Returns 1 while the work is still wanted
-- and its deadline has not passed.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local m = member(job, round, token)
if live(job, round) ~= 'live' then return 0 end
local holder, deadline = holding(m)
local t = now()
if holder ~= owner or t > tonumber(deadline) then return 0 end
redis.call('ZADD', P .. 'leases:' .. queue, 'XX', math.min(t + tonumber(ARGV[6]), tonumber(deadline)), m)
return 1
