-- wrk.lua - what wrk sends and says for load_wrk.c.
--
-- The arguments are how many requests a connection sends at once, all of whose
-- answers wrk then waits for, how many connections there are, and how many
-- files, 0 when none are asked for.  The bytes are made once, since a function
-- request() would be called for each batch; but that is what many files take.
--
-- wrk adds samples to those it took, as if each connection had meant to ask
-- once an interval, which is the mean time of a request.  A closed loop means
-- no such thing, and of batches the quantiles become nonsense.  So they are
-- taken out again: from the longest sample down, each of two intervals or more
-- had put one at every interval below itself but the last.
--
-- SPDX-License-Identifier: MIT
local thread -- setup() and done() run in another Lua than init()

function setup(t) thread = t end

function init(args)
    local files = tonumber(args[3])
    local path = files > 0 and "/0" or "/greet/corten"
    local batch, batches = string.rep(wrk.format("GET", path), args[1]), {}

    conns = args[2]
    wrk.format = function() return batch end
    if files > 1 then
        math.randomseed(1)
        for i = 1, files do
            batches[i] = string.gsub(batch, "/0 ", "/" .. i - 1 .. " ")
        end
        request = function() return batches[math.random(files)] end
    end
end

-- The samples that were taken: times, how often, and how many in all.
local function samples(latency, interval)
    local added, times, counts, total = {}, {}, {}, 0

    for i = #latency, 1, -1 do
        local time, count = latency(i)
        local phase = time % interval
        local above = added[phase] or 0

        if time > interval then count = count - above end
        if time >= 2 * interval then added[phase] = above + count end
        times[i], counts[i], total = time, count, total + count
    end
    return times, counts, total
end

local function quantile(times, counts, rank)
    local i = 1

    while rank > counts[i] and i < #counts do
        rank = rank - counts[i]
        i = i + 1
    end
    return times[i]
end

function done(summary, latency)
    local e, clock, half, most = summary.errors, os.clock(), 0, 0
    local each = math.floor(summary.requests / thread:get("conns"))

    if each > 0 and #latency > 0 then
        local times, counts, total =
            samples(latency, math.floor(summary.duration / each))
        half = quantile(times, counts, total * 0.50)
        most = quantile(times, counts, total * 0.99)
    end
    io.write(string.format("\nresult %d %d %d %d %d %d\n", summary.requests,
        summary.duration, (os.clock() - clock) * 1e6, half, most,
        e.connect + e.read + e.write + e.status + e.timeout))
end
