/* http_debug.h - looking into a service while it runs.  One line in its table
 * of routes:
 *
 *     static const struct http_route routes[] = {
 *         { "GET", "/", hello, NULL, 0 },
 *         HTTP_DEBUG_ROUTES,
 *         { 0 },
 *     };
 *
 * They tell strangers a lot: names of functions and files, addresses of
 * clients, how busy the service is; and describing all coroutines takes time
 * that others could use.  So on a port that strangers reach, give them to who
 * may see them: by a function in config.before that answers 403 or 401 for
 * these paths (examples/http_before.c asks for a password), or by a listener of
 * their own, http_serve() on 127.0.0.1 with a table that has nothing else
 * (whose counters of requests are then its own).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_DEBUG_H
#define NET_HTTP_DEBUG_H

#include "net/http.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* All three.  A route of yours with the same pattern, above it, replaces one;
 * others below the same paths stay yours. */
#define HTTP_DEBUG_ROUTES                                                      \
    { "GET", "/metrics", http_debug_metrics, NULL, 0 },                        \
        { "GET", "/debug/coroutines", http_debug_coroutines, NULL, 0 },        \
    {                                                                          \
        "GET", "/healthz", http_debug_health, NULL, 0                          \
    }

/* What Prometheus asks for (text format 0.0.4): corten_, the runtime by
 * scheduler (co/inside.h: struct co_stats); http_, what http_stats() knows of
 * this server; process_, memory, descriptors, processor time, start. */
http_handler http_debug_metrics;

/* What all coroutines do: co_dump(), sent as it is made; "?form=grouped" and
 * "?form=json" are co_dump_grouped() and co_dump_json(), other forms 400.  When
 * the client leaves, so ends the dump.  Four may be on their way, others get
 * 503. */
http_handler http_debug_coroutines;

/* "ok", or 503 once the server stops: for whoever spreads requests over several
 * processes. */
http_handler http_debug_health;

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
