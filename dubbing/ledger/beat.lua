-- A worker says that it is there: name, record, slots, how many queues it takes from, these queues,
-- and those that it does not take from any more. Empty record: it leaves.
local name, record, slots, taken = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local t = now()
for n = 5, #ARGV do
  if record ~= '' and n - 4 <= taken then
    redis.call('HSET', P .. 'slots:' .. ARGV[n], name, slots .. '|' .. t)
  else
    redis.call('HDEL', P .. 'slots:' .. ARGV[n], name)
  end
end
if record == '' then
  redis.call('DEL', P .. 'worker:' .. name, P .. 'holding:' .. name)
else
  redis.call('SET', P .. 'worker:' .. name, t .. '|' .. record, 'EX', RECORD_TTL)
  redis.call('EXPIRE', P .. 'holding:' .. name, RECORD_TTL)
end
return 1
