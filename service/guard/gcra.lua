-- GCRA, the generic cell rate algorithm (ITU-T I.371), in milliseconds by Redis's own clock.
-- KEYS: the theoretical arrival time of the next post, and the mark of this act. ARGV: ms a post costs, posts in a
-- burst, ms a mark lasts. Answers 0, or how many ms to wait; less than one is none. An act that was let through once costs nothing again.
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
if redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
local cost, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
-- Never later than a whole burst leaves it: beyond that, the clock was set back.
local arrival = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now), now), now + burst * cost)
local wait = arrival + cost - burst * cost - now
local refused = wait >= 1
if not refused then
    arrival = arrival + cost
    redis.call('SET', KEYS[2], 1, 'PX', ARGV[3])
end
-- Not rounded: a cost of 8571.43 ms would drift by up to half a millisecond with every post.
redis.call('SET', KEYS[1], string.format('%.17g', arrival), 'PX', math.ceil(arrival - now))
return refused and math.ceil(wait) or 0
