-- Count a delivery of each line, before any work: job, then ids. A line that was begun before and
-- not finished is only looked at: it is raised when its own turn comes.
-- Returns how often each was begun before.
local counts = {}
local key = jobkey(ARGV[1]) .. ':deliveries'
for n = 2, #ARGV do
  counts[n - 1] = tonumber(redis.call('HGET', key, ARGV[n]) or '0')
  if counts[n - 1] == 0 then redis.call('HSET', key, ARGV[n], 1) end
end
return counts
