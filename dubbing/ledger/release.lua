-- Return a batch. Arguments: job, round, token, queue, owner, and the seconds until it may be taken again.
-- If these are negative, a reservation ends; the message of the batch is still in the queue.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local pause = tonumber(ARGV[6])
local m = member(job, round, token)
if reservation(m) == owner and pause < 0 then
  redis.call('HDEL', P .. 'owners', m)
elseif holding(m) == owner or reservation(m) == owner then
  -- The entry for nobody tells the last owner that the batch is no longer its own.
  lease(queue, m, NOBODY, now() + pause, 0)
end
return 1
