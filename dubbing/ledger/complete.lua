-- Count a batch once. Arguments: job, round, token, queue, number, lines, failed lines, seconds of its
-- worker or '' for those since its begin, number of lines that were spoken and not found in storage,
-- number of accounts, each account and its amount, and then the ids of the lines.
-- Amounts are whole numbers. The name of an account ends with its currency. An account that is not cached
-- is not created: storage has its sum.
-- Returns 'unknown', or the queues with new work.
local job, round, token, queue, number = unpack(ARGV, 1, 5)
local lines, failed, took = ARGV[6], ARGV[7], tonumber(ARGV[8])
local spoken, accounts = tonumber(ARGV[9]), tonumber(ARGV[10])
local key = jobkey(job)

-- Count lines in the present minute, whose entry replaces that of an hour before.
local function note_hour(lines, failed)
  local minute, counts = math.floor(now() / 60), P .. 'hour'
  local entry = redis.call('HGET', counts, minute % 60) or ''
  local of, done, faults = string.match(entry, '^(%d+)|(%d+)|(%d+)$')
  if num(of) ~= minute then done, faults = 0, 0 end
  redis.call('HSET', counts, minute % 60,
    minute .. '|' .. num(done) + lines - failed .. '|' .. num(faults) + failed)
  redis.call('EXPIRE', counts, RECORD_TTL)
end

local m = member(job, round, token)
redis.call('ZREM', P .. 'leases:' .. queue, m)
redis.call('ZREM', P .. 'published:' .. queue, m)
local standing = live(job, round)
local fresh = standing == 'live' and redis.call('SETBIT', key .. ':closed', number, 1) == 0
if fresh then
  local _, _, begun = holding(m)
  if begun then note_pace(queue, 1, lines_of(token), took or now() - begun) end
  note_full(queue, tonumber(lines))
end
redis.call('HDEL', P .. 'owners', m)
if standing == 'unknown' then return {'unknown'} end
if not fresh then return {} end

local costs = {}
for n = 11, 10 + 2 * accounts, 2 do
  local account, currency = P .. 'spent:' .. ARGV[n], string.match(ARGV[n], '[^:]*$')
  costs[currency] = (costs[currency] or 0) + ARGV[n + 1]
  if tonumber(redis.call('GET', account) or '') then
    redis.call('INCRBY', account, ARGV[n + 1])
  end
end
if spoken > 0 then note_costs(queue, spoken, costs) end
for n = 11 + 2 * accounts, #ARGV, 1000 do
  redis.call('HDEL', key .. ':deliveries', unpack(ARGV, n, math.min(n + 999, #ARGV)))
end
local counts = redis.call('HMGET', key, 'done', 'failed', 'closed')
local done, closed = num(counts[1]) + lines, num(counts[3]) + 1
redis.call('HSET', key, 'done', done, 'failed', num(counts[2]) + failed, 'closed', closed)
note_hour(lines, failed)
local _, owed = left(queue, job)
set_left(queue, job, owed - lines_of(token))
event(job, 'batch', 'batch', number, 'lines', lines, 'failed', failed, 'done', done)

local touched = {}
local held = key .. ':held:' .. number
local released = redis.call('LPOP', held)
while released do
  local to, waiting = string.match(released, '^([^|]+)|([^|]+)$')
  if to then
    redis.call('RPUSH', todokey(job, to), waiting)
    enlist(job, to)
    touched[1] = to
  end
  released = redis.call('LPOP', held)
end
if closed == tonumber(redis.call('HGET', key, 'batches')) then
  start_assembly(job)
  touched[#touched + 1] = 'assembly'
end
return touched
