-- Reserve a batch of a queue. Arguments: queue, owner, lease, and the preferred member or ''. If that batch
-- is not available, the one that waits longest is reserved. Returns the reserved batch, or ''.
local queue, owner, seconds, preferred = unpack(ARGV, 1, 4)
local m = available(queue, preferred) and preferred or waiting(queue)
if m then reserve(m, owner, tonumber(seconds)) end
return m and told(m) or ''
