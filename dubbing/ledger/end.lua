-- Record the end of a round. Arguments: job, round, state. The round may be later than the known one.
local job, round, state = ARGV[1], ARGV[2], ARGV[3]
local key = jobkey(job)
local known = tonumber(redis.call('HGET', key, 'round') or '')
if known and known > tonumber(round) then return 0 end
if not known then
  forget_work(job)
  return 0
end
local _, _, begun = holding(member(job, round, 'assembly'))
if state == 'completed' and begun then note_pace('assembly', programme(job), 1, now() - begun) end
forget_work(job)
redis.call('HSET', key, 'round', round)
if redis.call('HGET', key, 'state') ~= state then tally('dubbing_jobs_total', state) end
set_state(job, state)
redis.call('EXPIRE', key, ENDED_TTL)
redis.call('EXPIRE', key .. ':events', ENDED_TTL)
return 1
