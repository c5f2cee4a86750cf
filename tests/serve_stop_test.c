/* serve_stop_test.c - who connects while a server stops is served or refused,
 * also when one of its schedulers is busy just then.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/net_tools.h"
#include <stdatomic.h>

enum { CLIENTS = 64 };

static struct co_sem busy;
static atomic_bool go_on;

/* Says on which scheduler it runs; 'b' keeps that busy, 'w' asks for a letter
 * more. */
static void handler(struct net_conn *c, void *arg)
{
    char what, where = co_sched_self() == co_sched_at(1) ? '1' : '0';

    (void)arg;
    if (net_read(c, &what, 1, SOON) != 1)
        return;
    if (what == 'b') {
        co_sem_post(&busy);
        while (!atomic_load(&go_on))
            ;
    }
    (void)net_write(c, &where, 1, SOON);
    if (what == 'w')
        handler(c, NULL);
}

/* A connection of the second scheduler, which is busy from then on. */
static struct net_conn *keep_busy(const char *addr)
{
    for (;;) {
        struct net_conn *c = net_dial(addr, SOON);
        char where;

        CHECK(c != NULL);
        CHECK_EQ(net_write(c, "w", 1, SOON), 0);
        CHECK_EQ(net_read(c, &where, 1, SOON), 1);
        if (where == '1') {
            CHECK_EQ(net_write(c, "b", 1, SOON), 0);
            CHECK_EQ(co_sem_wait(&busy, SOON), 0);
            return c;
        }
        net_close(c);
    }
}

static void stop(void *arg)
{
    struct net_conn *clients[CLIENTS], *first;
    struct server s;
    char where;

    (void)arg;
    server_start(&s, TCP, NULL, handler, NULL);
    first = keep_busy(s.addr);
    co_cancel(s.co);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = net_dial(s.addr, SOON);
        if (clients[i] != NULL)
            CHECK_EQ(net_write(clients[i], "x", 1, SOON), 0);
        else
            CHECK_EQ(errno, ECONNREFUSED);
        (void)co_sleep_until(co_after(CO_MSEC));
    }
    atomic_store(&go_on, true);
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i] != NULL)
            CHECK_EQ(net_read(clients[i], &where, 1, SOON), 1);
        net_close(clients[i]);
    }
    net_close(first);
    CHECK_EQ(co_join(s.co, SOON), 0);
    CHECK_EQ(s.result, 0);
}

int main(void)
{
    RUN_CO(stop);
    return 0;
}
