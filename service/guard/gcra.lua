-- GCRA, the generic cell rate algorithm (ITU-T I.371), in milliseconds by Redis's own clock.
-- KEYS: the theoretical arrival time of the next act, and the mark of this one. ARGV: ms an act costs, acts in a burst, ms
-- a mark lasts. Answers 0, or how many ms to wait; less than one is none. An act that was let through once costs nothing
-- again.
if redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local cost, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
-- Never later than a whole burst leaves it: beyond that, the clock was set back.
local arrival = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now), now), now + burst * cost)
local wait = arrival + cost - burst * cost - now
if wait < 1 then
    wait = 0
    arrival = arrival + cost
    redis.call('SET', KEYS[2], 1, 'PX', ARGV[3])
end
-- Not rounded: a cost of 8571.43 ms would drift by up to half a millisecond with every act.
redis.call('SET', KEYS[1], string.format('%.17g', arrival), 'PX', math.ceil(arrival - now))
return math.ceil(wait)
