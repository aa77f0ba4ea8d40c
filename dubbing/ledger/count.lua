-- Count a delivery of work that is done alone, or a setback. Arguments: job, name. Returns the count
-- before. Nothing is counted for a job that has ended, because the count would stay.
local job, name = ARGV[1], ARGV[2]
if ended(redis.call('HGET', jobkey(job), 'state')) then return 0 end
local key = jobkey(job) .. ':deliveries'
local before = num(redis.call('HGET', key, name))
redis.call('HSET', key, name, before + 1)
return before
