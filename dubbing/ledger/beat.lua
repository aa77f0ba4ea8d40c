-- A worker says that it is there: name, record, slots, then its queues. Empty record: it leaves.
local name, record, slots = ARGV[1], ARGV[2], ARGV[3]
local t = now()
for n = 4, #ARGV do
  if record == '' then
    redis.call('HDEL', P .. 'slots:' .. ARGV[n], name)
  else
    redis.call('HSET', P .. 'slots:' .. ARGV[n], name, slots .. '|' .. t)
  end
end
if record == '' then
  redis.call('DEL', P .. 'worker:' .. name)
else
  redis.call('SET', P .. 'worker:' .. name, record, 'EX', WORKER_TTL)
end
return 1
