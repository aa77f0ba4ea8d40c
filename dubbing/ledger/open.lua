-- Put a round to work, new or rebuilt: job, round, tenant, seconds of the programme, lines, done,
-- failed, batches, closed, then for each batch that is not closed: queue, token, number of the
-- extraction it needs or '', then after a '.': the numbers of the closed batches.
local job, round, tenant = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local key = jobkey(job)
local known = tonumber(redis.call('HGET', key, 'round') or '-1')
if known >= round then return 0 end

-- The first write is one that a full Redis refuses: after any other write it refuses nothing.
redis.call('HSET', key, 'round', round, 'tenant', tenant, 'length', ARGV[4], 'lines', ARGV[5],
  'done', ARGV[6], 'failed', ARGV[7], 'batches', ARGV[8], 'closed', ARGV[9])
redis.call('PERSIST', key)
redis.call('PERSIST', key .. ':events')
if known >= 0 then forget_work(job) end
set_state(job, tonumber(ARGV[9]) > 0 and 'synthesizing' or 'queued')

local i = 10
local waiting = {}
while ARGV[i] ~= '.' do
  local queue, token, needs = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  redis.call('SADD', key .. ':queues', queue)
  waiting[#waiting + 1] = {queue, token, needs}
  i = i + 3
end
for n = i + 1, #ARGV do redis.call('SETBIT', key .. ':closed', ARGV[n], 1) end

for _, batch in ipairs(waiting) do
  local queue, token, needs = batch[1], batch[2], batch[3]
  if needs ~= '' and redis.call('GETBIT', key .. ':closed', needs) == 0 then
    redis.call('SADD', key .. ':held', needs)
    redis.call('RPUSH', key .. ':held:' .. needs, queue .. '|' .. token)
  else
    redis.call('RPUSH', todokey(job, queue), token)
    enlist(job, queue)
  end
end
if #waiting == 0 then start_assembly(job) end
return 1
