-- Add to totals. Arguments: the worker that counted or '', and then each total and its amount.
local keys = {P .. 'totals'}
if ARGV[1] ~= '' then keys[2] = P .. 'totals:' .. ARGV[1] end
for _, key in ipairs(keys) do
  for n = 2, #ARGV, 2 do redis.call('HINCRBY', key, ARGV[n], ARGV[n + 1]) end
end
if keys[2] then redis.call('EXPIRE', keys[2], RECORD_TTL) end
return 1
