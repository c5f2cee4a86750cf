/* dump_text.c - a line for each coroutine; see dump.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/dump.h"
#include <inttypes.h>

static void put_counter(struct text *t, uint64_t n, const char *of)
{
    text_put(t, ", ");
    text_count(t, n);
    text_format(t, " %s", of);
}

static void begin(struct dump *d)
{
    struct text *t = &d->out;

    if (!dump_header(d))
        return;
    for (unsigned i = 0; i < d->shot.count; i++) {
        const struct co_stats *s = &d->shot.parts[i].stats;

        text_format(t, "scheduler %u: ", i);
        text_count(t, s->living);
        text_put(t, " living");
        put_counter(t, s->ready, "ready");
        put_counter(t, s->ready_max, "at most");
        put_counter(t, s->spawned, "spawned");
        put_counter(t, s->switches, "switches");
        put_counter(t, s->polls, "polls");
        put_counter(t, s->fd_events, "events");
        put_counter(t, s->timers, "timers");
        put_counter(t, s->remote_wakes, "from other threads");
        text_put(t, "\n");
    }
}

static void put_state(struct dump *d, const struct record *r)
{
    struct text *t = &d->out;

    if (r->state == RECORD_RUNNING) {
        text_put(t, "running");
    } else if (r->state == RECORD_READY) {
        text_put(t, "ready");
    } else {
        text_put(t, "waiting ");
        text_duration(t, d->shot.now - r->since);
        text_put(t, ": ");
        dump_wait(t, r);
    }
    if (r->state == RECORD_WAITING && r->deadline != CO_FOREVER) {
        text_put(t, ", times out in ");
        text_duration(t, r->deadline - d->shot.now);
    }
}

static void put_trace(struct dump *d, const struct record *r)
{
    struct text *t = &d->out;
    struct trace trace;
    const char *call;

    symbols_trace(d->symbols, r, &trace);
    call = dump_call(r, &trace);
    if (call == NULL && trace.count == 0)
        return;
    text_put(t, "; in ");
    if (call != NULL)
        text_put(t, call);
    for (unsigned i = 0; i < trace.count; i++) {
        if (i > 0 || call != NULL)
            text_put(t, " < ");
        dump_frame(t, trace.frames[i]);
    }
}

static void record(struct dump *d, unsigned sched, const struct record *r)
{
    struct text *t = &d->out;

    if (d->shown++ >= d->limit)
        return;
    text_format(t, "%" PRIu64 " ", r->id);
    text_quoted(t, r->name);
    text_put(t, " ");
    put_state(d, r);
    put_trace(d, r);
    text_format(t,
                "; stack %" PRIu32 " of %" PRIu32 " bytes, %" PRIu32
                " touched; spawned at %s:%d; scheduler %u%s%s\n",
                r->depth, r->stack_size, r->touched, dump_file(d, r), r->line,
                sched, r->cancelled ? "; cancelled" : "",
                r->held ? "; holds cancel off" : "");
}

static void end(struct dump *d)
{
    if (d->shown <= d->limit)
        return;
    text_count(&d->out, d->shown - d->limit);
    text_put(&d->out, " more are left out\n");
}

const struct dump_form dump_text = { begin, record, end };
