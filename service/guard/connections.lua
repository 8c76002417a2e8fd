-- The open connections of addresses. KEYS: all workers by their last beat (crowd.lua keeps them), then for each address
-- a hash of worker → count. ARGV: this worker, seconds a worker is believed, seconds a hash lasts, the limit; then for
-- each address how many this worker holds, and how many more it asks for. Answers how many of those each may open.
local now = tonumber(redis.call('TIME')[1])
local me, believed, lasting, limit = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local alive = { [me] = true }
-- A beat in the future is one from before the clock was set back.
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now - believed, '(' .. now + believed)) do
    alive[worker] = true
end
local granted = {}
for i = 2, #KEYS do
    local held, asked = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    local free = limit - held
    local counts = redis.call('HGETALL', KEYS[i])
    for j = 1, #counts, 2 do
        if not alive[counts[j]] then
            redis.call('HDEL', KEYS[i], counts[j])
        elseif counts[j] ~= me then
            free = free - counts[j + 1]
        end
    end
    local more = math.max(0, math.min(asked, free))
    if held + more > 0 then
        redis.call('HSET', KEYS[i], me, held + more)
        redis.call('EXPIRE', KEYS[i], lasting)
    else
        redis.call('HDEL', KEYS[i], me)
    end
    granted[i - 1] = more
end
return granted
