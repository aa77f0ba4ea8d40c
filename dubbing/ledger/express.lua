-- Whether a request without a job may go ahead of the batches of a queue: queue.
-- It may for some times a slot; then a batch has to be begun first.
local TIMES = 4
local key = P .. 'express:' .. ARGV[1]
if redis.call('INCR', key) <= TIMES * math.max(online(ARGV[1]), 1) then return 1 end
redis.call('DECR', key)
return 0
