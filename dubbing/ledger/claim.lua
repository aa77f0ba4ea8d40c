-- Claim a batch: job, round, token, queue, number (or '' for assembly), owner, lease, deadline.
-- Returns 'run', or why there is nothing to do: 'closed', 'busy', 'over', 'unknown'.
local job, round, token, queue, number, owner = unpack(ARGV, 1, 6)
local m = member(job, round, token)
local standing = live(job, round)
redis.call('ZREM', P .. 'published:' .. queue, m)
if standing ~= 'live' then return standing end
if number ~= '' and redis.call('GETBIT', jobkey(job) .. ':closed', number) == 1 then return 'closed' end

local t = now()
local held = redis.call('ZSCORE', P .. 'leases:' .. queue, m)
if held and tonumber(held) > t and holding(m) ~= owner then return 'busy' end
lease(queue, m, owner, t + tonumber(ARGV[7]), t + tonumber(ARGV[8]))
redis.call('DEL', P .. 'express:' .. queue)
if number ~= '' then set_state(job, 'synthesizing') end
return 'run'
