-- Claim a batch: job, round, token, queue, owner, lease, deadline, and '1' when the owner holds that
-- batch already. A message stands for any batch that waits on its queue: when the one that it names
-- is taken, another one is claimed, at last one that is only reserved.
-- Returns 'run' and the batch that is claimed, or why the named one has nothing to do: 'closed',
-- 'busy', 'over', 'unknown'.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local seconds, deadline = tonumber(ARGV[6]), tonumber(ARGV[7])
local named = member(job, round, token)
local answer = verdict(queue, named)
if answer == 'unknown' then return {answer} end
-- The same call again: its answer was lost on the way.
if answer == 'busy' and holding(named) == owner and ARGV[8] ~= '1' then return {'run', told(named)} end

local m = answer == 'run' and ARGV[8] ~= '1' and not reservation(named) and named
m = m or waiting(queue, true)
if answer ~= 'run' then redis.call('ZREM', P .. 'published:' .. queue, named) end
if not m then return {answer == 'run' and 'busy' or answer} end
local number, own = string.match(m, '|(%d+):%d+:%d+:([^:]+):')
begin(queue, m, number, owner, seconds, tonumber(own) or deadline)
return {'run', told(m)}
