-- Count a delivery of what is done alone, or a setback: job, its name. Returns how often it was
-- counted before. Of a job that ended meanwhile nothing is to be left here.
local job, name = ARGV[1], ARGV[2]
if ended(redis.call('HGET', jobkey(job), 'state')) then return 0 end
return redis.call('HINCRBY', jobkey(job) .. ':deliveries', name, 1) - 1
