-- Shared by all scripts. The docstring of `dubbing.ledger` lists the keys.
local P = 'dubbing:'
local WORKER_TTL = 30        -- seconds without a heartbeat after which a worker is offline
local RECORD_TTL = 3600      -- seconds that an offline worker is remembered
local EVENTS = 2000          -- events kept per job
local ENDED_TTL = 3600       -- seconds that an ended job is remembered here; storage keeps it
local NEWCOMERS = 8          -- new jobs, or tenants, that go ahead of one that already had a turn
local NOBODY = '-'           -- owner of a returned batch that rests
local PACE_BATCHES = 20      -- recent batches in the means of times and costs
local SETTLE = 3             -- seconds within which processes report their slots to an emptied Redis

local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

-- Return a stored number, or 0 for a malformed entry: an error would end the script between two writes.
local function num(value) return tonumber(value or '') or 0 end

-- Return for how many seconds Redis has kept its data.
local function age()
  local t = now()
  redis.call('SET', P .. 'began', t, 'NX')
  return t - num(redis.call('GET', P .. 'began'))
end

local function jobkey(job) return P .. 'job:' .. job end
local function todokey(job, queue) return jobkey(job) .. ':todo:' .. queue end

local function member(job, round, token) return job .. '|' .. round .. '|' .. token end
local function split(m) return string.match(m, '^([^|]+)|(%d+)|([^|]+)$') end

-- Return a batch in the form of answers: its member, a mark or '', the id of the request over HTTP that
-- asked for its round or '', and the tenant.
local function told(m, mark)
  local key = jobkey(split(m))
  local request, tenant = unpack(redis.call('HMGET', key, 'request', 'tenant'))
  return table.concat({m, mark or '', request or '', tenant or ''}, '|')
end

-- Whether a token has our form; other entries are foreign. A newer release may append to its tokens.
local function is_token(token)
  if token == 'assembly' then return true end
  local deadline, more = string.match(token, '^%d+:%d+:%d+:([%d.e+]+):%d+(.*)$')
  return tonumber(deadline or '') ~= nil and (more == '' or string.sub(more, 1, 1) == ':')
end

-- Return the number of lines of a batch; a voice or a film counts as one.
local function lines_of(token)
  return tonumber(string.match(token, '^%d+:%d+:%d+:[^:]+:(%d+)') or '1')
end

-- Return the argument of a queue's workers: its engine, or 'assembly'.
local function engine_of(queue) return string.match(queue, '%.(.+)$') or queue end

-- Add 1 to the total of a metric and a label.
local function tally(metric, label) redis.call('HINCRBY', P .. 'totals', metric .. '|' .. label, 1) end

-- Return the begin of a job's work on a queue, and the number of remaining lines, which may be 0.
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

-- Return 'live' if this round is the present round of the job and has not ended; else 'over' or 'unknown'.
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

-- Return the number of simultaneous batches of all online workers of a queue.
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

-- Return the owner of a leased batch, its deadline and its begin; nil if unknown.
local function holding(m)
  local entry = redis.call('HGET', P .. 'owners', m) or ''
  local owner, deadline, begun = string.match(entry, '^([^|]+)|([%d.e+]+)|([%d.e+]+)$')
  deadline, begun = tonumber(deadline or ''), tonumber(begun or '')
  if deadline and begun then return owner, deadline, begun end
end

-- Lease a batch to an owner until a time; the lease may be renewed until the deadline.
local function lease(queue, m, owner, finish, deadline)
  local t = now()
  redis.call('ZREM', P .. 'published:' .. queue, m)
  redis.call('ZADD', P .. 'leases:' .. queue, finish, m)
  redis.call('HSET', P .. 'owners', m, owner .. '|' .. deadline .. '|' .. t)
end

-- Record the size, the lines and the seconds of a finished batch.
local function note_pace(queue, size, lines, took)
  local key = P .. 'pace:' .. queue
  local known = redis.call('HMGET', key, 'batches', 'seconds', 'size', 'lines')
  local batches, seconds, of_size = num(known[1]), num(known[2]), num(known[3])
  local of_lines = num(known[4] or lines)
  -- A mean that lacks a part begins anew.
  if seconds == 0 or of_size == 0 then batches = 0 end
  local share = 1 / math.min(batches + 1, PACE_BATCHES)
  redis.call('HSET', key, 'batches', batches + 1,
    'seconds', seconds + (took - seconds) * share,
    'size', of_size + (size - of_size) * share,
    'lines', of_lines + (lines - of_lines) * share)
end

-- Return the number of lines of the largest finished batch of a queue.
local function full(queue)
  return math.max(num(redis.call('HGET', P .. 'pace:' .. queue, 'full')), 1)
end

local function note_full(queue, lines)
  if lines > full(queue) then redis.call('HSET', P .. 'pace:' .. queue, 'full', lines) end
end

-- Return the seconds for a batch of this size, by recent batches; '' if none was done.
local function pace(queue, size)
  local of_late = redis.call('HMGET', P .. 'pace:' .. queue, 'seconds', 'size')
  local seconds, of_size = num(of_late[1]), num(of_late[2])
  return of_size > 0 and tostring(seconds / of_size * size) or ''
end

-- Return the mean cost of a line in recent batches of a queue: each currency, and its millionths.
local function line_costs(queue)
  local costs, fields = {}, redis.call('HGETALL', P .. 'pace:' .. queue)
  for n = 1, #fields, 2 do
    local currency = string.match(fields[n], '^cost:(.+)$')
    if currency then costs[#costs + 1], costs[#costs + 2] = currency, tostring(num(fields[n + 1])) end
  end
  return costs
end

-- Record the costs of a finished batch by currency, for its number of spoken lines. A currency in which
-- lines no longer cost anything is dropped.
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

-- Return the size of an assembly, in seconds of the film; the size of any other batch is 1.
local function programme(job) return num(redis.call('HGET', jobkey(job), 'length')) end

-- A ring lists the members that take turns on a queue: tenants, or jobs of a tenant. A new member goes to
-- the head, so that a new job starts soon; `waiting` counts the new members at the head.
local function ring(queue, tenant) return queue .. (tenant and ':' .. tenant or '') end

local function join(name, member)
  local members = P .. 'ring:' .. name
  if redis.call('LPOS', members, member) then return end
  redis.call('LPUSH', members, member)
  local news = P .. 'new:' .. name
  redis.call('HSET', news, 'waiting', num(redis.call('HGET', news, 'waiting')) + 1)
end

-- Remove and return the member of a ring whose turn it is. After a few new members it is the turn of an
-- old one, and the new member that has waited longest joins the old ones, so new members starve nobody.
local function next_of(name)
  local members, news = P .. 'ring:' .. name, P .. 'new:' .. name
  local counts = redis.call('HMGET', news, 'waiting', 'ahead')
  -- Redis may have lost some members, or the whole ring.
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

-- Enter a job in the turns of a queue.
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

-- Start the lease of a batch whose work begins.
local function begin(queue, m, number, owner, seconds, deadline)
  local t = now()
  lease(queue, m, owner, t + seconds, t + deadline)
  redis.call('DEL', P .. 'express:' .. queue)
  if number then set_state(split(m), 'synthesizing') end
end

-- Return 'run' if work on a batch may begin, or why not: 'closed', 'busy', 'over', 'unknown'.
local function verdict(queue, m)
  local job, round, token = split(m)
  local standing = live(job, round)
  if standing ~= 'live' then return standing end
  local number = string.match(token, '^(%d+):')
  if number and redis.call('GETBIT', jobkey(job) .. ':closed', number) == 1 then return 'closed' end
  if num(redis.call('ZSCORE', P .. 'leases:' .. queue, m)) > now() then return 'busy' end
  return 'run'
end

-- Reserve a batch. It stays published: it has not begun, and an idle process may take it.
local function reserve(m, owner, seconds)
  redis.call('HSET', P .. 'owners', m, owner .. '|' .. now() + seconds .. '|reserved')
end

-- Return the process that has reserved a batch, and the end of its reservation; nil without one.
local function reservation(m)
  local owner, finish = string.match(redis.call('HGET', P .. 'owners', m) or '', '^([^|]+)|([%d.e+]+)|reserved$')
  return owner, tonumber(finish)
end

-- Whether a published batch may begin, and is not reserved.
local function available(queue, m)
  local _, finish = reservation(m)
  return split(m) and (finish or 0) < now() and verdict(queue, m) == 'run'
end

-- Return the published batch of a queue that waits longest, without reserved ones. reserved: whether to
-- return a reserved batch if there is no other.
local function waiting(queue, reserved)
  local published = redis.call('ZRANGE', P .. 'published:' .. queue, 0, -1)
  for _, m in ipairs(published) do
    if available(queue, m) then return m end
  end
  for _, m in ipairs(reserved and published or {}) do
    if split(m) and verdict(queue, m) == 'run' then return m end
  end
end

-- After the last batch is closed, enter the assembly as one more batch.
local function start_assembly(job)
  set_state(job, 'assembling')
  redis.call('SADD', jobkey(job) .. ':queues', 'assembly')
  redis.call('RPUSH', todokey(job, 'assembly'), 'assembly')
  set_left('assembly', job, 1)
  enlist(job, 'assembly')
end

-- Drop the messages and leases of a job on a queue, except those for which `keep` returns true.
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

-- Return the queues of a job; if Redis lost their list, those on which lines remain.
local function queues_of(job)
  local queues = redis.call('SMEMBERS', jobkey(job) .. ':queues')
  if #queues > 0 then return queues end
  for _, field in ipairs(redis.call('HKEYS', P .. 'backlog')) do
    local queue, of = string.match(field, '^([^|]+)|(.+)$')
    if of == job then queues[#queues + 1] = queue end
  end
  return queues
end

-- Drop all entries of a job's work; those that status and watchers read are kept.
local function forget_work(job)
  local key = jobkey(job)
  local tenant = redis.call('HGET', key, 'tenant')
  for _, queue in ipairs(queues_of(job)) do
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
  -- Redis may have lost the message or the lease, but not its owner.
  for _, m in ipairs(redis.call('HKEYS', P .. 'owners')) do
    if split(m) == job then redis.call('HDEL', P .. 'owners', m) end
  end
  for _, held in ipairs(redis.call('SMEMBERS', key .. ':held')) do
    redis.call('DEL', key .. ':held:' .. held)
  end
  redis.call('DEL', key .. ':queues', key .. ':held', key .. ':closed', key .. ':deliveries')
end
