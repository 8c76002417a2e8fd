-- How many read along on the other workers. KEYS: this worker's counts (a hash), and all workers by their last beat.
-- ARGV: seconds a worker is believed, then thread and count in turn. Answers the sum of the others for each thread.
local now = tonumber(redis.call('TIME')[1])
local ttl = tonumber(ARGV[1])
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', KEYS[1], ttl)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ttl)
redis.call('ZREMRANGEBYSCORE', KEYS[2], now + ttl, '+inf') -- the clock was set back: who is alive beats again at once
redis.call('ZADD', KEYS[2], now, KEYS[1])
redis.call('EXPIRE', KEYS[2], ttl)
local sums = {}
for i = 2, #ARGV, 2 do
    sums[i / 2] = 0
end
for _, key in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if key ~= KEYS[1] and #ARGV > 1 then
        for i = 2, #ARGV, 2 do
            sums[i / 2] = sums[i / 2] + tonumber(redis.call('HGET', key, ARGV[i]) or 0)
        end
    end
end
return sums
