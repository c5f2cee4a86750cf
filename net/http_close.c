/* http_close.c - the ends of connections: so that the client can read the last
 * answer, and when the server stops.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "net/http_server.h"

/* For the client to read the last answer, when it may still be sending: in all,
 * and without sending anything. */
#define LINGER (5 * CO_SECOND)
#define LINGER_IDLE (2 * CO_SECOND)

/* Closing while bytes arrive that nobody reads makes the kernel reset the
 * connection, and the client may then never see its answer. */
void http_linger(struct net_conn *c)
{
    int64_t end = http_now() + LINGER;
    const void *data;
    int64_t deadline;

    if (net_shutdown(c) < 0)
        return;
    do {
        deadline = http_now() + LINGER_IDLE;
        deadline = deadline < end ? deadline : end;
    } while (http_now() < end && net_next(c, &data, deadline) > 0);
}

/* Without memory. */
void http_turn_away(struct net_conn *c)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Content-Length: 0\r\n"
                               "Connection: close\r\n\r\n";

    if (net_write(c, text, sizeof text - 1, CO_NOWAIT) == 0)
        http_linger(c);
}

/* ---- Stopping --------------------------------------------------------------
 */

static void wake_idle(struct http_home *home, bool fresh)
{
    struct list *l = home->peers.next;

    for (; l != NULL && l != &home->peers; l = l->next) {
        struct http_peer *p = container_of(l, struct http_peer, link);

        /* What has arrived is still read; then comes the end. */
        if (p->idle && (fresh || p->served > 0))
            (void)shutdown(net_fd(p->conn), SHUT_RD);
    }
}

void http_close_idle(void *arg)
{
    struct http_home *home = arg;
    int64_t begun = co_now();

    (void)co_sleep_until(begun + HTTP_NEXT_AFTER_STOP);
    wake_idle(home, false);
    (void)co_sleep_until(begun + HTTP_FIRST_AFTER_STOP);
    wake_idle(home, true);
}
