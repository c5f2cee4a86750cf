/* serve.c - net_serve(): accept, run handlers, stop.
 *
 * Each scheduler has a worker, a coroutine that starts handlers there and keeps
 * them in a group.  Either each worker accepts from a socket of its own, or one
 * acceptor hands the connections over through the workers' channels; so all
 * coroutines of a group are born where the group is.
 *
 * To stop: the acceptors are cancelled, take what is queued and close their
 * sockets; the channels are closed, and the workers end once they are empty.
 * From then on the groups only shrink: they are waited for, cancelled, waited
 * for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/conn.h"
#include "net/listener.h"
#include <errno.h>
#include <stdlib.h>

enum {
    ACCEPTS_A_TURN = 8, /* before handlers get theirs */
    QUEUE = 64,         /* connections handed over, not started yet */
};

#define PAUSE_MIN CO_MSEC
#define PAUSE_MAX (128 * CO_MSEC)
#define GRACE (10 * CO_SECOND)

struct server;

struct worker { /* one a scheduler */
    struct server *server;
    struct co_sched *sched;
    struct co *co;
    int fd;                /* its own listening socket, or -1 */
    struct co_chan *queue; /* or connections come through this */
    struct co_group handlers;
    atomic_uint conns; /* those handed over that have not ended */
};

struct server {                    /* on the stack of net_serve() */
    struct net_listener *listener; /* NULL once its own acceptor has ended */
    struct net_listen_options options;
    net_handler *handler;
    void *arg;
    struct co *acceptor; /* hands over; NULL when workers accept */
    struct worker *workers;
    unsigned count;
    unsigned turn;       /* acceptor's: whose it was last */
    struct co_sem slots; /* max_conns: what is left of them */
    atomic_bool stopping;
    atomic_int err;       /* why it stops by itself; 0: it does not */
    struct co_sem failed; /* posted when err was set */
};

/* ---- A connection's life ----------------------------------------------------
 */

static void drop(struct worker *w, struct net_conn *c)
{
    struct server *s = w->server;

    conn_release(c);
    atomic_fetch_sub_explicit(&w->conns, 1, memory_order_relaxed);
    if (s->options.max_conns != 0)
        co_sem_post(&s->slots);
}

static void handle(void *arg)
{
    struct net_conn *c = arg;
    struct worker *w = c->owner;
    int64_t limit = co_limit_deadline(CO_FOREVER);

    w->server->handler(c, w->server->arg);
    co_restore_deadline(limit);
    (void)co_hold_cancel(false);
    drop(w, c);
}

/* Sleeps, longer each time; false when the server stops. */
static bool pause_again(struct server *s, int64_t *pause)
{
    if (atomic_load(&s->stopping))
        return false;
    (void)co_sleep_until(co_after(*pause));
    if (*pause < PAUSE_MAX)
        *pause *= 2;
    return !atomic_load(&s->stopping);
}

/* Starts the handler of c, on this scheduler.  Without a coroutine to be had
 * c waits here, and with it those that are not accepted yet. */
static void start(struct worker *w, struct net_conn *c)
{
    int64_t pause = PAUSE_MIN;

    c->owner = w;
    while (co_group_go(&w->handlers, handle, c) < 0)
        if (!pause_again(w->server, &pause)) {
            drop(w, c);
            return;
        }
}

/* ---- Accepting
 * ---------------------------------------------------------------
 */

static bool is_shortage(int err)
{
    return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

/* Waits for a connection and for room; only then accepts, so that other
 * sockets' acceptors can use the room while nobody comes here.  1: accepted
 * into *c; 0: somebody else was faster; -1. */
static int accept_limited(struct server *s, int fd, struct net_conn **c,
                          int64_t deadline)
{
    if (s->options.max_conns == 0) {
        *c = listener_accept(fd, deadline);
        return *c != NULL ? 1 : -1;
    }
    if (co_fd_wait(fd, CO_READ, deadline) < 0 ||
        co_sem_wait(&s->slots, deadline) < 0)
        return -1;
    *c = listener_accept(fd, CO_NOWAIT);
    if (*c != NULL)
        return 1;
    co_sem_post(&s->slots);
    return errno == ETIMEDOUT ? 0 : -1;
}

static struct worker *choose(struct server *s, struct worker *own)
{
    struct worker *best;

    if (own != NULL)
        return own;
    s->turn = (s->turn + 1) % s->count;
    best = &s->workers[s->turn];
    if (s->options.balance != NET_LEAST_CONNS)
        return best;
    for (unsigned i = 0; i < s->count; i++)
        if (atomic_load_explicit(&s->workers[i].conns, memory_order_relaxed) <
            atomic_load_explicit(&best->conns, memory_order_relaxed))
            best = &s->workers[i];
    return best;
}

static void give(struct server *s, struct worker *own, struct net_conn *c)
{
    struct worker *w = choose(s, own);
    bool held;

    conn_hold(c);
    atomic_fetch_add_explicit(&w->conns, 1, memory_order_relaxed);
    if (own != NULL) {
        start(w, c);
        return;
    }
    /* The worker takes it for certain, and soon. */
    held = co_hold_cancel(true);
    if (co_chan_send(w->queue, &c, CO_FOREVER) < 0)
        drop(w, c);
    (void)co_hold_cancel(held);
}

/* What was queued when the stop came, then the end of fd. */
static void drain(struct server *s, struct worker *own, int fd)
{
    struct net_conn *c;
    int r;

    (void)co_hold_cancel(true);
    while ((r = accept_limited(s, fd, &c, CO_NOWAIT)) >= 0)
        if (r > 0)
            give(s, own, c);
    /* At once: who comes in between is neither served nor refused. */
    if (own == NULL || own == s->workers) {
        net_listener_close(s->listener);
        s->listener = NULL;
    } else {
        (void)co_close(fd);
    }
}

static void accept_loop(struct server *s, struct worker *own, int fd)
{
    int64_t pause = PAUSE_MIN;
    unsigned turn = 0;
    struct net_conn *c;

    for (;;) {
        int r = accept_limited(s, fd, &c, CO_FOREVER);

        if (r > 0) {
            pause = PAUSE_MIN;
            give(s, own, c);
            if (++turn % ACCEPTS_A_TURN == 0)
                co_yield_now();
        } else if (r < 0 && is_shortage(errno)) {
            if (!pause_again(s, &pause))
                break;
        } else if (r < 0) {
            if (errno != ECANCELED) {
                atomic_store(&s->err, errno);
                co_sem_post(&s->failed);
            }
            break;
        }
    }
    drain(s, own, fd);
}

static void acceptor_main(void *arg)
{
    struct server *s = arg;

    accept_loop(s, NULL, s->listener->fd);
}

static void worker_main(void *arg)
{
    struct worker *w = arg;
    struct net_conn *c;

    if (w->queue == NULL) {
        accept_loop(w->server, w, w->fd);
        return;
    }
    (void)co_hold_cancel(true); /* ends when its channel is closed and empty */
    while (co_chan_recv(w->queue, &c, CO_FOREVER) == 0)
        start(w, c);
}

/* ---- Start and stop
 * -----------------------------------------------------------
 */

static bool hands_over(const struct net_listener *l)
{
    return l->options.balance != NET_PER_SCHEDULER ||
           l->addr.as.any.sa_family == AF_UNIX;
}

static int prepare(struct server *s)
{
    struct net_listener *l = s->listener;

    s->slots.value = l->options.max_conns;
    while (co_sched_at(s->count) != NULL)
        s->count++;
    s->workers = calloc(s->count, sizeof *s->workers);
    if (s->workers == NULL) {
        s->count = 0;
        return -1;
    }
    for (unsigned i = 0; i < s->count; i++)
        s->workers[i].fd = -1;
    for (unsigned i = 0; i < s->count; i++) {
        struct worker *w = &s->workers[i];

        w->server = s;
        w->sched = co_sched_at(i);
        if (hands_over(l))
            w->queue = co_chan_new(sizeof(struct net_conn *), QUEUE);
        else
            w->fd = i == 0 ? l->fd : listener_add(l);
        if (w->queue == NULL && w->fd < 0)
            return -1;
    }
    return 0;
}

static int launch(struct server *s)
{
    struct co_attr attr = { .name = "net_serve" };
    bool over = hands_over(s->listener); /* which may be gone below */

    for (unsigned i = 0; i < s->count; i++) {
        attr.on = s->workers[i].sched;
        s->workers[i].co = co_spawn(worker_main, &s->workers[i], &attr);
        if (s->workers[i].co == NULL)
            return -1;
    }
    if (over) {
        attr.on = s->workers[0].sched;
        s->acceptor = co_spawn(acceptor_main, s, &attr);
        if (s->acceptor == NULL)
            return -1;
    }
    return 0;
}

/* The caller holds cancel off or is a plain thread, so this cannot fail. */
static void join(struct co **co)
{
    if (*co != NULL)
        (void)co_join(*co, CO_FOREVER);
    *co = NULL;
}

static void stop_accepting(struct server *s)
{
    atomic_store(&s->stopping, true);
    if (s->acceptor != NULL)
        co_cancel(s->acceptor);
    join(&s->acceptor);
    for (unsigned i = 0; i < s->count; i++) {
        struct worker *w = &s->workers[i];

        if (w->queue != NULL)
            co_chan_close(w->queue);
        else if (w->co != NULL)
            co_cancel(w->co);
        else if (i > 0 && w->fd >= 0) /* was never started */
            (void)co_close(w->fd);
    }
    for (unsigned i = 0; i < s->count; i++)
        join(&s->workers[i].co);
}

static void stop_handlers(struct server *s)
{
    int64_t grace = s->options.grace;
    int64_t end = co_after(grace > 0 ? grace : GRACE);

    for (unsigned i = 0; i < s->count; i++)
        (void)co_group_wait(&s->workers[i].handlers, end); /* or what is left */
    for (unsigned i = 0; i < s->count; i++)
        co_group_cancel(&s->workers[i].handlers);
    for (unsigned i = 0; i < s->count; i++) {
        (void)co_group_wait(&s->workers[i].handlers, CO_FOREVER);
        co_chan_free(s->workers[i].queue);
    }
}

static int serve(struct net_listener *l, net_handler *handler, void *arg)
{
    struct server s = {
        .listener = l, .options = l->options, .handler = handler, .arg = arg
    };
    bool held;
    int err = 0;

    if (prepare(&s) < 0 || launch(&s) < 0)
        err = errno;
    else if (co_sem_wait(&s.failed, CO_FOREVER) == 0)
        err = atomic_load(&s.err);
    else if (errno != ECANCELED)
        err = errno;
    held = co_hold_cancel(true);
    stop_accepting(&s);
    net_listener_close(s.listener); /* when it was never accepted from */
    stop_handlers(&s);
    free(s.workers);
    (void)co_hold_cancel(held);
    errno = err;
    return err == 0 ? 0 : -1;
}

/* net_serve() on a plain thread: a coroutine does it, which is cancelled when
 * the runtime is shut down. */
struct thread_call {
    struct net_listener *l;
    net_handler *handler;
    void *arg;
    int err;
    struct co_sem done;
};

static void serve_for_thread(void *arg)
{
    struct thread_call *t = arg;

    t->err = serve(t->l, t->handler, t->arg) < 0 ? errno : 0;
    co_sem_post(&t->done);
}

int net_serve(struct net_listener *l, net_handler *handler, void *arg)
{
    struct thread_call t = { .l = l, .handler = handler, .arg = arg };

    if (l == NULL)
        return -1;
    if (co_self() != NULL)
        return serve(l, handler, arg);
    if (co_go(serve_for_thread, &t) < 0) {
        net_listener_close(l);
        return -1;
    }
    (void)co_sem_wait(&t.done, CO_FOREVER); /* nothing else ends it here */
    errno = t.err;
    return t.err == 0 ? 0 : -1;
}
