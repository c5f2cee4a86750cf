/* http_metrics.c - /metrics: counters as Prometheus reads them.
 *
 * A family is a comment that says what it is, one with its type, and a line for
 * each value.  What cannot be written is noticed when the answer is closed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/inside.h"
#include "net/http_debug.h"
#include "net/http_process.h"
#include "net/http_server.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

static void family(struct http_response *res, const char *name,
                   const char *type, const char *help)
{
    (void)http_printf(res, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                      type);
}

/* A family of one value. */
static void put_number(struct http_response *res, const char *name,
                       const char *type, const char *help, uint64_t value)
{
    family(res, name, type, help);
    (void)http_printf(res, "%s %" PRIu64 "\n", name, value);
}

/* ---- The runtime -----------------------------------------------------------
 */

struct counter {
    size_t offset; /* in struct co_stats */
    const char *name;
    const char *type;
    const char *help;
};

static const struct counter counters[] = {
    { offsetof(struct co_stats, living), "corten_coroutines", "gauge",
      "Coroutines that live on the scheduler." },
    { offsetof(struct co_stats, ready), "corten_coroutines_ready", "gauge",
      "Of them, those that wait for their turn." },
    { offsetof(struct co_stats, spawned), "corten_coroutines_spawned_total",
      "counter", "Coroutines that came to live there." },
    { offsetof(struct co_stats, ended), "corten_coroutines_ended_total",
      "counter", "Coroutines that ended." },
    { offsetof(struct co_stats, switches), "corten_switches_total", "counter",
      "Switches to a coroutine." },
    { offsetof(struct co_stats, polls), "corten_polls_total", "counter",
      "Questions to the kernel what is ready." },
    { offsetof(struct co_stats, fd_events), "corten_fd_events_total", "counter",
      "Events of descriptors that it reported." },
    { offsetof(struct co_stats, timers), "corten_timers_total", "counter",
      "Deadlines that came." },
    { offsetof(struct co_stats, remote_wakes), "corten_remote_wakes_total",
      "counter", "Spawns, wakes and cancels that other threads sent." },
};

static void put_runtime(struct http_response *res)
{
    struct co_stats all;
    struct co_sched *s;

    family(res, "corten_info", "gauge", "The version of the library.");
    (void)http_printf(res, "corten_info{version=\"%s\"} 1\n", co_version());
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const struct counter *c = &counters[i];

        family(res, c->name, c->type, c->help);
        for (unsigned n = 0; (s = co_sched_at(n)) != NULL; n++) {
            struct co_stats one;

            co_stats(s, &one);
            (void)http_printf(
                res, "%s{scheduler=\"%u\"} %" PRIu64 "\n", c->name, n,
                *(const uint64_t *)((const char *)&one + c->offset));
        }
    }
    co_stats(NULL, &all);
    put_number(res, "corten_stack_bytes", "gauge",
               "Address space of the stacks of all schedulers.",
               all.stack_bytes);
}

/* ---- Requests --------------------------------------------------------------
 */

/* Less finely than they are counted, or there would be 122: where a time begins
 * with 1, 2 or 5. */
static bool is_round(int64_t ns)
{
    while (ns % 10 == 0)
        ns /= 10;
    return ns == 1 || ns == 2 || ns == 5;
}

static void put_times(struct http_response *res, const struct http_stats *s)
{
    static const char name[] = "http_request_duration_seconds";
    uint64_t sum = 0;

    family(res, name, "histogram",
           "From the end of a request's head to that of its answer.");
    for (unsigned i = 0; i < HTTP_TIMES - 1; i++) {
        sum += s->times[i];
        if (is_round(http_stats_time(i)))
            (void)http_printf(res, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                              (double)http_stats_time(i) / 1e9, sum);
    }
    sum += s->times[HTTP_TIMES - 1];
    (void)http_printf(res, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, sum);
    (void)http_printf(res, "%s_sum %.9f\n%s_count %" PRIu64 "\n", name,
                      (double)s->time_sum / 1e9, name, sum);
}

static void put_http(struct http_request *req, struct http_response *res)
{
    static const char *const classes[] = { "none", NULL,  "2xx",
                                           "3xx",  "4xx", "5xx" };
    struct http_stats s;

    http_stats(req, &s);
    family(res, "http_requests_total", "counter",
           "Requests by the class of their status; none: left unanswered.");
    for (unsigned i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i] != NULL)
            (void)http_printf(res,
                              "http_requests_total{class=\"%s\"} %" PRIu64 "\n",
                              classes[i], s.by_class[i]);
    put_number(res, "http_response_body_bytes_total", "counter",
               "Bytes of bodies sent.", s.bytes_out);
    put_number(res, "http_connections", "gauge", "Open connections.", s.conns);
    put_number(res, "http_connections_idle", "gauge",
               "Of them, those that wait for a request.", s.idle);
    put_number(res, "http_connections_accepted_total", "counter",
               "Connections accepted.", s.accepted);
    put_number(res, "http_connections_turned_away_total", "counter",
               "Connections beyond the limit.", s.turned_away);
    put_times(res, &s);
}

/* ---- The process -----------------------------------------------------------
 */

static void look(void *p) { http_process_look(p); }

/* The usual names; what is not known is left out. */
static void put_seconds(struct http_response *res, const char *name,
                        const char *type, const char *help, double value)
{
    if (value < 0)
        return;
    family(res, name, type, help);
    (void)http_printf(res, "%s %.2f\n", name, value);
}

static void put_count(struct http_response *res, const char *name,
                      const char *help, int64_t value)
{
    if (value >= 0)
        put_number(res, name, "gauge", help, (uint64_t)value);
}

static void put_process(struct http_response *res)
{
    struct http_process p;

    if (co_offload(look, &p) < 0)
        look(&p);
    put_seconds(res, "process_cpu_seconds_total", "counter",
                "Processor time, user's and system's.", p.cpu);
    put_seconds(res, "process_start_time_seconds", "gauge",
                "When it started, in seconds since 1970.", p.start);
    put_count(res, "process_resident_memory_bytes", "Memory in use.",
              p.resident);
    put_count(res, "process_virtual_memory_bytes", "Address space.", p.virtual);
    put_count(res, "process_open_fds", "Open descriptors.", p.fds);
    put_count(res, "process_max_fds", "Descriptors it may open.", p.fds_max);
}

int http_debug_metrics(struct http_request *req, struct http_response *res)
{
    struct http_server *server = http_work_of(req)->server;

    if (__builtin_expect(!http_measures(server), 0))
        atomic_store_explicit(&server->measure, true, memory_order_relaxed);
    if (http_set_header(res, "Content-Type",
                        "text/plain; version=0.0.4; charset=utf-8") < 0 ||
        http_set_header(res, "Cache-Control", "no-store") < 0)
        return 500;
    put_runtime(res);
    put_http(req, res);
    put_process(res);
    return 200;
}
