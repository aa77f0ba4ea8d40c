-- Share the slots of an engine's endpoints among processes. Arguments: engine, process, wanted slots,
-- seconds for which this wish counts, seconds of its lease, and then for each endpoint its address, its
-- slots that the process could use, and the slots that the process has. Each process with work gets its
-- fair part; more if others want less, and all if it is alone.
-- Returns 1 if the fair part is not 0, and for each endpoint the number of slots to use from now on.
local key, mine = P .. 'shares:' .. ARGV[1], ARGV[2]
local wanted, wish, lease = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local t = now()
-- Processes report their slots to an emptied Redis within moments; until then it assigns none.
local settling = age() < SETTLE

local wishes, held, taken, processes = {}, {}, {}, wanted > 0 and 1 or 0
local entries = redis.call('HGETALL', key)
for n = 1, #entries, 2 do
  local process, url = string.match(entries[n], '^([^|]*)|(.*)$')
  local count, finish = string.match(entries[n + 1], '^(%d+)|([%d.]+)$')
  if not process or num(finish) <= t then
    redis.call('HDEL', key, entries[n])
  elseif process ~= mine then
    if url == '' then
      wishes[process] = num(count)
      processes = processes + 1
    else
      held[process] = (held[process] or 0) + num(count)
      taken[url] = (taken[url] or 0) + num(count)
    end
  end
end

local places, total, free = {}, 0, 0
for n = 6, #ARGV, 3 do
  local slots, having = tonumber(ARGV[n + 1]), tonumber(ARGV[n + 2])
  local room = math.max(0, slots - (taken[ARGV[n]] or 0))
  if settling then room = math.min(room, having) end
  places[#places + 1] = {url = ARGV[n], slots = slots, having = having, room = room, part = 0}
  total, free = total + slots, free + room
end

local fair = math.floor(total / math.max(1, processes))
local lacking, alone = 0, true
for process, wants in pairs(wishes) do
  lacking, alone = lacking + math.max(0, math.min(wants, fair) - (held[process] or 0)), false
end
local part = math.min(wanted, free, math.max(fair, free - lacking))
if alone and wanted > 0 then part = free end

-- Spread the part over the endpoints, by their slots.
for _ = 1, part do
  local best
  for _, place in ipairs(places) do
    local open = place.part < place.room
    if open and not (best and best.part / best.slots <= place.part / place.slots) then best = place end
  end
  best.part = best.part + 1
end

local function note(url, count, finish)
  if count > 0 then
    redis.call('HSET', key, mine .. '|' .. url, count .. '|' .. finish)
  else
    redis.call('HDEL', key, mine .. '|' .. url)
  end
end
local answer = {(fair > 0 or settling) and 1 or 0}
note('', wanted, t + wish)
for _, place in ipairs(places) do
  -- The process may use its slots until it receives this answer, which it confirms with its next call.
  note(place.url, math.max(place.part, place.having), t + lease)
  answer[#answer + 1] = place.part
end
redis.call('EXPIRE', key, RECORD_TTL)
return answer
