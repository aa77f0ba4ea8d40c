-- Hand a batch back: job, round, token, queue, owner, seconds until it may be taken again.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local m = member(job, round, token)
if holding(m) == owner then
  redis.call('ZADD', P .. 'leases:' .. queue, 'XX', now() + tonumber(ARGV[6]), m)
  redis.call('HDEL', P .. 'owners', m)
end
return 1
