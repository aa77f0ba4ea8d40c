-- Tell what waits. Returns two lists. The first has for each queue with work: its name, the lines that
-- wait, those that are being worked on, and for how many seconds the oldest job among them has waited, or
-- ''. The second has the state of each job that has work.
local t = now()
local queues, states, known = {}, {}, {}

local function state_of(job)
  if known[job] == nil then
    local state = redis.call('HGET', jobkey(job), 'state')
    known[job] = state and not ended(state) and state or false
    if known[job] then states[#states + 1] = state end
  end
  return known[job]
end

-- Return the lines of each job that somebody works on. A batch that rests waits.
local function running(queue)
  local lines = {}
  for _, m in ipairs(redis.call('ZRANGE', P .. 'leases:' .. queue, 0, -1)) do
    local job, _, token = split(m)
    local owner = holding(m)
    if job and owner and owner ~= NOBODY then lines[job] = (lines[job] or 0) + lines_of(token) end
  end
  return lines
end

local fields = redis.call('HGETALL', P .. 'backlog')
for n = 1, #fields, 2 do
  local queue, job = string.match(fields[n], '^([^|]+)|([^|]+)$')
  local since, lines = string.match(fields[n + 1], '^([%d.]+)|(%d+)$')
  since, lines = tonumber(since or ''), tonumber(lines or '')
  if not (queue and since and lines and state_of(job)) then
    -- Redis lost the job, or the list of its queues.
    redis.call('HDEL', P .. 'backlog', fields[n])
  else
    queues[queue] = queues[queue] or {waiting = 0, begun = 0, running = running(queue)}
    local of = queues[queue]
    local begun = math.min(lines, of.running[job] or 0)
    of.waiting, of.begun = of.waiting + lines - begun, of.begun + begun
    if lines > begun then of.oldest = math.max(of.oldest or 0, t - since) end
  end
end

local found = {}
for queue, of in pairs(queues) do
  found[#found + 1] = {queue, of.waiting, of.begun, tostring(of.oldest or '')}
end
return {found, states}
