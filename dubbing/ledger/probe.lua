-- Try each command of the ledger and the queues, on keys of its own. Returns the names of the failed
-- commands, each followed by Redis's words. KEYS are not used: a cluster refuses two such names.
local key = P .. 'probe:'
local hash, list, set, zset = key .. 'hash', key .. 'list', key .. 'set', key .. 'zset'
local bits, stream, count = key .. 'bits', key .. 'stream', key .. 'count'
local failed = {}
for _, try in ipairs({
  -- A full Redis refuses this first write; after any other write it would refuse nothing more.
  {'HSET', hash, 'a', 1}, {'HGET', hash, 'a'}, {'HMGET', hash, 'a'}, {'HGETALL', hash},
  {'HKEYS', hash}, {'HVALS', hash}, {'HSETNX', hash, 'a', 1}, {'HINCRBY', hash, 'n', 1},
  {'HDEL', hash, 'a'},
  {'RPUSH', list, 'a', 'b', 'c'}, {'LPUSH', list, 'd'}, {'LPOP', list}, {'LPOS', list, 'a'},
  {'LINDEX', list, 0}, {'LRANGE', list, 0, 0}, {'LLEN', list}, {'LREM', list, 1, 'a'},
  {'SADD', set, 'a'}, {'SMEMBERS', set}, {'SREM', set, 'a'},
  {'ZADD', zset, 'GT', 1, 'a'}, {'ZCARD', zset}, {'ZSCORE', zset, 'a'}, {'ZRANGE', zset, 0, 0},
  {'ZRANGEBYSCORE', zset, 0, 1}, {'ZREM', zset, 'a'},
  {'SETBIT', bits, 0, 1}, {'GETBIT', bits, 0}, {'BITCOUNT', bits},
  {'XADD', stream, '*', 'a', 1}, {'XREVRANGE', stream, '+', '-', 'COUNT', 1},
  {'XRANGE', stream, '-', '+', 'COUNT', 1},
  {'XREAD', 'COUNT', 1, 'STREAMS', stream, 0},
  {'SET', count, 0, 'PX', 60000, 'NX'}, {'GET', count}, {'INCRBY', count, 1},
  {'EXISTS', count}, {'EXPIRE', count, 1}, {'PERSIST', count}, {'SCAN', 0, 'COUNT', 1}, {'TIME'},
  {'PUBLISH', P .. 'queue:probe', ''},
  {'DEL', hash, list, set, zset, bits, stream, count},
}) do
  local answer = redis.pcall(unpack(try))
  if type(answer) == 'table' and answer.err then
    failed[#failed + 1] = try[1]
    failed[#failed + 1] = answer.err
  end
end
return failed
