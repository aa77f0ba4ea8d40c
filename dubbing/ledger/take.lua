-- Choose what goes onto a queue now: queue, seconds after which a message that no list holds is
-- taken for lost, then the names of the broker's lists of the queue.
-- Returns members, with '|late' after those that go ahead of what is new; the caller publishes each,
-- and may die before it does.
local queue, grace = ARGV[1], tonumber(ARGV[2])
local published, leases = P .. 'published:' .. queue, P .. 'leases:' .. queue
local t = now()

local chosen = {}
local function publish(m, mark)
  -- Their order is the broker's: what is sent at the same moment differs by a microsecond.
  redis.call('ZADD', published, t + #chosen / 1000000, m)
  chosen[#chosen + 1] = m .. (mark or '')
end

-- A lease that ran out: its worker is gone or hangs. The batch has had its turn, and waits for none.
for _, m in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', t)) do
  redis.call('ZREM', leases, m)
  redis.call('HDEL', P .. 'owners', m)
  local job, round = split(m)
  if live(job, round) == 'live' then publish(m, '|late') end
end

-- Fewer messages than were published: the oldest were lost on the way, and are sent again.
local held = 0
for n = 3, #ARGV do held = held + redis.call('LLEN', ARGV[n]) end
local lost = redis.call('ZCARD', published) - held
if lost > 0 then
  for _, m in ipairs(redis.call('ZRANGEBYSCORE', published, '-inf', t - grace, 'LIMIT', 0, lost)) do
    local job, round = split(m)
    if live(job, round) == 'live' then
      publish(m, '|late')
    else
      redis.call('ZREM', published, m)
    end
  end
end

-- Shallow, so that the wait of a new job is bounded by this and not by anyone's backlog.
local room = 2 * math.max(online(queue), 1) - redis.call('ZCARD', published)

-- A turn is worth the largest batch that was done: small ones of a job go together, so that
-- a short job of many voices does not wait for everybody between each two of them.
local worth = full(queue)
local function lines(token)
  return tonumber(string.match(token, '^%d+:%d+:%d+:[^:]+:(%d+)$') or '1')
end

-- Publish what a job's turn is worth; return whether there was anything.
local function turn(job)
  local todo, round = todokey(job, queue), redis.call('HGET', jobkey(job), 'round')
  local sum = 0
  local token = redis.call('LPOP', todo)
  while token do
    publish(member(job, round, token))
    room = room - 1
    sum = sum + lines(token)
    local following = redis.call('LINDEX', todo, 0)
    token = following and sum + lines(following) <= worth and redis.call('LPOP', todo)
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
    -- A job that had nothing left costs its tenant no turn.
    redis.call(done and 'RPUSH' or 'LPUSH', P .. 'ring:' .. ring(queue), tenant)
  end
end
turning(ring(queue))
return chosen
