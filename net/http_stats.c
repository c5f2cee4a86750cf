/* http_stats.c - what a server has done.
 *
 * Each scheduler counts on its own, as requests end; who asks adds up.  So a
 * request pays for two additions, and for a look at the clock where somebody
 * wants to know how long it took.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_server.h"

/* ---- Times -----------------------------------------------------------------
 *
 * Of each power of ten so many parts, by their lower ends in tenths: each is
 * less than a quarter wider than where it begins. */

static const uint8_t parts[] = { 10, 12, 14, 16, 18, 20, 25, 30,
                                 35, 40, 50, 60, 70, 80, 90 };

enum { PARTS = sizeof parts, DECADES = 8 };

_Static_assert(PARTS *DECADES + 2 == HTTP_TIMES,
               "one is shorter than the first, one as long as 10 s");

int64_t http_stats_time(unsigned i)
{
    int64_t unit = 10; /* a tenth of the first */

    if (i >= HTTP_TIMES - 1)
        return CO_FOREVER;
    for (; i >= PARTS; i -= PARTS)
        unit *= 10;
    return unit * parts[i];
}

unsigned http_stats_place(int64_t ns)
{
    int64_t unit = 10;
    unsigned base = 0, i = 0;

    while (ns >= 100 * unit && base < PARTS * DECADES) {
        unit *= 10;
        base += PARTS;
    }
    if (base == PARTS * DECADES)
        return HTTP_TIMES - 1;
    while (i < PARTS && ns >= unit * parts[i])
        i++;
    return base + i;
}

int64_t http_stats_quantile(const struct http_stats *s, double share)
{
    uint64_t count = 0, below = 0;

    for (unsigned i = 0; i < HTTP_TIMES; i++)
        count += s->times[i];
    if (count == 0)
        return 0;
    for (unsigned i = 0; i < HTTP_TIMES - 1; i++) {
        below += s->times[i];
        if ((double)below >= share * (double)count)
            return http_stats_time(i);
    }
    return http_stats_time(HTTP_TIMES - 1);
}

/* ---- Counting --------------------------------------------------------------
 */

__attribute__((noinline)) static void add_time(struct http_counters *c,
                                               int64_t begun)
{
    int64_t ns = co_now() - begun;

    http_count(&c->time_sum, (unsigned long)ns);
    http_count(&c->times[http_stats_place(ns)], 1);
}

void http_stats_add(struct http_work *w)
{
    struct http_counters *c = &w->peer->home->counters;

    http_count(&c->by_class[w->res.status / 100], 1);
    http_count(&c->bytes_out, w->res.sent);
    if (__builtin_expect(w->begun != 0, 0) && http_measures(w->server))
        add_time(c, w->begun);
}

/* ---- Adding up -------------------------------------------------------------
 */

static uint64_t load(const atomic_ulong *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* *busy: connections that somebody works on. */
static void add(const struct http_counters *c, struct http_stats *out,
                uint64_t *busy)
{
    uint64_t paused = load(&c->paused), begun = load(&c->begun);

    *busy += begun > paused ? begun - paused : 0;
    for (unsigned i = 0; i < 6; i++) {
        uint64_t n = load(&c->by_class[i]);

        out->by_class[i] += n;
        out->requests += n;
    }
    out->bytes_out += load(&c->bytes_out);
    out->accepted += load(&c->accepted);
    out->turned_away += load(&c->turned_away);
    out->time_sum += load(&c->time_sum);
    for (unsigned i = 0; i < HTTP_TIMES; i++)
        out->times[i] += load(&c->times[i]);
}

void http_stats(struct http_request *req, struct http_stats *out)
{
    struct http_server *s = http_work_of(req)->server;
    uint64_t busy = 0;

    *out = (struct http_stats){ 0 };
    for (unsigned i = 0; i < s->count; i++)
        add(&s->homes[i].counters, out, &busy);
    out->conns = atomic_load(&s->conns);
    out->idle = out->conns > busy ? out->conns - busy : 0;
}
