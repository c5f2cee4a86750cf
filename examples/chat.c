/* chat.c - a chat room: chat [ADDRESS [SECONDS]]; out after 600 s of silence.
 *
 * Each client has a reader and a writer, and between all readers and its writer
 * a channel of lines.  Nobody waits for a slow client: it misses lines while
 * its channel is full, and is out when a line takes it 10 s.  Too long a line
 * goes in pieces.  One scheduler runs them all, so the room needs no lock.
 *
 * Try: nc 127.0.0.1 7000
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/net.h"
#include <stdio.h>
#include <stdlib.h>

struct line {
    int len;
    char text[250];
};

static struct client {
    struct client *next;
    struct co *reader;
    struct net_conn *conn;
    struct co_chan *lines;
} * room;

static int64_t silence;
static bool ok;

static void write_lines(void *arg)
{
    struct client *me = arg;
    struct line l;

    while (co_chan_recv(me->lines, &l, CO_FOREVER) == 0 &&
           net_write(me->conn, l.text, l.len, co_after(10 * CO_SECOND)) == 0)
        continue;
    co_cancel(me->reader);
}

static void read_lines(struct client *me)
{
    struct line l;
    const int prefix = l.len = sprintf(l.text, "%d: ", (int)co_id());
    char in[1024];
    ssize_t n;

    while ((n = net_read(me->conn, in, sizeof in, co_after(silence))) > 0)
        for (char *c = in; c < in + n; c++) {
            l.text[l.len++] = *c;
            if (*c != '\n' && l.len < (int)sizeof l.text - 1)
                continue;
            if (*c != '\n')
                l.text[l.len++] = '\n';
            for (struct client *to = room; to != NULL; to = to->next)
                if (to != me)
                    (void)co_chan_send(to->lines, &l, CO_NOWAIT);
            l.len = prefix;
            co_yield_now(); /* to the writers, so that channels get empty */
        }
}

static void client(struct net_conn *conn, void *arg)
{
    struct client **at = arg, me = { room, co_self(), conn, NULL };
    struct co *writer = NULL;

    me.lines = co_chan_new(sizeof(struct line), 64);
    if (me.lines != NULL && (writer = co_spawn(write_lines, &me, NULL))) {
        room = &me;
        read_lines(&me);
        while (*at != &me)
            at = &(*at)->next;
        *at = me.next;
        co_hold_cancel(true); /* me is the writer's, too, until it ends */
        co_cancel(writer);
        co_join(writer, CO_FOREVER);
    }
    co_chan_free(me.lines);
}

static void root(void *l)
{
    char bound[NET_ADDR_MAX];

    net_listener_addr(l, bound, sizeof bound);
    dprintf(1, "listening on %s\n", bound);
    ok = net_serve(l, client, &room) == 0;
}

int main(int argc, char **argv)
{
    const char *addr = argc > 1 ? argv[1] : "127.0.0.1:7000";
    /* Whoever is in the room at a stop would talk on: no grace for them. */
    struct net_listener *l =
        net_listen(addr, &(struct net_listen_options){ .grace = 1 });

    silence = (argc > 2 ? atoi(argv[2]) : 600) * CO_SECOND;
    if (l && !co_run(root, l, &(struct co_config){ .schedulers = 1 }) && ok)
        return 0;
    perror(addr);
    return 1;
}
