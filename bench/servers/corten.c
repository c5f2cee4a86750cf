/* corten.c - a coroutine per connection, on one scheduler.
 *
 * What arrives is answered from a lent buffer, so that a connection that waits
 * holds none; with --mode stack, echo reads into a buffer on the handler's
 * stack, the way one writes it first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/answer.h"
#include "net/net.h"

static struct service service = { .name = "corten", .mode = "lent" };
static int status;

static int64_t silent(void) { return co_after(service.idle_s * CO_SECOND); }

static void work(void)
{
    service_compute(&service);
    if (service.block_ms > 0)
        (void)co_sleep_until(co_after(service.block_ms * CO_MSEC));
}

static void echo_lent(struct net_conn *c, void *arg)
{
    int64_t limit = silent();
    const char *data;
    ssize_t n;

    (void)arg;
    while ((n = net_next(c, (const void **)&data, limit)) > 0) {
        if (data[0] == '!')
            work();
        limit = silent();
        if (net_write(c, data, (size_t)n, limit) < 0)
            break;
    }
}

static void echo_stack(struct net_conn *c, void *arg)
{
    int64_t limit = silent();
    char buf[4096];
    ssize_t n;

    (void)arg;
    while ((n = net_read(c, buf, sizeof buf, limit)) > 0) {
        limit = silent();
        if (net_write(c, buf, (size_t)n, limit) < 0)
            break;
    }
}

/* Answers what is whole of the len bytes at in; how many that was, or -1. */
static ssize_t respond(struct net_conn *c, const char *in, size_t len,
                       int64_t limit)
{
    static struct answer answers = { .service = &service };
    char *out = net_buffer_get();
    struct answer_turn turn;
    size_t at = 0;
    bool good = out != NULL;

    for (; good && at < len; at += turn.used) {
        good = answer(&answers, in + at, len - at, out, &turn);
        if (!good || turn.used == 0)
            break;
        if (turn.heavy)
            work();
        good = net_write(c, turn.out, turn.len, limit) == 0;
    }
    net_buffer_put(out);
    return good ? (ssize_t)at : -1;
}

/* The beginning of a request of which len bytes are at data; the rest is read
 * here.  False when it does not end. */
static bool finish(struct net_conn *c, const char *data, size_t len)
{
    char *in = net_buffer_get();
    bool good = in != NULL && len < NET_BUFFER_BYTES;

    if (good)
        memcpy(in, data, len);
    while (good && len > 0) {
        ssize_t n = net_read(c, in + len, NET_BUFFER_BYTES - len, silent());

        len += n > 0 ? (size_t)n : 0;
        if (n > 0)
            n = respond(c, in, len, silent());
        good = n > 0 || (n == 0 && len < NET_BUFFER_BYTES);
        if (good) {
            len -= (size_t)n;
            memmove(in, in + n, len);
        }
    }
    net_buffer_put(in);
    return good;
}

static void http(struct net_conn *c, void *arg)
{
    int64_t limit = silent();
    const char *data;
    ssize_t n, used;

    (void)arg;
    while ((n = net_next(c, (const void **)&data, limit)) > 0) {
        limit = silent();
        used = respond(c, data, (size_t)n, limit);
        if (used < 0 ||
            (used < n && !finish(c, data + used, (size_t)(n - used))))
            break;
    }
}

static void root(void *arg)
{
    struct net_listener *l = net_listen(service.addr, NULL);
    bool stack = strcmp(service.mode, "stack") == 0;
    char bound[NET_ADDR_MAX];

    (void)arg;
    if (l != NULL) {
        net_listener_addr(l, bound, sizeof bound);
        printf("listening on %s\n", bound);
        (void)fflush(stdout);
    }
    if (net_serve(l,
                  service.http ? http
                  : stack      ? echo_stack
                               : echo_lent,
                  NULL) < 0)
        status = service_failed(&service, service.addr);
}

int main(int argc, char **argv)
{
    service_parse(&service, argc, argv);
    if (co_run(root, NULL, &(struct co_config){ .schedulers = 1 }) < 0)
        return service_failed(&service, "co_run");
    return status;
}
