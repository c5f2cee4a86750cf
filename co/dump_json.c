/* dump_json.c - JSON, an object a line; see dump.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/dump.h"
#include "co/fd_info.h"
#include "co/wait.h"
#include <inttypes.h>

static void begin(struct dump *d)
{
    struct text *t = &d->out;

    if (d->shot.count == 0)
        text_put(t, "{\"up\":false}\n");
    for (unsigned i = 0; i < d->shot.count; i++) {
        const struct part *part = &d->shot.parts[i];
        const struct co_stats *s = &part->stats;

        text_format(t, "{\"scheduler\":%u,\"stuck\":%s,\"silent_ns\":%" PRId64,
                    i, part->answered ? "false" : "true", part->silent);
        text_format(t,
                    ",\"stats\":{\"spawned\":%" PRIu64 ",\"ended\":%" PRIu64
                    ",\"living\":%" PRIu64 ",\"ready\":%" PRIu64
                    ",\"ready_max\":%" PRIu64 ",\"switches\":%" PRIu64,
                    s->spawned, s->ended, s->living, s->ready, s->ready_max,
                    s->switches);
        text_format(t,
                    ",\"polls\":%" PRIu64 ",\"fd_events\":%" PRIu64
                    ",\"timers\":%" PRIu64 ",\"remote_wakes\":%" PRIu64
                    ",\"stack_bytes\":%" PRIu64 "}}\n",
                    s->polls, s->fd_events, s->timers, s->remote_wakes,
                    s->stack_bytes);
    }
}

static void put_who(struct text *t, const char *key, const struct record *r)
{
    text_format(t, ",\"%s\":{\"id\":%" PRIu64 ",\"name\":", key, r->who_id);
    text_json(t, r->who);
    text_put(t, "}");
}

static void put_fd(struct text *t, const struct record *r)
{
    struct fd_info info;

    fd_info_get(r->fd, &info);
    text_format(t, ",\"fd\":%d,\"what\":", r->fd);
    text_json(t, info.what);
    if (info.listens)
        text_put(t, ",\"listens\":true");
    text_put(t, ",\"local\":");
    text_json(t, info.local);
    text_put(t, ",\"peer\":");
    text_json(t, info.peer);
}

static void put_wait(struct text *t, const struct record *r)
{
    text_put(t, ",\"wait\":{\"kind\":");
    text_json(t, dump_kind(r));
    if (r->object != NULL)
        text_format(t, ",\"object\":\"%p\"", r->object);
    if (r->kind == WAIT_FD)
        put_fd(t, r);
    else if (r->kind == WAIT_CHAN)
        text_format(t, ",\"count\":%zu,\"capacity\":%zu,\"closed\":%s",
                    r->count, r->capacity, r->closed ? "true" : "false");
    else if (r->kind == WAIT_SELECT)
        text_format(t, ",\"cases\":%zu,\"fds\":%zu", r->count, r->capacity);
    else if (r->kind == WAIT_GROUP)
        text_format(t, ",\"running\":%zu", r->count);
    else if (r->kind == WAIT_JOIN)
        put_who(t, "of", r);
    else if (r->kind == WAIT_MUTEX && r->owner == RECORD_COROUTINE)
        put_who(t, "owner", r);
    else if (r->kind == WAIT_MUTEX)
        text_format(t, ",\"owner\":%s",
                    r->owner == RECORD_THREAD ? "\"thread\"" : "null");
    text_put(t, "}");
}

static void put_frame(struct text *t, const struct symbol *s)
{
    text_put(t, "{\"function\":");
    if (s->function != NULL)
        text_json(t, s->function);
    else
        text_put(t, "null");
    if (s->file != NULL) {
        text_put(t, ",\"file\":");
        text_json(t, s->file);
        text_format(t, ",\"line\":%d", s->line);
    }
    text_put(t, ",\"module\":");
    text_json(t, s->module == NULL ? "" : s->module);
    text_format(t, ",\"offset\":%" PRIuPTR "}", s->offset);
}

static void put_trace(struct dump *d, const struct record *r)
{
    struct text *t = &d->out;
    struct trace trace;
    const char *call;

    symbols_trace(d->symbols, r, &trace);
    call = dump_call(r, &trace);
    text_put(t, ",\"call\":");
    if (call != NULL)
        text_json(t, call);
    else
        text_put(t, "null");
    text_put(t, ",\"frames\":[");
    for (unsigned i = 0; i < trace.count; i++) {
        text_put(t, i > 0 ? "," : "");
        put_frame(t, trace.frames[i]);
    }
    text_put(t, "]");
}

static void record(struct dump *d, unsigned sched, const struct record *r)
{
    static const char *const states[] = { "", "running", "ready", "waiting" };
    struct text *t = &d->out;

    text_format(t, "{\"id\":%" PRIu64 ",\"name\":", r->id);
    text_json(t, r->name);
    text_format(t, ",\"scheduler\":%u,\"state\":\"%s\"", sched,
                states[r->state]);
    if (r->state == RECORD_WAITING) {
        put_wait(t, r);
        text_format(t, ",\"waited_ns\":%" PRId64, d->shot.now - r->since);
        if (r->deadline != CO_FOREVER)
            text_format(t, ",\"left_ns\":%" PRId64, r->deadline - d->shot.now);
    }
    put_trace(d, r);
    text_put(t, ",\"spawned\":{\"file\":");
    text_json(t, dump_file(d, r));
    text_format(t,
                ",\"line\":%d},\"stack\":{\"size\":%" PRIu32
                ",\"depth\":%" PRIu32 ",\"touched\":%" PRIu32
                "},\"cancelled\":%s,\"held\":%s}\n",
                r->line, r->stack_size, r->depth, r->touched,
                r->cancelled ? "true" : "false", r->held ? "true" : "false");
}

static void end(struct dump *d) { (void)d; }

const struct dump_form dump_json = { begin, record, end };
