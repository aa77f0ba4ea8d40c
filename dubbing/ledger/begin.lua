-- Begin a batch that its owner has claimed or reserved. Arguments: job, round, token, queue, owner,
-- lease, deadline, and then the ids of the lines to be spoken.
-- The delivery of each line is counted before any work. The count of a line that was begun before and
-- not finished is only read: it is raised when the line is spoken alone.
-- Returns 0 if the batch no longer belongs to the owner; else 1, and how often each line was begun before.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local m = member(job, round, token)
local answer = verdict(queue, m)
if answer ~= 'run' and not (answer == 'busy' and holding(m) == owner) then return {0} end
local reserver = reservation(m)
if reserver and reserver ~= owner then return {0} end
begin(queue, m, string.match(token, '^(%d+):'), owner, tonumber(ARGV[6]), tonumber(ARGV[7]))

local counts = {1}
local key = jobkey(job) .. ':deliveries'
for n = 8, #ARGV do
  local count = num(redis.call('HGET', key, ARGV[n]))
  if count == 0 then redis.call('HSET', key, ARGV[n], 1) end
  counts[#counts + 1] = count
end
return counts
