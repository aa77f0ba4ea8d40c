-- Record a heartbeat. Arguments: name, record, slots, number of the queues from which the worker takes
-- work, these queues, and then the queues from which it no longer takes work. An empty record means
-- that the worker leaves.
local name, record, slots, taken = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local t = now()
age()
for n = 5, #ARGV do
  if record ~= '' and n - 4 <= taken then
    redis.call('HSET', P .. 'slots:' .. ARGV[n], name, slots .. '|' .. t)
  else
    redis.call('HDEL', P .. 'slots:' .. ARGV[n], name)
  end
end
if record == '' then
  redis.call('DEL', P .. 'worker:' .. name, P .. 'holding:' .. name, P .. 'work:' .. name,
    P .. 'totals:' .. name)
  redis.call('ZREM', P .. 'workers', name)
else
  redis.call('SET', P .. 'worker:' .. name, t .. '|' .. record, 'EX', RECORD_TTL)
  redis.call('ZADD', P .. 'workers', t, name)
  redis.call('EXPIRE', P .. 'holding:' .. name, RECORD_TTL)
  redis.call('EXPIRE', P .. 'work:' .. name, RECORD_TTL)
  redis.call('EXPIRE', P .. 'totals:' .. name, RECORD_TTL)
end
return 1
