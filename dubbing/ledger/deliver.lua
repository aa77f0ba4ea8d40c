-- Count a delivery of each line, before any work: job, then ids. The count of a line that was begun
-- before and not finished is only read: it is raised when the line's own turn comes.
-- Returns how often each was begun before.
local counts = {}
local key = jobkey(ARGV[1]) .. ':deliveries'
-- A job that has ended meanwhile must leave no counts.
local over = ended(redis.call('HGET', jobkey(ARGV[1]), 'state'))
for n = 2, #ARGV do
  counts[n - 1] = num(redis.call('HGET', key, ARGV[n]))
  if counts[n - 1] == 0 and not over then redis.call('HSET', key, ARGV[n], 1) end
end
return counts
