-- Return whether a request without a job may go ahead of the batches of a queue. Argument: queue.
-- TIMES requests per slot may; then a batch has to begin first, if one waits.
local TIMES = 4
local queue = ARGV[1]
if redis.call('ZCARD', P .. 'published:' .. queue) == 0 then return 1 end
local key = P .. 'express:' .. queue
local times = num(redis.call('GET', key)) + 1
if times > TIMES * math.max(online(queue), 1) then return 0 end
redis.call('SET', key, times)
return 1
