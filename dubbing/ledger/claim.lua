-- Claim a batch. Arguments: job, round, token, queue, owner, lease, deadline, and '1' if the owner
-- already holds that batch. A message stands for any waiting batch of its queue: if the named batch is
-- taken, the batch that waits longest is claimed, or else a batch that is only reserved.
-- Returns 'run' and the claimed batch, or why there is nothing to do for the named one: 'closed', 'busy',
-- 'over', 'unknown'.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local seconds, deadline = tonumber(ARGV[6]), tonumber(ARGV[7])
local named = member(job, round, token)
local answer = verdict(queue, named)
if answer == 'unknown' then return {answer} end
-- The call is repeated, because its answer was lost.
if answer == 'busy' and holding(named) == owner and ARGV[8] ~= '1' then return {'run', told(named)} end

local m = answer == 'run' and ARGV[8] ~= '1' and not reservation(named) and named
m = m or waiting(queue, true)
if answer ~= 'run' then redis.call('ZREM', P .. 'published:' .. queue, named) end
if not m then return {answer == 'run' and 'busy' or answer} end
local number, own = string.match(m, '|(%d+):%d+:%d+:([^:]+):')
begin(queue, m, number, owner, seconds, tonumber(own) or deadline)
return {'run', told(m)}
