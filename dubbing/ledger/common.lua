-- Shared by all scripts. The docstring of `dubbing.ledger` lists the keys.
local P = 'dubbing:'
local WORKER_TTL = 30        -- seconds without a heartbeat after which a worker is offline
local RECORD_TTL = 3600      -- seconds that an offline worker is remembered
local EVENTS = 2000          -- events kept per job
local ENDED_TTL = 3600       -- seconds that an ended job is remembered here; storage keeps it
local NEWCOMERS = 8          -- new jobs, or tenants, that go ahead of one that already had a turn
local PACE_BATCHES = 20      -- recent batches that the mean time of a batch covers

local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

local function jobkey(job) return P .. 'job:' .. job end
local function todokey(job, queue) return jobkey(job) .. ':todo:' .. queue end

local function member(job, round, token) return job .. '|' .. round .. '|' .. token end
local function split(m) return string.match(m, '^([^|]+)|(%d+)|(.+)$') end

local function ended(state) return state == 'completed' or state == 'failed' or state == 'cancelled' end

-- Return 'live' while this very round of the job is being worked on, else 'over' or 'unknown'.
local function live(job, round)
  local state = redis.call('HMGET', jobkey(job), 'round', 'state')
  if not state[1] then return 'unknown' end
  if state[1] ~= tostring(round) then return 'over' end
  if ended(state[2]) then return 'over' end
  return 'live'
end

local function event(job, name, ...)
  redis.call('XADD', jobkey(job) .. ':events', 'MAXLEN', '~', EVENTS, '*', 'event', name, ...)
end

-- Return how many batches the online workers of a queue do at once.
local function online(queue)
  local t = now()
  local slots = 0
  local workers = redis.call('HGETALL', P .. 'slots:' .. queue)
  for n = 1, #workers, 2 do
    local count, seen = string.match(workers[n + 1], '^(%d+)|(.+)$')
    if t - tonumber(seen) < WORKER_TTL then slots = slots + tonumber(count) end
  end
  return slots
end

-- Return who holds a batch, its deadline, and when it was begun; nil when nobody holds it.
local function holding(m)
  return string.match(redis.call('HGET', P .. 'owners', m) or '', '^([^|]+)|([^|]+)|([^|]+)$')
end

-- Record the size of a finished batch, and the seconds that it took a slot. They are unknown when
-- the lease was lost.
local function note_pace(queue, m, size)
  local _, _, begun = holding(m)
  if not begun then return end
  local key = P .. 'pace:' .. queue
  local count = math.min(redis.call('HINCRBY', key, 'batches', 1), PACE_BATCHES)
  for field, value in pairs({seconds = now() - begun, size = size}) do
    local mean = tonumber(redis.call('HGET', key, field) or 0)
    redis.call('HSET', key, field, mean + (value - mean) / count)
  end
end

-- Return the lines of the largest batch that was done on a queue.
local function full(queue)
  return tonumber(redis.call('HGET', P .. 'pace:' .. queue, 'full') or '1')
end

local function note_full(queue, lines)
  if lines > full(queue) then redis.call('HSET', P .. 'pace:' .. queue, 'full', lines) end
end

-- Return the seconds that a batch of this size takes, or '' while none was done.
local function pace(queue, size)
  local of_late = redis.call('HMGET', P .. 'pace:' .. queue, 'seconds', 'size')
  return of_late[1] and tostring(of_late[1] / of_late[2] * size) or ''
end

-- Return the size of an assembly, in seconds of the film; all other batches count as equal.
local function programme(job) return tonumber(redis.call('HGET', jobkey(job), 'length')) end

-- A ring lists who takes turns on a queue. A new member goes to the head, so that a new job starts
-- soon; the newest member is first, and `waiting` counts the new members at the head.
local function ring(queue, tenant) return queue .. (tenant and ':' .. tenant or '') end

local function join(name, member)
  local members = P .. 'ring:' .. name
  if redis.call('LPOS', members, member) then return end
  redis.call('LPUSH', members, member)
  redis.call('HINCRBY', P .. 'new:' .. name, 'waiting', 1)
end

-- Take the member whose turn it is out of a ring. After a few new members it is the turn of an old
-- one, and the new member that waited longest joins the old ones: new members starve nobody.
local function next_of(name)
  local members, news = P .. 'ring:' .. name, P .. 'new:' .. name
  local counts = redis.call('HMGET', news, 'waiting', 'ahead')
  local waiting, ahead = tonumber(counts[1] or 0), tonumber(counts[2] or 0)
  if waiting == 0 then
    redis.call('DEL', news)
    return redis.call('LPOP', members)
  end
  redis.call('HSET', news, 'waiting', waiting - 1)
  if ahead < NEWCOMERS or redis.call('LLEN', members) <= waiting then
    redis.call('HSET', news, 'ahead', ahead + 1)
    return redis.call('LPOP', members)
  end
  local old = redis.call('LINDEX', members, waiting)
  local overtaken = redis.call('LINDEX', members, waiting - 1)
  redis.call('LREM', members, 1, old)
  redis.call('LREM', members, 1, overtaken)
  redis.call('RPUSH', members, overtaken)
  redis.call('HSET', news, 'ahead', 0)
  return old
end

-- Whether a ring has members left.
local function turning(name)
  if redis.call('EXISTS', P .. 'ring:' .. name) == 1 then return true end
  redis.call('DEL', P .. 'new:' .. name)
  return false
end

-- Give a job its place in the turns of a queue.
local function enlist(job, queue)
  local tenant = redis.call('HGET', jobkey(job), 'tenant')
  join(ring(queue, tenant), job)
  join(ring(queue), tenant)
end

local function set_state(job, state)
  if redis.call('HGET', jobkey(job), 'state') ~= state then
    redis.call('HSET', jobkey(job), 'state', state)
    event(job, 'state', 'state', state)
  end
end

-- After the last batch is closed, assembly is one more batch, leased like any other.
local function start_assembly(job)
  set_state(job, 'assembling')
  redis.call('SADD', jobkey(job) .. ':queues', 'assembly')
  redis.call('RPUSH', todokey(job, 'assembly'), 'assembly')
  enlist(job, 'assembly')
end

-- Drop everything of a round except what status and watchers read.
local function forget_work(job)
  local key = jobkey(job)
  local tenant = redis.call('HGET', key, 'tenant')
  for _, queue in ipairs(redis.call('SMEMBERS', key .. ':queues')) do
    redis.call('DEL', todokey(job, queue))
    if tenant then
      redis.call('LREM', P .. 'ring:' .. ring(queue, tenant), 0, job)
      if not turning(ring(queue, tenant)) then
        redis.call('LREM', P .. 'ring:' .. ring(queue), 0, tenant)
        turning(ring(queue))
      end
    end
    for _, zset in ipairs({'published:', 'leases:'}) do
      for _, m in ipairs(redis.call('ZRANGE', P .. zset .. queue, 0, -1)) do
        if split(m) == job then
          redis.call('ZREM', P .. zset .. queue, m)
          redis.call('HDEL', P .. 'owners', m)
        end
      end
    end
  end
  for _, held in ipairs(redis.call('SMEMBERS', key .. ':held')) do
    redis.call('DEL', key .. ':held:' .. held)
  end
  redis.call('DEL', key .. ':queues', key .. ':held', key .. ':closed', key .. ':deliveries')
end
