/* load_hold.c - see load_hold.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/load_hold.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 10 };

static const char request[] = "GET /greet/corten HTTP/1.1\r\n"
                              "Host: 127.0.0.1\r\n\r\n";

static int connect_to(const struct sockaddr_in *addr)
{
    /* Closing with a reset leaves no port in TIME_WAIT. */
    static const struct linger reset = { .l_onoff = 1 };
    static const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ==
            0 &&
        connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0)
        return fd;
    err = errno;
    (void)close(fd);
    errno = err;
    return -1;
}

/* The bytes of the answer that begins in text, 0 as long as its head does. */
static size_t answer_bytes(const char *text)
{
    static const char field[] = "\r\nContent-Length: ";
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, field);

    if (end == NULL || length == NULL || length > end)
        return 0;
    return (size_t)(end + 4 - text) + (size_t)atol(length + sizeof field - 1);
}

static int ask(int fd, char *answer, size_t size)
{
    size_t len = 0;

    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) !=
        (ssize_t)sizeof request - 1)
        return -1;
    do {
        ssize_t n = recv(fd, answer + len, size - 1 - len, 0);

        if (n < 0)
            return -1;
        if (n == 0) { /* the end, or no more room */
            errno = EPROTO;
            return -1;
        }
        len += (size_t)n;
        answer[len] = '\0';
    } while (answer_bytes(answer) == 0 || len < answer_bytes(answer));
    return 0;
}

int hold_one(const struct sockaddr_in *addr, int *fd, char *answer, size_t size)
{
    int err;

    *fd = connect_to(addr);
    if (*fd < 0)
        return -1;
    if (ask(*fd, answer, size) == 0)
        return 0;
    err = errno;
    (void)close(*fd);
    errno = err;
    return -1;
}

int hold_open(const struct sockaddr_in *addr, int *fds, unsigned count)
{
    char answer[1024];

    for (unsigned i = 0; i < count; i++)
        if (hold_one(addr, &fds[i], answer, sizeof answer) < 0) {
            int err = errno;

            hold_close(fds, i);
            errno = err;
            return -1;
        }
    return 0;
}

void hold_close(const int *fds, unsigned count)
{
    while (count > 0)
        (void)close(fds[--count]);
}
