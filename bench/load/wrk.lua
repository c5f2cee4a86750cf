-- wrk.lua - what wrk sends and says for load_wrk.c.
--
-- The argument is how many requests a connection sends at once; wrk then waits
-- for all their answers.  It makes the bytes once, since a function request()
-- would be called for each batch.
--
-- SPDX-License-Identifier: MIT
function init(args)
    local batch = string.rep(wrk.format("GET", "/greet/corten"), args[1])

    wrk.format = function() return batch end
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format("\nresult %d %d %d %d %d\n", summary.requests,
        summary.duration, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout))
end
