-- A write that leaves nothing: it fails where Redis is full, or takes no writes.
redis.call('SET', P .. 'probe', '')
redis.call('DEL', P .. 'probe')
return 1
