/* dump_words.c - words that several forms of a report use; see dump.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/dump.h"
#include "co/fd_info.h"
#include "co/peek.h"
#include "co/wait.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- The whole --------------------------------------------------------------
 */

static void put_who(struct text *t, uint64_t id, const char *name)
{
    text_format(t, "%" PRIu64, id);
    if (name[0] != '\0') {
        text_put(t, " ");
        text_quoted(t, name);
    }
}

static void put_running(struct dump *d, const struct part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        const struct record *r = &part->records[i];

        if (r->state != RECORD_RUNNING)
            continue;
        text_put(&d->out, "; it runs ");
        put_who(&d->out, r->id, r->name);
        text_format(&d->out, ", spawned at %s:%d", dump_file(d, r), r->line);
        return;
    }
    text_put(&d->out, part->hosted ? "; its host does not step it"
                                   : "; it runs no coroutine");
}

static void put_stuck(struct dump *d, unsigned i)
{
    const struct part *part = &d->shot.parts[i];

    if (part->answered)
        return;
    text_format(&d->out, "scheduler %u is stuck: its loop has not turned for ",
                i);
    text_duration(&d->out, part->silent);
    put_running(d, part);
    text_put(&d->out, "\n");
}

bool dump_header(struct dump *d)
{
    bool up = d->shot.count > 0;
    const char *lack;

    if (d->headed)
        return up;
    d->headed = true;
    if (!up) {
        text_put(&d->out, "corten: the runtime is not up\n");
        return false;
    }
    text_put(&d->out, "corten: ");
    text_count(&d->out, d->shot.living);
    text_format(&d->out, " coroutine%s on %u scheduler%s\n",
                d->shot.living == 1 ? "" : "s", d->shot.count,
                d->shot.count == 1 ? "" : "s");
    lack = symbols_lack(d->symbols);
    if (lack != NULL)
        text_format(&d->out, "no names of static functions and no lines: %s\n",
                    lack);
    for (unsigned i = 0; i < d->shot.count; i++)
        put_stuck(d, i);
    return true;
}

/* ---- One coroutine ----------------------------------------------------------
 */

const char *dump_file(struct dump *d, const struct record *r)
{
    char path[512];
    const char *slash;

    if (r->file == d->file_at && d->file[0] != '\0')
        return d->file;
    d->file_at = r->file;
    if (!peek_string(path, r->file, sizeof path))
        path[0] = '?', path[1] = '\0';
    slash = strrchr(path, '/');
    slash = slash == NULL ? path : slash + 1;
    (void)snprintf(d->file, sizeof d->file, "%.*s", (int)sizeof d->file - 1,
                   slash);
    return d->file;
}

const char *dump_kind(const struct record *r)
{
    static const char *const names[] = {
        [WAIT_SLEEP] = "sleep",     [WAIT_FD] = "read",
        [WAIT_CHAN] = "recv",       [WAIT_SELECT] = "select",
        [WAIT_COND] = "condition",  [WAIT_SEM] = "semaphore",
        [WAIT_GROUP] = "group",     [WAIT_JOIN] = "join",
        [WAIT_QUIET] = "the end",   [WAIT_MUTEX] = "mutex",
        [WAIT_OFFLOAD] = "offload", [WAIT_DUMP] = "dump",
    };

    if (r->kind == WAIT_FD && !(r->events & POLLER_READ))
        return r->events & POLLER_WRITE ? "write" : "event";
    if (r->kind == WAIT_CHAN && r->sends)
        return "send";
    if (r->kind >= sizeof names / sizeof *names || names[r->kind] == NULL)
        return "?";
    return names[r->kind];
}

const char *dump_call(const struct record *r, const struct trace *t)
{
    static const char *const names[] = {
        [WAIT_SLEEP] = "co_sleep_until", [WAIT_CHAN] = "co_chan_recv",
        [WAIT_SELECT] = "co_select",     [WAIT_COND] = "co_cond_wait",
        [WAIT_SEM] = "co_sem_wait",      [WAIT_GROUP] = "co_group_wait",
        [WAIT_JOIN] = "co_join",         [WAIT_MUTEX] = "co_mutex_lock",
        [WAIT_OFFLOAD] = "co_offload",   [WAIT_DUMP] = "co_dump",
    };

    if (t->call != NULL)
        return t->call->function;
    if (r->state != RECORD_WAITING || r->kind >= sizeof names / sizeof *names)
        return NULL;
    return r->kind == WAIT_CHAN && r->sends ? "co_chan_send" : names[r->kind];
}

static void put_fd(struct text *t, const struct record *r)
{
    struct fd_info info;
    const char *verb = dump_kind(r);

    fd_info_get(r->fd, &info);
    if (info.listens)
        verb = "accept";
    else if (r->events & POLLER_WRITE && info.stream && info.peer[0] == '\0')
        verb = "connect";
    text_format(t, "%s fd %d (%s", verb, r->fd, info.what);
    if (info.local[0] != '\0')
        text_format(t, " %s", info.local);
    if (info.peer[0] != '\0')
        text_format(t, " peer %s", info.peer);
    text_put(t, ")");
}

static void put_chan(struct text *t, const struct record *r)
{
    if (r->object == NULL) {
        text_put(t, "a channel that is NULL");
        return;
    }
    text_format(t, "%s channel %p (%zu of %zu%s)",
                r->sends ? "send to" : "recv from", r->object, r->count,
                r->capacity, r->closed ? ", closed" : "");
}

static void put_mutex(struct text *t, const struct record *r)
{
    text_format(t, "mutex %p ", r->object);
    if (r->owner == RECORD_COROUTINE) {
        text_put(t, "held by ");
        put_who(t, r->who_id, r->who);
    } else {
        text_put(t, r->owner == RECORD_THREAD ? "held by a plain thread"
                                              : "that is free by now");
    }
}

void dump_wait(struct text *t, const struct record *r)
{
    switch ((enum wait_kind)r->kind) {
    case WAIT_FD:
        put_fd(t, r);
        break;
    case WAIT_CHAN:
        put_chan(t, r);
        break;
    case WAIT_SELECT:
        text_format(t, "select of %zu, %zu of them descriptors", r->count,
                    r->capacity);
        break;
    case WAIT_MUTEX:
        put_mutex(t, r);
        break;
    case WAIT_COND:
    case WAIT_SEM:
        text_format(t, "%s %p", dump_kind(r), r->object);
        break;
    case WAIT_GROUP:
        text_format(t, "group %p (%zu running)", r->object, r->count);
        break;
    case WAIT_JOIN:
        text_put(t, "join ");
        put_who(t, r->who_id, r->who);
        break;
    case WAIT_QUIET:
        text_put(t, "the end of all others");
        break;
    default:
        text_put(t, dump_kind(r));
        break;
    }
}

void dump_frame(struct text *t, const struct symbol *s)
{
    if (s->function == NULL && s->file == NULL) {
        text_format(t, "%s+0x%" PRIxPTR, s->module == NULL ? "?" : s->module,
                    s->offset);
        return;
    }
    if (s->function != NULL)
        text_put(t, s->function);
    if (s->file != NULL)
        text_format(t, "%s%s:%d", s->function == NULL ? "" : " ", s->file,
                    s->line);
}
