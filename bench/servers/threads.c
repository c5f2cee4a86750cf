/* threads.c - a thread per connection, which reads, answers and blocks as it
 * likes.
 *
 * Each has a stack of 64 KiB, so that 10,000 of them fit into memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/blocking.h"
#include "bench/servers/kit/loop.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024, NAP_US = 10000 };

struct client {
    const struct service *service;
    int fd;
};

static void *serve(void *arg)
{
    struct client c = *(struct client *)arg;

    free(arg);
    blocking_serve(c.service, c.fd);
    return NULL;
}

static int start(const pthread_attr_t *attr, const struct service *s, int fd)
{
    struct client *c = malloc(sizeof *c);
    pthread_t thread;

    if (c == NULL)
        return -1;
    *c = (struct client){ .service = s, .fd = fd };
    errno = pthread_create(&thread, attr, serve, c);
    if (errno == 0)
        return 0;
    free(c);
    return -1;
}

int main(int argc, char **argv)
{
    struct service s = { .name = "threads" };
    pthread_attr_t attr;
    int listener, fd;

    service_parse(&s, argc, argv);
    listener = service_listen(&s, 0);
    if (listener < 0 || service_ready(listener) < 0)
        return service_failed(&s, s.addr);
    if (pthread_attr_init(&attr) != 0 ||
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) != 0 ||
        pthread_attr_setstacksize(&attr, STACK_BYTES) != 0)
        return service_failed(&s, "a thread");
    for (;;) {
        fd = loop_accept(listener);
        if (fd >= 0 && start(&attr, &s, fd) == 0)
            continue;
        if (fd >= 0)
            (void)close(fd);
        (void)usleep(NAP_US); /* too many, until some leave */
    }
}
