-- Forget a job that was removed from storage. Argument: job.
local job = ARGV[1]
forget_work(job)
redis.call('DEL', jobkey(job), jobkey(job) .. ':events')
