-- Count a delivery of each line, before any work: job, then ids. A line that was begun before and
-- not finished is only looked at: it is raised when its own turn comes.
-- Returns how often each was begun before.
local counts = {}
local key = jobkey(ARGV[1]) .. ':deliveries'
-- Of a job that ended meanwhile nothing is to be left here.
local over = ended(redis.call('HGET', jobkey(ARGV[1]), 'state'))
for n = 2, #ARGV do
  counts[n - 1] = tonumber(redis.call('HGET', key, ARGV[n]) or '0')
  if counts[n - 1] == 0 and not over then redis.call('HSET', key, ARGV[n], 1) end
end
return counts
