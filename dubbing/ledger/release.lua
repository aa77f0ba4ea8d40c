-- Hand a batch back: job, round, token, queue, owner, seconds until it may be taken again. A batch
-- that is only reserved, and may be taken at once, still has its message.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local pause = tonumber(ARGV[6])
local m = member(job, round, token)
if reservation(m) == owner and pause < 0 then
  redis.call('HDEL', P .. 'owners', m)
elseif holding(m) == owner or reservation(m) == owner then
  -- Nobody holds it while it rests; without this, its last owner could not know that.
  lease(queue, m, NOBODY, now() + pause, 0)
end
return 1
