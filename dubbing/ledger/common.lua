-- Shared by all scripts. The docstring of `dubbing.ledger` lists the keys.
local P = 'dubbing:'
local WORKER_TTL = 30        -- seconds without a heartbeat after which a worker is offline
local RECORD_TTL = 3600      -- seconds that an offline worker is remembered
local EVENTS = 2000          -- events kept per job
local ENDED_TTL = 3600       -- seconds that an ended job is remembered here; storage keeps it
local NEWCOMERS = 8          -- new jobs, or tenants, that go ahead of one that already had a turn
local NOBODY = '-'           -- owner of a batch that was handed back and rests
local PACE_BATCHES = 20      -- recent batches that the means of times and costs cover
local SETTLE = 3             -- seconds after which all who hold slots have told an emptied Redis

local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

-- Return a stored number, or 0 for an entry that somebody has spoilt: an error here would end the
-- script between two writes.
local function num(value) return tonumber(value or '') or 0 end

-- Return for how many seconds Redis has kept what it was told.
local function age()
  local t = now()
  redis.call('SET', P .. 'began', t, 'NX')
  return t - num(redis.call('GET', P .. 'began'))
end

local function jobkey(job) return P .. 'job:' .. job end
local function todokey(job, queue) return jobkey(job) .. ':todo:' .. queue end

local function member(job, round, token) return job .. '|' .. round .. '|' .. token end
local function split(m) return string.match(m, '^([^|]+)|(%d+)|([^|]+)$') end

-- Return a batch as scripts tell it to their caller: its member, a mark or '', the id of the request over
-- HTTP that asked for its round, or '', and the tenant.
local function told(m, mark)
  local key = jobkey(split(m))
  local request, tenant = unpack(redis.call('HMGET', key, 'request', 'tenant'))
  return table.concat({m, mark or '', request or '', tenant or ''}, '|')
end

-- Whether a token is one that a plan made; other entries are not ours. A newer release may add to
-- the end of its tokens.
local function is_token(token)
  if token == 'assembly' then return true end
  local deadline, more = string.match(token, '^%d+:%d+:%d+:([%d.e+]+):%d+(.*)$')
  return tonumber(deadline or '') ~= nil and (more == '' or string.sub(more, 1, 1) == ':')
end

-- Return the lines of a batch; a voice and a film count as one.
local function lines_of(token)
  return tonumber(string.match(token, '^%d+:%d+:%d+:[^:]+:(%d+)') or '1')
end

-- Return what the workers of a queue are started with: its engine, or 'assembly'.
local function engine_of(queue) return string.match(queue, '%.(.+)$') or queue end

-- Add 1 to a total, which is named by a metric and a label.
local function tally(metric, label) redis.call('HINCRBY', P .. 'totals', metric .. '|' .. label, 1) end

-- Return since when a job has had work on a queue, and how many lines are left there; 0 lines for none.
local function left(queue, job)
  local entry = redis.call('HGET', P .. 'backlog', queue .. '|' .. job) or ''
  local since, lines = string.match(entry, '^([%d.]+)|(%d+)$')
  return tonumber(since or '') or now(), num(lines)
end

local function set_left(queue, job, lines)
  local field = queue .. '|' .. job
  if lines > 0 then
    redis.call('HSET', P .. 'backlog', field, left(queue, job) .. '|' .. lines)
  else
    redis.call('HDEL', P .. 'backlog', field)
  end
end

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
    local count, seen = string.match(workers[n + 1], '^(%d+)|([%d.]+)$')
    if t - num(seen) < WORKER_TTL then slots = slots + num(count) end
  end
  return slots
end

-- Return who holds a batch, its deadline, and when it was begun; nil when that is not known.
local function holding(m)
  local entry = redis.call('HGET', P .. 'owners', m) or ''
  local owner, deadline, begun = string.match(entry, '^([^|]+)|([%d.e+]+)|([%d.e+]+)$')
  deadline, begun = tonumber(deadline or ''), tonumber(begun or '')
  if deadline and begun then return owner, deadline, begun end
end

-- Lease a batch to an owner until a time; the work may take until its deadline.
local function lease(queue, m, owner, finish, deadline)
  local t = now()
  redis.call('ZREM', P .. 'published:' .. queue, m)
  redis.call('ZADD', P .. 'leases:' .. queue, finish, m)
  redis.call('HSET', P .. 'owners', m, owner .. '|' .. deadline .. '|' .. t)
end

-- Record the size of a finished batch, its lines, and the seconds that it took a slot.
local function note_pace(queue, size, lines, took)
  local key = P .. 'pace:' .. queue
  local known = redis.call('HMGET', key, 'batches', 'seconds', 'size', 'lines')
  local batches, seconds, of_size = num(known[1]), num(known[2]), num(known[3])
  local of_lines = num(known[4] or lines)
  -- A mean of which a part was lost begins anew.
  if seconds == 0 or of_size == 0 then batches = 0 end
  local share = 1 / math.min(batches + 1, PACE_BATCHES)
  redis.call('HSET', key, 'batches', batches + 1,
    'seconds', seconds + (took - seconds) * share,
    'size', of_size + (size - of_size) * share,
    'lines', of_lines + (lines - of_lines) * share)
end

-- Return the lines of the largest batch that was done on a queue.
local function full(queue)
  return math.max(num(redis.call('HGET', P .. 'pace:' .. queue, 'full')), 1)
end

local function note_full(queue, lines)
  if lines > full(queue) then redis.call('HSET', P .. 'pace:' .. queue, 'full', lines) end
end

-- Return the seconds that a batch of this size takes, or '' while none was done.
local function pace(queue, size)
  local of_late = redis.call('HMGET', P .. 'pace:' .. queue, 'seconds', 'size')
  local seconds, of_size = num(of_late[1]), num(of_late[2])
  return of_size > 0 and tostring(seconds / of_size * size) or ''
end

-- Return what a line of recent batches of a queue cost: each currency, and the millionths of it.
local function line_costs(queue)
  local costs, fields = {}, redis.call('HGETALL', P .. 'pace:' .. queue)
  for n = 1, #fields, 2 do
    local currency = string.match(fields[n], '^cost:(.+)$')
    if currency then costs[#costs + 1], costs[#costs + 2] = currency, tostring(num(fields[n + 1])) end
  end
  return costs
end

-- Record what a finished batch cost, by currency, for so many lines that were spoken. A currency in
-- which lines cost nothing any more is forgotten.
local function note_costs(queue, lines, amounts)
  local key = P .. 'pace:' .. queue
  local batches = math.max(num(redis.call('HGET', key, 'batches')), 1)
  local share = 1 / math.min(batches, PACE_BATCHES)
  local function note(currency, cost)
    if cost < 1 then
      redis.call('HDEL', key, 'cost:' .. currency)
    else
      redis.call('HSET', key, 'cost:' .. currency, cost)
    end
  end
  local known, costs = {}, line_costs(queue)
  for n = 1, #costs, 2 do
    local currency, mean = costs[n], num(costs[n + 1])
    known[currency] = true
    note(currency, mean + ((amounts[currency] or 0) / lines - mean) * share)
  end
  for currency, amount in pairs(amounts) do
    if not known[currency] then note(currency, amount / lines) end
  end
end

-- Return the size of an assembly, in seconds of the film; all other batches count as equal.
local function programme(job) return num(redis.call('HGET', jobkey(job), 'length')) end

-- A ring lists who takes turns on a queue. A new member goes to the head, so that a new job starts
-- soon; the newest member is first, and `waiting` counts the new members at the head.
local function ring(queue, tenant) return queue .. (tenant and ':' .. tenant or '') end

local function join(name, member)
  local members = P .. 'ring:' .. name
  if redis.call('LPOS', members, member) then return end
  redis.call('LPUSH', members, member)
  local news = P .. 'new:' .. name
  redis.call('HSET', news, 'waiting', num(redis.call('HGET', news, 'waiting')) + 1)
end

-- Take the member whose turn it is out of a ring. After a few new members it is the turn of an old
-- one, and the new member that waited longest joins the old ones: new members starve nobody.
local function next_of(name)
  local members, news = P .. 'ring:' .. name, P .. 'new:' .. name
  local counts = redis.call('HMGET', news, 'waiting', 'ahead')
  -- The ring may have lost members, or have been lost whole.
  local waiting = math.min(num(counts[1]), redis.call('LLEN', members))
  local ahead = num(counts[2])
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

-- Lease a batch whose work begins.
local function begin(queue, m, number, owner, seconds, deadline)
  local t = now()
  lease(queue, m, owner, t + seconds, t + deadline)
  redis.call('DEL', P .. 'express:' .. queue)
  if number then set_state(split(m), 'synthesizing') end
end

-- Return whether an owner's work on a batch may begin, or why not: 'closed', 'busy', 'over', 'unknown'.
local function verdict(queue, m)
  local job, round, token = split(m)
  local standing = live(job, round)
  if standing ~= 'live' then return standing end
  local number = string.match(token, '^(%d+):')
  if number and redis.call('GETBIT', jobkey(job) .. ':closed', number) == 1 then return 'closed' end
  if num(redis.call('ZSCORE', P .. 'leases:' .. queue, m)) > now() then return 'busy' end
  return 'run'
end

-- A batch that a process has reserved stays published: it is not begun, and who has nothing else to
-- do may take it.
local function reserve(m, owner, seconds)
  redis.call('HSET', P .. 'owners', m, owner .. '|' .. now() + seconds .. '|reserved')
end

-- Return who has reserved a batch and until when; nil when nobody has.
local function reservation(m)
  local owner, finish = string.match(redis.call('HGET', P .. 'owners', m) or '', '^([^|]+)|([%d.e+]+)|reserved$')
  return owner, tonumber(finish)
end

-- Whether a published batch may be begun, and is not reserved.
local function available(queue, m)
  local _, finish = reservation(m)
  return split(m) and (finish or 0) < now() and verdict(queue, m) == 'run'
end

-- Return the published batch of a queue that waits longest, or if all are reserved, the first that is.
local function waiting(queue, reserved)
  local published = redis.call('ZRANGE', P .. 'published:' .. queue, 0, -1)
  for _, m in ipairs(published) do
    if available(queue, m) then return m end
  end
  for _, m in ipairs(reserved and published or {}) do
    if split(m) and verdict(queue, m) == 'run' then return m end
  end
end

-- After the last batch is closed, assembly is one more batch, leased like any other.
local function start_assembly(job)
  set_state(job, 'assembling')
  redis.call('SADD', jobkey(job) .. ':queues', 'assembly')
  redis.call('RPUSH', todokey(job, 'assembly'), 'assembly')
  set_left('assembly', job, 1)
  enlist(job, 'assembly')
end

-- Drop the messages and leases of a job on a queue, except those for which `keep` is true.
local function forget_sent(job, queue, keep)
  for _, zset in ipairs({'published:', 'leases:'}) do
    for _, m in ipairs(redis.call('ZRANGE', P .. zset .. queue, 0, -1)) do
      local of, round, token = split(m)
      if of == job and not (keep and keep(round, token, zset)) then
        redis.call('ZREM', P .. zset .. queue, m)
        redis.call('HDEL', P .. 'owners', m)
      end
    end
  end
end

-- Drop all entries of a round except those that status and watchers read.
local function forget_work(job)
  local key = jobkey(job)
  local tenant = redis.call('HGET', key, 'tenant')
  for _, queue in ipairs(redis.call('SMEMBERS', key .. ':queues')) do
    redis.call('DEL', todokey(job, queue))
    set_left(queue, job, 0)
    if tenant then
      redis.call('LREM', P .. 'ring:' .. ring(queue, tenant), 0, job)
      if not turning(ring(queue, tenant)) then
        redis.call('LREM', P .. 'ring:' .. ring(queue), 0, tenant)
        turning(ring(queue))
      end
    end
    forget_sent(job, queue)
  end
  -- Redis may have lost the message or the lease, and not who held it.
  for _, m in ipairs(redis.call('HKEYS', P .. 'owners')) do
    if split(m) == job then redis.call('HDEL', P .. 'owners', m) end
  end
  for _, held in ipairs(redis.call('SMEMBERS', key .. ':held')) do
    redis.call('DEL', key .. ':held:' .. held)
  end
  redis.call('DEL', key .. ':queues', key .. ':held', key .. ':closed', key .. ':deliveries')
end
