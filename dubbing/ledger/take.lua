-- Choose the batches to publish on a queue now. Arguments: queue, seconds after which a message that is in
-- no list counts as lost, and then the names of the queue's lists in the broker.
-- Returns two lists: batches, marked 'late' if they go ahead of new ones, and foreign entries that were
-- dropped. The caller publishes each batch, and may die before that.
local queue, grace = ARGV[1], tonumber(ARGV[2])
local published, leases = P .. 'published:' .. queue, P .. 'leases:' .. queue
local t = now()

local chosen, dropped = {}, {}

local function wanted(m)
  local job, round, token = split(m)
  if not job or not is_token(token) then
    dropped[#dropped + 1] = m
    return false
  end
  return live(job, round) == 'live'
end

local function publish(m, mark)
  -- Scores keep the order of the broker: messages sent at the same moment differ by a microsecond.
  redis.call('ZADD', published, t + #chosen / 1000000, m)
  chosen[#chosen + 1] = told(m, mark)
end

-- Expired leases: the worker is gone or hangs. The batch has had its turn, and need not wait again.
for _, m in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', t)) do
  local owner = holding(m)
  redis.call('ZREM', leases, m)
  redis.call('HDEL', P .. 'owners', m)
  if wanted(m) then
    publish(m, 'late')
    if owner and owner ~= NOBODY then tally('dubbing_leases_lost_total', engine_of(queue)) end
  end
end

-- If there are fewer messages than published batches, the oldest were lost, and are sent again.
local held = 0
for n = 3, #ARGV do held = held + redis.call('LLEN', ARGV[n]) end
local lost = redis.call('ZCARD', published) - held
if lost > 0 then
  for _, m in ipairs(redis.call('ZRANGEBYSCORE', published, '-inf', t - grace, 'LIMIT', 0, lost)) do
    if wanted(m) then
      publish(m, 'late')
    else
      redis.call('ZREM', published, m)
    end
  end
end

-- The queue is kept short, so that a new job waits for its depth, and not for a backlog.
local room = 2 * math.max(online(queue), 1) - redis.call('ZCARD', published)

-- A turn is worth the largest finished batch: small batches of a job go together, so that a short job of
-- many voices does not wait for all other jobs between any two of its batches.
local worth = full(queue)

-- Publish the batches of one turn of a job; return whether there were any.
local function turn(job)
  local todo, round = todokey(job, queue), redis.call('HGET', jobkey(job), 'round')
  if not round then
    -- Redis lost the job; its restoration enters the batches again.
    redis.call('DEL', todo)
    return false
  end
  local sum = 0
  local token = redis.call('LPOP', todo)
  while token do
    local m = member(job, round, token)
    if wanted(m) then
      publish(m)
      room = room - 1
      sum = sum + lines_of(token)
    end
    local following = redis.call('LINDEX', todo, 0)
    token = following and sum + lines_of(following) <= worth and redis.call('LPOP', todo)
  end
  return sum > 0
end

while room > 0 do
  local tenant = next_of(ring(queue))
  if not tenant then break end
  local job = next_of(ring(queue, tenant))
  local done = job and turn(job)
  if done and redis.call('EXISTS', todokey(job, queue)) == 1 then
    redis.call('RPUSH', P .. 'ring:' .. ring(queue, tenant), job)
  end
  if turning(ring(queue, tenant)) then
    -- A job without batches costs its tenant no turn.
    redis.call(done and 'RPUSH' or 'LPUSH', P .. 'ring:' .. ring(queue), tenant)
  end
end
turning(ring(queue))
return {chosen, dropped}
