-- What visitors post, burst by burst, each of one visitor in one thread: how fast (GCRA, see gcra.lua), and how like what
-- was posted within the hour. All or nothing: what is refused costs nothing and leaves nothing behind.
-- KEYS: the arrival time of the site; then for each burst the arrival times of the address and the thread, when this
-- address last wrote in this thread, and what the address said anywhere and what was said in the thread, each as a hash
-- of run → act and a list of acts, the oldest first; then for each of its posts the act, and what says the same.
-- ARGV: for the rates of address, thread and site the ms that one costs, and the burst; how many acts of the address and
-- of the thread are compared; ms an act lasts, the beginning of the key of every act; then for each burst its posts, ms
-- between two posts in the thread, and who; then for each of its posts its cost, its act, the hashes of its runs, and
-- how many shared ones are alike.
-- Answers for each post the ms to wait, 0 for none; -1: said by the same already, -2: it is alike something.
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local lasting, acts = tonumber(ARGV[9]), ARGV[10]
local RUN, ACT, SECOND = 8, 16, 10 -- bytes

local function paces(keys)
    local rates = {}
    for i, key in ipairs(keys) do
        local cost, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
        if cost > 0 then
            -- Never later than a whole burst leaves it: beyond that, the clock was set back.
            local arrival = math.min(math.max(tonumber(redis.call('GET', key) or now), now), now + burst * cost)
            rates[#rates + 1] = { key = key, cost = cost, burst = burst, arrival = arrival }
        end
    end
    return rates
end

local function runs(sketch)
    local found = {}
    for i = 1, #sketch, RUN do
        found[#found + 1] = string.sub(sketch, i, i + RUN - 1)
    end
    return found
end

-- Whether an act is still to be compared: it lasts an hour, and goes when its comment is retracted. Its key is known only
-- now, but stands in the same slot.
local function stands(act)
    return redis.call('EXISTS', acts .. act) == 1
end

local function alike(scopes, sketch, enough)
    for _, scope in ipairs(scopes) do
        local shared = {}
        for _, act in ipairs(redis.call('HMGET', scope[1], unpack(sketch))) do
            if act then
                shared[act] = (shared[act] or 0) + 1
                if shared[act] == enough and stands(act) then
                    return true
                end
            end
        end
    end
    return false
end

local function forget(scope, entry)
    local act, sketch = string.sub(entry, 1, ACT), runs(string.sub(entry, ACT + SECOND + 1))
    local held = redis.call('HMGET', scope[1], unpack(sketch))
    for i, run in ipairs(sketch) do
        if held[i] == act then
            redis.call('HDEL', scope[1], run)
        end
    end
    redis.call('LPOP', scope[2])
end

local function remember(scopes, act, sketch)
    local second = math.floor(now / 1000)
    for _, scope in ipairs(scopes) do
        local fields = {}
        for _, run in ipairs(sketch) do
            fields[#fields + 1] = run
            fields[#fields + 1] = act
        end
        redis.call('HSET', scope[1], unpack(fields))
        local entry = act .. string.format('%010d', second) .. table.concat(sketch)
        local length = redis.call('RPUSH', scope[2], entry)
        local oldest = redis.call('LINDEX', scope[2], 0)
        while length > scope[3] or tonumber(string.sub(oldest, ACT + 1, ACT + SECOND)) < second - lasting / 1000 do
            forget(scope, oldest)
            length, oldest = length - 1, redis.call('LINDEX', scope[2], 0)
        end
        redis.call('PEXPIRE', scope[1], lasting)
        redis.call('PEXPIRE', scope[2], lasting)
    end
end

local function wait(rates, longest, units)
    for _, rate in ipairs(rates) do
        longest = math.max(longest, rate.arrival + (math.min(units, rate.burst) - rate.burst) * rate.cost - now)
    end
    return longest
end

local answers = {}
local key, arg = 2, 11 -- of the next burst

local function judge()
    local posts, slow, who = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1]), ARGV[arg + 2]
    local rates, slowed = paces({ KEYS[key], KEYS[key + 1], KEYS[1] }), KEYS[key + 2]
    local scopes = {
        { KEYS[key + 3], KEYS[key + 4], tonumber(ARGV[7]) },
        { KEYS[key + 5], KEYS[key + 6], tonumber(ARGV[8]) },
    }
    local last = slow > 0 and math.min(tonumber(redis.call('GET', slowed) or now - slow), now)
    key, arg = key + 7, arg + 3
    for _ = 1, posts do
        local mark, same = KEYS[key], KEYS[key + 1]
        local units, act, sketch, enough = tonumber(ARGV[arg]), ARGV[arg + 1], runs(ARGV[arg + 2]), tonumber(ARGV[arg + 3])
        local said = #rates > 0 and redis.call('GET', same)
        local ms = 0
        if redis.call('GET', mark) == who then
            ms = 0 -- let through already
        elseif said and stands(said) then
            ms = -1
        elseif #rates > 0 and #sketch > 0 and alike(scopes, sketch, enough) then
            ms = -2
        else
            ms = wait(rates, last and last + slow - now or 0, units)
            if ms < 1 then
                ms = 0
                for _, rate in ipairs(rates) do
                    rate.arrival = rate.arrival + math.min(units, rate.burst) * rate.cost
                end
                last = last and now
                redis.call('SET', mark, who, 'PX', lasting)
                if #rates > 0 then
                    redis.call('SET', same, act, 'PX', lasting)
                    if #sketch > 0 then
                        remember(scopes, act, sketch)
                    end
                end
            end
        end
        answers[#answers + 1] = math.ceil(ms)
        key, arg = key + 2, arg + 4
    end
    for _, rate in ipairs(rates) do
        if rate.arrival > now then
            -- Not rounded: a cost of 8571.43 ms would drift by up to half a millisecond with every post.
            redis.call('SET', rate.key, string.format('%.17g', rate.arrival), 'PX', math.ceil(rate.arrival - now))
        end
    end
    if last and last + slow > now then
        redis.call('SET', slowed, string.format('%.17g', last), 'PX', math.ceil(last + slow - now))
    end
end

while arg <= #ARGV do
    judge()
end
return answers
