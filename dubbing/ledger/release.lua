-- Hand a batch back: job, round, token, queue, owner, seconds until somebody may take it.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local m = member(job, round, token)
local holder = string.match(redis.call('HGET', P .. 'owners', m) or '', '^([^|]*)|')
if holder == owner then
  local t = now() + tonumber(ARGV[6])
  redis.call('ZADD', P .. 'leases:' .. queue, 'XX', t, m)
  redis.call('HSET', P .. 'owners', m, '|' .. t)
end
return 1
