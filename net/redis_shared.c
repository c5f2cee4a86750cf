/* redis_shared.c - one connection for the commands of many.
 *
 * Who asks appends its command to a line and waits.  When the line breaks, who
 * waits for a reply fails, and the next who asks makes a new one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/redis.h"
#include "net/redis_format.h"
#include "net/redis_line.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#define OPEN_TIME (10 * CO_SECOND)
#define SILENCE_MAX (30 * CO_SECOND)

/* ---- Asking, under the lock ------------------------------------------------
 */

/* Puts the command into the queue, and q behind it.  0, or -1 with errno. */
static int send_question(struct line *l, struct question *q,
                         const struct redis_command *command)
{
    bool was_empty = sdslen(l->out) == 0;

    if (redis_command_append(command, &l->out) < 0)
        return -1;
    if (!redis_line_owes(l))
        l->heard = co_now();
    list_push(&l->asked, &q->link);
    if (was_empty)
        co_cond_signal(&l->more);
    return 0;
}

/* Its reply will come, and those that are to be skipped behind it. */
static void forsake(struct line *l, struct question *q)
{
    struct list *before = q->link.prev;
    unsigned *skip = before == &l->asked
                         ? &l->skip
                         : &container_of(before, struct question, link)->skip;

    *skip += 1 + q->skip;
    list_remove(&q->link);
}

/* NULL + errno. */
static redisReply *ask(struct net_redis *r, int64_t deadline,
                       const struct redis_command *command)
{
    struct question q = { .reply = NULL };

    if (r->closing) {
        errno = ESHUTDOWN;
        return NULL;
    }
    if (r->line == NULL)
        r->line = redis_line_new(r);
    if (r->line == NULL || send_question(r->line, &q, command) < 0)
        return NULL;
    while (q.reply == NULL && q.err == 0)
        if (co_cond_wait(&q.answered, &r->lock, deadline) < 0)
            break;
    if (q.reply != NULL)
        return q.reply;
    if (q.err != 0)
        errno = q.err;
    else /* so it stands in the line, which is the one in use */
        forsake(r->line, &q);
    return NULL;
}

/* ---- Public ----------------------------------------------------------------
 */

redisReply *net_redis_ask(struct net_redis *r, int64_t deadline,
                          const char *format, ...)
{
    struct redis_command command;
    redisReply *reply;
    va_list args;
    int err;

    va_start(args, format);
    err = redis_command_begin(&command, format, args);
    va_end(args);
    if (err < 0)
        return NULL;
    co_mutex_lock(&r->lock);
    r->inside++;
    reply = ask(r, deadline, &command);
    err = errno;
    redis_go_out(r);
    co_mutex_unlock(&r->lock);
    redis_command_end(&command);
    errno = err;
    return reply;
}

struct net_redis *net_redis_new(const struct net_redis_config *config)
{
    struct net_redis *r;

    if (config->silence_max < 0 || config->pool.open_timeout < 0) {
        errno = EINVAL;
        return NULL;
    }
    r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->silence_max =
        config->silence_max == 0 ? SILENCE_MAX : config->silence_max;
    if (r->silence_max > CO_FOREVER / 2) /* so that sums stay in range */
        r->silence_max = CO_FOREVER / 2;
    r->open_timeout =
        config->pool.open_timeout == 0 ? OPEN_TIME : config->pool.open_timeout;
    if (redis_settings_make(&r->settings, config) == 0)
        return r;
    free(r);
    return NULL;
}

void net_redis_free(struct net_redis *r)
{
    bool held;

    if (r == NULL)
        return;
    held = co_self() != NULL && co_hold_cancel(true);
    co_mutex_lock(&r->lock);
    r->closing = true;
    if (r->line != NULL)
        redis_line_break(r->line, ESHUTDOWN);
    while (r->inside > 0)
        (void)co_cond_wait(&r->empty, &r->lock, CO_FOREVER);
    co_mutex_unlock(&r->lock);
    if (co_self() != NULL)
        (void)co_hold_cancel(held);
    redis_settings_free(&r->settings);
    free(r);
}
