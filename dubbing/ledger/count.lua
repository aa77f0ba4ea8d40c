-- Count a delivery of work that is done alone, or a setback: job, name. Returns how often it was
-- counted before. A job that has ended meanwhile must leave no counts.
local job, name = ARGV[1], ARGV[2]
if ended(redis.call('HGET', jobkey(job), 'state')) then return 0 end
local key = jobkey(job) .. ':deliveries'
local before = num(redis.call('HGET', key, name))
redis.call('HSET', key, name, before + 1)
return before
