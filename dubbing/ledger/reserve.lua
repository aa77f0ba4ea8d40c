-- Reserve a batch of a queue: queue, owner, lease, and the member that is preferred or ''. Without it,
-- the batch that waits longest is reserved. Returns it, or ''.
local queue, owner, seconds, preferred = unpack(ARGV, 1, 4)
local m = available(queue, preferred) and preferred or waiting(queue)
if m then reserve(m, owner, tonumber(seconds)) end
return m and told(m) or ''
