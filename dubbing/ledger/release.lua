-- Hand a batch back: job, round, token, queue, owner, seconds until it may be taken again.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local m = member(job, round, token)
if holding(m) == owner then
  -- Nobody holds it while it rests; without this, its last owner could not know that.
  lease(queue, m, NOBODY, now() + tonumber(ARGV[6]), 0)
end
return 1
