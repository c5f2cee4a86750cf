/* uring.c - an event loop over io_uring: one thread, one request in the ring
 * for all that a connection will receive, buffers that the kernel picks.
 *
 * What it saves against epoll are system calls: the sends of a whole batch of
 * requests go out with the call that waits for the next one.  Sends of a
 * connection follow each other, in a queue, which also holds what a slow peer
 * does not take; while that is long, nothing is received from it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/answer.h"
#include "bench/servers/kit/idle.h"
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ENTRIES = 4096,
    BUFFERS = 1024, /* a power of 2 */
    GROUP = 1,
    QUEUE_LONG = 16, /* chunks of one connection */
    NOT_LENT = -1,
};

enum op { ACCEPT, RECEIVE, SEND, CANCEL };

struct chunk {
    struct chunk *next;
    const char *data;
    size_t len;
    int buffer; /* lent by the kernel, or NOT_LENT: in own */
    char own[];
};

struct client {
    struct idle_member idle;
    int fd;
    bool receiving; /* has requests in the ring */
    bool sending;
    bool ended; /* the peer, or its silence */
    bool broken;
    unsigned queued;
    struct chunk *first, **last;
    size_t rest_len;
    char *rest; /* of a request, or NULL */
};

static struct service service = { .name = "uring" };
static struct answer answers = { .service = &service };
static struct idle idle;
static struct io_uring ring;
static struct io_uring_buf_ring *lent;
static char (*buffers)[ANSWER_READ];
static int listener;

static _Noreturn void die(const char *what)
{
    exit(service_failed(&service, what));
}

static struct io_uring_sqe *entry(void)
{
    struct io_uring_sqe *e = io_uring_get_sqe(&ring);

    if (e == NULL) {
        (void)io_uring_submit(&ring);
        e = io_uring_get_sqe(&ring);
    }
    if (e == NULL)
        die("io_uring_get_sqe");
    return e;
}

/* After the request was prepared; its kind goes into the low bits of who. */
static void tag(struct io_uring_sqe *e, enum op op, void *who)
{
    io_uring_sqe_set_data64(e, (uint64_t)(uintptr_t)who | op);
}

static void give_back(int buffer)
{
    io_uring_buf_ring_add(lent, buffers[buffer], ANSWER_READ,
                          (unsigned short)buffer,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(lent, 1);
}

static void accept_more(void)
{
    struct io_uring_sqe *e = entry();

    io_uring_prep_multishot_accept(e, listener, NULL, NULL, SOCK_CLOEXEC);
    tag(e, ACCEPT, NULL);
}

static void receive_more(struct client *c)
{
    struct io_uring_sqe *e = entry();

    io_uring_prep_recv_multishot(e, c->fd, NULL, 0, 0);
    e->flags |= IOSQE_BUFFER_SELECT;
    e->buf_group = GROUP;
    tag(e, RECEIVE, c);
    c->receiving = true;
}

/* ---- Sending ------------------------------------------------------------- */

static void send_first(struct client *c)
{
    struct io_uring_sqe *e = entry();

    io_uring_prep_send(e, c->fd, c->first->data, c->first->len, MSG_NOSIGNAL);
    tag(e, SEND, c);
    c->sending = true;
}

static struct chunk *chunk_new(size_t own)
{
    struct chunk *k = malloc(sizeof *k + own);

    if (k == NULL)
        die("malloc");
    k->next = NULL;
    k->buffer = NOT_LENT;
    k->data = k->own;
    k->len = 0;
    return k;
}

static void enqueue(struct client *c, struct chunk *k)
{
    *c->last = k;
    c->last = &k->next;
    c->queued++;
}

static void dequeue(struct client *c)
{
    struct chunk *k = c->first;

    c->first = k->next;
    if (c->first == NULL)
        c->last = &c->first;
    c->queued--;
    if (k->buffer != NOT_LENT)
        give_back(k->buffer);
    free(k);
}

/* When nothing of it is in the ring any more. */
static void end(struct client *c)
{
    while (c->first != NULL)
        dequeue(c);
    idle_leave(&c->idle);
    (void)close(c->fd);
    free(c->rest);
    free(c);
}

/* What follows from its state, after something has changed. */
static void go_on(struct client *c)
{
    if (c->sending)
        return;
    if (c->first != NULL && !c->broken)
        send_first(c);
    else if ((c->ended || c->broken) && !c->receiving)
        end(c);
    else if (!c->receiving)
        receive_more(c);
}

static void sent(struct client *c, int result)
{
    c->sending = false;
    if (result < 0) {
        c->broken = true;
        (void)shutdown(c->fd, SHUT_RDWR); /* ends the receiving */
    } else if ((size_t)result < c->first->len) {
        c->first->data += result;
        c->first->len -= (size_t)result;
    } else {
        dequeue(c);
    }
    go_on(c);
}

/* ---- Answering ----------------------------------------------------------- */

static void echo(struct client *c, int buffer, size_t len)
{
    struct chunk *k = chunk_new(0);

    if (buffers[buffer][0] == '!')
        service_work(&service);
    k->data = buffers[buffer];
    k->len = len;
    k->buffer = buffer;
    enqueue(c, k);
}

/* Keeps what is left of a request; false for too much. */
static bool keep(struct client *c, const char *p, size_t len)
{
    if (len > 0 && c->rest == NULL)
        c->rest = malloc(ANSWER_READ);
    if (len > ANSWER_READ || (len > 0 && c->rest == NULL))
        return false;
    if (len > 0)
        memcpy(c->rest, p, len);
    c->rest_len = len;
    return true;
}

static bool respond(struct client *c, const char *data, size_t len)
{
    static char in[2 * ANSWER_READ];
    struct answer_turn turn;
    size_t had = c->rest_len, at = 0;

    if (had > 0)
        memcpy(in, c->rest, had);
    memcpy(in + had, data, len);
    for (; at < had + len; at += turn.used) {
        struct chunk *k = chunk_new(ANSWER_OUT);
        bool good = answer(&answers, in + at, had + len - at, k->own, &turn);

        if (!good || turn.used == 0) {
            free(k);
            if (!good)
                return false;
            break;
        }
        if (turn.heavy)
            service_work(&service);
        k->len = turn.len;
        enqueue(c, k);
    }
    return keep(c, in + at, had + len - at);
}

static void received(struct client *c, const struct io_uring_cqe *cqe)
{
    int buffer = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);

    c->receiving = cqe->flags & IORING_CQE_F_MORE;
    idle_touch(&idle, &c->idle);
    if (cqe->res > 0 && !service.http) {
        echo(c, buffer, (size_t)cqe->res);
    } else if (cqe->res > 0) {
        if (!c->ended && !respond(c, buffers[buffer], (size_t)cqe->res)) {
            c->ended = true;
            (void)shutdown(c->fd, SHUT_RD);
        }
        give_back(buffer);
    } else if (cqe->res != -ENOBUFS && cqe->res != -ECANCELED) {
        c->ended = true;
    }
    if (c->queued == QUEUE_LONG && c->receiving) {
        struct io_uring_sqe *e = entry();

        io_uring_prep_cancel64(e, (uint64_t)(uintptr_t)c | RECEIVE, 0);
        tag(e, CANCEL, NULL);
    }
    go_on(c);
}

static void accepted(const struct io_uring_cqe *cqe)
{
    struct client *c = cqe->res < 0 ? NULL : calloc(1, sizeof *c);

    if (c != NULL) {
        c->fd = cqe->res;
        c->last = &c->first;
        service_no_delay(c->fd);
        idle_join(&idle, &c->idle);
        receive_more(c);
    } else if (cqe->res >= 0) {
        (void)close(cqe->res);
    }
    /* Out of descriptors the listener is asked again, until some leave. */
    if (!(cqe->flags & IORING_CQE_F_MORE))
        accept_more();
}

/* ---- The loop ------------------------------------------------------------ */

static void complete(const struct io_uring_cqe *cqe)
{
    uint64_t data = io_uring_cqe_get_data64(cqe);
    struct client *c = (struct client *)(uintptr_t)(data & ~UINT64_C(3));

    switch (data & 3) {
    case ACCEPT:
        accepted(cqe);
        break;
    case RECEIVE:
        received(c, cqe);
        break;
    case SEND:
        sent(c, cqe->res);
        break;
    default: /* a cancel, whose effect the other's end tells */
        break;
    }
}

static void end_idle(void)
{
    struct client *c;

    while ((c = idle_expired(&idle)) != NULL) {
        idle_touch(&idle, &c->idle);
        (void)shutdown(c->fd, SHUT_RDWR);
    }
}

static void turn(void)
{
    int64_t ms = idle_wait(&idle);
    struct __kernel_timespec t = { .tv_sec = ms / 1000,
                                   .tv_nsec = ms % 1000 * 1000000 };
    struct io_uring_cqe *cqe;
    unsigned head, n = 0;

    (void)io_uring_submit_and_wait_timeout(&ring, &cqe, 1, ms < 0 ? NULL : &t,
                                           NULL);
    idle_clock(&idle);
    io_uring_for_each_cqe(&ring, head, cqe)
    {
        complete(cqe);
        n++;
    }
    io_uring_cq_advance(&ring, n);
    end_idle();
}

static void prepare(void)
{
    struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER |
                                               IORING_SETUP_DEFER_TASKRUN };
    struct io_uring_buf_reg reg = { .ring_entries = BUFFERS, .bgid = GROUP };

    if ((errno = -io_uring_queue_init_params(ENTRIES, &ring, &params)) != 0)
        die("io_uring");
    buffers = malloc(sizeof(*buffers) * BUFFERS);
    errno = posix_memalign((void **)&lent, 4096,
                           BUFFERS * sizeof(struct io_uring_buf));
    if (buffers == NULL || errno != 0)
        die("malloc");
    reg.ring_addr = (uint64_t)(uintptr_t)lent;
    if ((errno = -io_uring_register_buf_ring(&ring, &reg, 0)) != 0)
        die("io_uring's buffers");
    io_uring_buf_ring_init(lent);
    for (int i = 0; i < BUFFERS; i++)
        give_back(i);
}

int main(int argc, char **argv)
{
    service_parse(&service, argc, argv);
    service_never_blocks(&service);
    listener = service_listen(&service, 0);
    if (listener < 0)
        return service_failed(&service, service.addr);
    prepare();
    idle_init(&idle, service.idle_s);
    accept_more();
    if (service_ready(listener) < 0)
        return service_failed(&service, service.addr);
    for (;;)
        turn();
}
