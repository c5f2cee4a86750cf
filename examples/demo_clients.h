/* demo_clients.h - the clients that the buttons of demo.c start: coroutines of
 * the same process, which dial it as anybody would.
 *
 * A crowd is off, or one coroutine runs it from its first client to its last.
 * So however many strangers press a button, there is one crowd of each kind,
 * and it ends by itself.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_DEMO_CLIENTS_H
#define EXAMPLES_DEMO_CLIENTS_H

#include "co/inside.h"
#include "net/http.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CROWD_GREETING "hello, corten\n"

enum {
    CROWD_IDLE = 1000, /* connections that wait */
    CROWD_DIALERS = 8, /* who open them */
    CROWD_LOAD = 64,   /* clients that ask all the time */
    CROWD_SPARE_FDS = 300
};

#define CROWD_IDLE_TIME (60 * CO_SECOND)
#define CROWD_LOAD_TIME (10 * CO_SECOND)

enum { CROWD_OFF, CROWD_STARTING, CROWD_ON, CROWD_ENDING };

struct crowd { /* any thread; the rest belongs to who runs it */
    atomic_int state;
    atomic_uint count;          /* clients */
    atomic_llong until;         /* on co_now()'s clock */
    atomic_bool leave;          /* somebody pressed again */
    _Atomic(const char *) note; /* why there are fewer; NULL */
    struct co_sem left;         /* posted with leave */
    const char *addr;
    co_fn *run;
};

/* Starts it, or ends it when it is there already. */
static inline void crowd_press(struct crowd *c)
{
    int off = CROWD_OFF;

    if (!atomic_compare_exchange_strong(&c->state, &off, CROWD_STARTING)) {
        if (off != CROWD_ENDING && !atomic_exchange(&c->leave, true))
            co_sem_post(&c->left);
        return;
    }
    while (co_sem_wait(&c->left, CO_NOWAIT) == 0)
        ; /* pressed while the last one ended */
    atomic_store(&c->leave, false);
    atomic_store(&c->note, NULL);
    if (co_go(c->run, c) < 0) {
        atomic_store(&c->note, "There is no memory for it.");
        atomic_store(&c->state, CROWD_OFF);
    }
}

/* Runs fn in so many coroutines, on each scheduler as many, and waits for their
 * end:
 * they use the caller's memory, and are cancelled themselves when the program
 * ends. */
static inline void crowd_gather(struct crowd *c, const char *name, co_fn *fn,
                                void *args, size_t size, unsigned count)
{
    struct co_attr attr = { .name = name };
    struct co *members[CROWD_LOAD];
    bool held = co_hold_cancel(true);

    for (unsigned i = 0, on = 0; i < count; i++, on++) {
        attr.on = co_sched_at(on);
        if (attr.on == NULL)
            attr.on = co_sched_at(on = 0);
        members[i] = co_spawn(fn, (char *)args + i * size, &attr);
        if (members[i] == NULL)
            atomic_store(&c->note, "Fewer: there is no memory for them.");
    }
    for (unsigned i = 0; i < count; i++)
        if (members[i] != NULL)
            (void)co_join(members[i], CO_FOREVER);
    (void)co_hold_cancel(held);
}

/* One question, and all of its answer. */
static inline int crowd_ask(struct net_conn *conn, int64_t deadline)
{
    static const char question[] = "GET /hello HTTP/1.1\r\nHost: demo\r\n\r\n";
    static const char end[] = "\r\n\r\n" CROWD_GREETING;
    const size_t end_len = sizeof end - 1;
    char buf[1024];
    size_t len = 0;

    if (net_write(conn, question, sizeof question - 1, deadline) < 0)
        return -1;
    do {
        ssize_t n = net_read(conn, buf + len, sizeof buf - len, deadline);

        if (n <= 0)
            return -1;
        len += (size_t)n;
    } while (len < end_len || memcmp(buf + len - end_len, end, end_len) != 0);
    return 0;
}

/* ---- Idle connections ------------------------------------------------------
 */

struct crowd_idle {
    struct crowd *crowd;
    unsigned wanted;
    atomic_uint next;
    struct net_conn *conns[CROWD_IDLE];
};

static inline void crowd_dial(void *arg)
{
    struct crowd_idle *idle = arg;
    struct crowd *c = idle->crowd;
    unsigned i;

    while (!atomic_load(&c->leave) &&
           (i = atomic_fetch_add(&idle->next, 1)) < idle->wanted) {
        idle->conns[i] = net_dial(c->addr, co_after(5 * CO_SECOND));
        if (idle->conns[i] == NULL ||
            crowd_ask(idle->conns[i], co_after(5 * CO_SECOND)) < 0) {
            if (errno == EMFILE || errno == ENFILE)
                atomic_store(&c->note, "Fewer: there are no descriptors left "
                                       "(ulimit -n).");
            return;
        }
        atomic_fetch_add(&c->count, 1);
    }
}

/* A connection takes two descriptors, as both ends are here. */
static inline unsigned crowd_room(struct crowd *c)
{
    struct rlimit limit;
    const rlim_t most = 2 * CROWD_IDLE + CROWD_SPARE_FDS;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= most)
        return CROWD_IDLE;
    atomic_store(&c->note, "Fewer: this process may not open more descriptors "
                           "(ulimit -n).");
    if (limit.rlim_cur <= CROWD_SPARE_FDS)
        return 0;
    return (unsigned)(limit.rlim_cur - CROWD_SPARE_FDS) / 2;
}

/* Opens them, holds them, closes them. */
static inline void crowd_run_idle(void *arg)
{
    struct crowd *c = arg;
    struct crowd_idle *idle = calloc(1, sizeof *idle);

    if (idle != NULL) {
        idle->crowd = c;
        idle->wanted = crowd_room(c);
        crowd_gather(c, "dialer", crowd_dial, idle, 0, CROWD_DIALERS);
        atomic_store(&c->until, co_after(CROWD_IDLE_TIME));
        atomic_store(&c->state, CROWD_ON);
        (void)co_sem_wait(&c->left, atomic_load(&c->until));
        atomic_store(&c->state, CROWD_ENDING);
        for (unsigned i = 0; i < idle->wanted; i++)
            net_close(idle->conns[i]);
        free(idle);
    }
    atomic_store(&c->count, 0);
    atomic_store(&c->state, CROWD_OFF);
}

/* ---- Load ------------------------------------------------------------------
 */

/* How long answers took, as clients see it; each counts on its own. */
static atomic_ulong crowd_times[CROWD_LOAD][HTTP_TIMES];

static inline unsigned crowd_place(int64_t ns)
{
    unsigned low = 0, high = HTTP_TIMES - 1;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (ns < http_stats_time(mid))
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

struct crowd_client {
    struct crowd *crowd;
    atomic_ulong *times;
};

static inline void crowd_load(void *arg)
{
    struct crowd_client *k = arg;
    struct crowd *c = k->crowd;
    int64_t end = atomic_load(&c->until), before, now = 0;

    atomic_fetch_add(&c->count, 1);
    while (now < end && !atomic_load(&c->leave)) {
        struct net_conn *conn = net_dial(c->addr, end);

        before = co_now();
        /* The server ends a connection after so many requests. */
        while (conn != NULL && before < end && !atomic_load(&c->leave) &&
               crowd_ask(conn, end + CO_SECOND) == 0) {
            now = co_now();
            atomic_fetch_add_explicit(&k->times[crowd_place(now - before)], 1,
                                      memory_order_relaxed);
            before = now;
        }
        if (conn == NULL)
            break;
        net_close(conn);
        now = co_now();
    }
    atomic_fetch_sub(&c->count, 1);
}

static inline void crowd_run_load(void *arg)
{
    struct crowd *c = arg;
    struct crowd_client clients[CROWD_LOAD];

    atomic_store(&c->until, co_after(CROWD_LOAD_TIME));
    atomic_store(&c->state, CROWD_ON);
    for (int i = 0; i < CROWD_LOAD; i++)
        clients[i] = (struct crowd_client){ c, crowd_times[i] };
    crowd_gather(c, "client", crowd_load, clients, sizeof *clients, CROWD_LOAD);
    atomic_store(&c->state, CROWD_OFF);
}

#endif
