/* blocking.c - see blocking.h.  Calls of libc that block, and nothing else.
 *
 * The buffers come from malloc(): of those, a connection touches only as much
 * as it uses, where a stack frame is probed page by page.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/blocking.h"
#include "bench/servers/kit/answer.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct buffers {
    struct answer answer;
    size_t len; /* of in */
    char in[2 * ANSWER_READ];
    char out[ANSWER_OUT];
};

static bool send_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* Answers what is whole of the bytes in b->in, and moves the rest there. */
static bool respond(struct buffers *b, int fd)
{
    struct answer_turn turn;
    size_t at = 0;

    for (; at < b->len; at += turn.used) {
        if (!answer(&b->answer, b->in + at, b->len - at, b->out, &turn))
            return false;
        if (turn.used == 0)
            break;
        if (turn.heavy)
            service_work(b->answer.service);
        if (!send_all(fd, turn.out, turn.len))
            return false;
    }
    b->len -= at;
    memmove(b->in, b->in + at, b->len);
    return true;
}

static void serve(struct buffers *b, int fd)
{
    for (;;) {
        ssize_t n = recv(fd, b->in + b->len, ANSWER_READ, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        b->len += (size_t)n;
        if (!respond(b, fd))
            return;
    }
}

void blocking_serve(const struct service *s, int fd)
{
    struct timeval limit = { .tv_sec = s->idle_s };
    struct buffers *b = malloc(sizeof *b);

    service_no_delay(fd);
    if (b != NULL &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0) {
        b->answer = (struct answer){ .service = s };
        b->len = 0;
        serve(b, fd);
    }
    free(b);
    (void)close(fd);
}
