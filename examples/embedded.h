/* embedded.h - what the examples embed_*.c run inside their hosts' loops.
 *
 * An echo server, and a client for each tick of the host's own timer, all of
 * them coroutines of one scheduler that the host steps.  Host and coroutines
 * share a thread, so they may share data, and call each other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_EMBEDDED_H
#define EXAMPLES_EMBEDDED_H

#include "co/embed.h"
#include "net/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICKS = 20, TICK_MS = 10 };

struct embedded {
    struct co_sched *sched;
    struct co_chan *ticks;   /* the host sends, coroutines receive */
    void (*stop)(void *arg); /* ends the host's loop */
    void *arg;
    int sent, failed;
    long steps;        /* taken by the host */
    long idle_seconds; /* to count steps in, before the end */
    char addr[NET_ADDR_MAX];
};

static void embedded_echo(struct net_conn *c, void *arg)
{
    const void *data;
    ssize_t n;

    (void)arg;
    while ((n = net_next(c, &data, CO_FOREVER)) > 0)
        if (net_write(c, data, (size_t)n, CO_FOREVER) < 0)
            break;
}

static void embedded_server(void *listener)
{
    if (net_serve(listener, embedded_echo, NULL) < 0)
        perror("net_serve");
}

static int embedded_ask(const char *addr, int number)
{
    struct net_conn *c = net_dial(addr, co_after(5 * CO_SECOND));
    int answer = 0;

    if (c == NULL)
        return -1;
    if (net_write(c, &number, sizeof number, co_after(5 * CO_SECOND)) == 0)
        (void)net_read_full(c, &answer, sizeof answer, co_after(CO_SECOND));
    net_close(c);
    return answer;
}

/* One per tick, started by the host's timer. */
static void embedded_client(void *arg)
{
    struct embedded *e = arg;
    int number;

    if (co_chan_recv(e->ticks, &number, CO_FOREVER) == 0 &&
        embedded_ask(e->addr, number) != number)
        e->failed++;
    if (e->sent < TICKS || number != TICKS)
        return;
    printf("%d round trips, %d failed\n", TICKS, e->failed);
    if (e->idle_seconds > 0) {
        long before;

        /* Memory is tidied up in the first seconds. */
        (void)co_sleep_until(co_after(3 * CO_SECOND));
        before = e->steps;
        (void)co_sleep_until(co_after(e->idle_seconds * CO_SECOND));
        printf("idle for %ld s: %ld steps\n", e->idle_seconds,
               e->steps - before - 1); /* the last one woke us */
    }
    e->stop(e->arg);
}

/* The host's timer: spawns and sends between steps.  False when it was the
 * last time. */
static bool embedded_tick(struct embedded *e)
{
    int number = ++e->sent;

    if (co_go(embedded_client, e) < 0 ||
        co_chan_send(e->ticks, &number, CO_NOWAIT) < 0) {
        perror("tick");
        e->failed++;
    }
    return e->sent < TICKS;
}

/* The host's watcher of co_embed_fd(). */
static void embedded_step(struct embedded *e)
{
    e->steps++;
    if (co_embed_step(e->sched) < 0)
        perror("co_embed_step");
}

static bool embedded_open(struct embedded *e, int argc, char **argv)
{
    struct net_listener *l;

    e->idle_seconds = argc > 1 ? atol(argv[1]) : 0;
    e->sched = co_embed_open(NULL);
    e->ticks = co_chan_new(sizeof(int), TICKS);
    l = net_listen("127.0.0.1:0", NULL);
    if (e->sched == NULL || e->ticks == NULL || l == NULL) {
        perror(argv[0]);
        return false;
    }
    net_listener_addr(l, e->addr, sizeof e->addr);
    return co_go(embedded_server, l) == 0;
}

static int embedded_close(struct embedded *e)
{
    if (co_embed_close(e->sched) < 0) {
        perror("co_embed_close");
        return 1;
    }
    co_chan_free(e->ticks);
    return e->failed != 0;
}

#endif
