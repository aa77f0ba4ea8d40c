-- Hand a batch back at once, for whoever comes next: job, round, token, queue, owner.
local job, round, token, queue, owner = unpack(ARGV, 1, 5)
local m = member(job, round, token)
local holder = string.match(redis.call('HGET', P .. 'owners', m) or '', '^([^|]*)|')
if holder == owner then redis.call('ZADD', P .. 'leases:' .. queue, 'XX', now(), m) end
return 1
