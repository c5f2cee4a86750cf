/* clients.c - see clients.h.
 *
 * In the open loop each connection has a plan of its own: the k-th of n asks at
 * begin + (k + i * n) / rate, for i = 0, 1, 2 ...  Who could not ask in time,
 * since the reply before was late, asks at once and goes on so until the plan
 * is caught up with; all these count from when they were planned, so a server
 * that stalls is seen as by clients that know nothing of each other.  What has
 * no answer when all ends has taken until then.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/clients.h"
#include "bench/load/link.h"
#include <errno.h>
#include <stdlib.h>

enum {
    OPENING = 128,       /* at once; far below any listen queue */
    END_NS = 1000000000, /* for what is under way when the time is over */
    LOOK_NS = 1000000,   /* between two looks whether it is done */
    SLOW = 1 << 22,      /* added to the indices of slow clients, and so on */
    PROBE = 2 << 22,
};

/* All coroutines belong to it. */
static struct run *common;

/* Notes why a link failed, or that it did not: true when it was only told to
 * end. */
static bool fail(struct link *l)
{
    const char *who = "connection";

    if (l->why == NULL && errno == ECANCELED)
        return true;
    if (l->index >= SLOW)
        who = l->index >= PROBE ? "idle connection" : "slow client";
    run_fail(l->run, who, l->index % SLOW, l->why);
    return false;
}

/* ---- Loops --------------------------------------------------------------- */

/* A new connection after so many requests. */
static int renew(struct link *l, int64_t now)
{
    unsigned churn = l->run->options->churn;

    if (churn == 0 || l->served < churn)
        return 0;
    return link_close(l) < 0 ? -1
                             : link_open(l, now + l->run->options->timeout);
}

static int closed_loop(struct link *l)
{
    struct run *run = l->run;
    const struct options *o = run->options;
    int64_t now = co_now();

    /* Those that think do not all start at once. */
    if (o->think > 0) {
        if (co_sleep_until(now + o->think / o->conns * l->index) < 0)
            return -1;
        now = co_now();
    }
    while (now < run->stop) {
        if (renew(l, now) < 0)
            return -1;
        now = link_exchange(l, o->depth, now, now);
        if (now < 0)
            return -1;
        if (o->think > 0) {
            if (co_sleep_until(now + o->think) < 0)
                return -1;
            now = co_now();
        }
    }
    return 0;
}

/* What was planned from `next` on, of that round `missing`, has no answer. */
static void note_missing(struct link *l, int64_t next, unsigned missing,
                         double period)
{
    struct run *run = l->run;
    const struct options *o = run->options;
    int64_t now = co_now();
    double at = (double)next;

    for (; next < run->to && next < now; next = (int64_t)(at += period)) {
        for (unsigned i = o->depth - missing; next >= run->from && i < o->depth;
             i++)
            run_note(run, wire_is_heavy(o, &l->round, i), next, now);
        missing = o->depth;
    }
}

static int open_loop(struct link *l)
{
    struct run *run = l->run;
    const struct options *o = run->options;
    double each = o->depth * 1e9 / o->rate, period = each * o->conns;
    double at = (double)run->begin + each * l->index;
    int64_t next, now = run->begin;

    for (; (next = (int64_t)at) < run->stop; at += period) {
        if (now < next) {
            if (co_sleep_until(next) < 0)
                return -1;
            now = co_now();
            if (next >= run->stop)
                return 0;
            if (run->counting)
                histogram_add(&run->late, now - next, 1);
        }
        if (renew(l, now) < 0) {
            note_missing(l, next, o->depth, period);
            return -1;
        }
        now = link_exchange(l, o->depth, next, now);
        if (now < 0) {
            note_missing(l, next, l->round.count - l->round.done, period);
            return -1;
        }
    }
    return 0;
}

/* ---- Coroutines ---------------------------------------------------------- */

/* Connects, and asks once: then the server has accepted it. */
static int open_one(struct link *l)
{
    int64_t now, deadline;
    int r = -1;

    if (co_sem_wait(&l->run->opening, CO_FOREVER) < 0)
        return -1;
    now = co_now();
    deadline = now + l->run->options->timeout;
    l->round.light = true;
    if (link_open(l, deadline) == 0 && link_exchange(l, 1, now, now) >= 0)
        r = 0;
    co_sem_post(&l->run->opening);
    l->round.light = l->index >= SLOW;
    l->served = 0;
    return r;
}

static int loop(struct link *l)
{
    struct run *run = l->run;
    int r = 0;

    if (l->index < SLOW)
        return run->options->rate > 0 ? open_loop(l) : closed_loop(l);
    while (r == 0 && co_now() < run->stop)
        r = link_exchange_slowly(l);
    return r;
}

static void link_init(struct link *l, unsigned index)
{
    *l = (struct link){ .run = common, .index = index, .fd = -1 };
    l->round.first = (uint64_t)index << 40;
}

/* The link lies on the stack, in the page that is touched anyway. */
static void client(void *index)
{
    struct run *run = common;
    struct link l;
    bool good;

    link_init(&l, (unsigned)(uintptr_t)index);
    good = open_one(&l) == 0;
    if (!good)
        (void)fail(&l);
    co_sem_post(&run->ready);
    if (good && (co_sem_wait(&run->go, CO_FOREVER) < 0 || loop(&l) < 0))
        good = fail(&l) && l.round.done == l.round.count;
    /* More bytes are no surprise where the end of all came in between. */
    if (link_close(&l) < 0 && good)
        (void)fail(&l);
    link_free(&l);
    if (l.index < SLOW && --run->working == 0)
        co_sem_post(&run->all_failed);
}

/* ---- All of them --------------------------------------------------------- */

/* Whether the server has accepted those before. */
static int probe(unsigned index)
{
    struct link l;
    int r;

    link_init(&l, index);
    r = open_one(&l);
    if (r < 0)
        (void)fail(&l);
    if (link_close(&l) < 0 && r == 0) {
        (void)fail(&l);
        r = -1;
    }
    link_free(&l);
    return r;
}

/* Silent ones.  So that the server's queue is not too short for them, another
 * one is answered now and then. */
static int open_idle(struct run *run)
{
    unsigned count = run->options->idle;

    run->idle = calloc(count + 1, sizeof *run->idle);
    if (run->idle == NULL) {
        run_fail(run, "idle connection", 0, NULL);
        return -1;
    }
    for (; run->idle_count < count; run->idle_count++) {
        struct link l;

        link_init(&l, PROBE + run->idle_count);
        if (run->idle_count % OPENING == OPENING - 1 && probe(l.index) < 0)
            return -1;
        if (link_open(&l, co_after(run->options->timeout)) < 0) {
            (void)fail(&l);
            return -1;
        }
        run->idle[run->idle_count] = l.fd;
    }
    return 0;
}

int clients_open(struct run *run)
{
    const struct options *o = run->options;
    unsigned count = o->conns + o->slow, i;

    common = run;
    run->opening.value = OPENING;
    if (open_idle(run) < 0)
        return -1;
    run->working = o->conns;
    for (i = 0; i < count; i++) {
        unsigned index = i < o->conns ? i : i - o->conns + SLOW;

        if (co_group_go(&run->clients, client, (void *)(uintptr_t)index) < 0) {
            run_fail(run, "connection", i, co_spawn_why());
            count = i;
        }
    }
    for (i = 0; i < count; i++)
        if (co_sem_wait(&run->ready, CO_FOREVER) < 0)
            return -1;
    return run->errors > 0 ? -1 : 0;
}

void clients_start(struct run *run)
{
    unsigned count = run->options->conns + run->options->slow;

    run->begin = co_now();
    while (count-- > 0)
        co_sem_post(&run->go);
}

static void close_idle(struct run *run)
{
    for (unsigned i = 0; i < run->idle_count; i++) {
        struct link l;

        link_init(&l, PROBE + i);
        l.fd = run->idle[i];
        if (link_close(&l) < 0)
            (void)fail(&l);
    }
    free(run->idle);
    run->idle_count = 0;
}

void clients_stop(struct run *run)
{
    int64_t end;

    run->stop = co_now();
    end = run->stop + END_NS;
    while (run->busy > 0 && co_now() < end)
        if (co_sleep_until(co_after(LOOK_NS)) < 0)
            break;
    /* Those that are slow, or think, or wait for their time. */
    co_group_cancel(&run->clients);
    (void)co_group_wait(&run->clients, CO_FOREVER);
    close_idle(run);
}
