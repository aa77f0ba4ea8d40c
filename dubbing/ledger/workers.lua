-- Return the name, the seconds since the last heartbeat, and the record of each listed worker, and of
-- the workers in ARGV. The records of ended workers expire. Entries without a time are foreign, and
-- omitted.
local found, names, t = {}, P .. 'workers', now()
for _, name in ipairs(redis.call('ZRANGEBYSCORE', names, '-inf', t - RECORD_TTL)) do
  redis.call('ZREM', names, name)
end
local all = redis.call('ZRANGE', names, 0, -1)
for _, name in ipairs(ARGV) do all[#all + 1] = name end
for _, name in ipairs(all) do
  local time, record = string.match(redis.call('GET', P .. 'worker:' .. name) or '', '^([%d.]+)|(.+)$')
  local seen = tonumber(time or '')
  if seen then found[#found + 1] = {name, tostring(t - seen), record} end
end
return found
