-- Begin a batch that its owner has claimed or reserved: job, round, token, queue, owner, lease,
-- deadline, then the ids of the lines that are to be spoken, of which each delivery is counted before
-- any work. The count of a line that was begun before and not finished is only read: it is raised when
-- the line's own turn comes.
-- Returns 0 when the batch is not its owner's any more, else 1 and how often each line was begun.
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
