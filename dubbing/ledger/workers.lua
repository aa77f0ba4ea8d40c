-- Return the name, the seconds since the last heartbeat and the record of each worker. Records of
-- workers that are gone expire; an entry without a time is not ours, and left out.
local found, cursor = {}, '0'
repeat
  local page = redis.call('SCAN', cursor, 'MATCH', P .. 'worker:*', 'COUNT', 500)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    local time, record = string.match(redis.call('GET', key) or '', '^([%d.]+)|(.+)$')
    local seen = tonumber(time or '')
    if seen then
      found[#found + 1] = {string.sub(key, #P + #'worker:' + 1), tostring(now() - seen), record}
    end
  end
until cursor == '0'
return found
