-- Note that a round ended: job, round, state.
local job, round, state = ARGV[1], ARGV[2], ARGV[3]
local key = jobkey(job)
if redis.call('HGET', key, 'round') ~= round then return 0 end
forget_work(job)
set_state(job, state)
redis.call('EXPIRE', key, ENDED_TTL)
redis.call('EXPIRE', key .. ':events', ENDED_TTL)
return 1
