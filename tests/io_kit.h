/* io_kit.h - descriptors of every kind, in pairs, for the tests of descriptors.
 *
 * What is made here is made by plain system calls, in blocking mode, so it is
 * foreign to corten, unless the name says own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_IO_KIT_H
#define TESTS_IO_KIT_H

#include "co/co.h"
#include "tests/test.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/un.h>
#include <unistd.h>

#define KIT_LONG (20 * CO_SECOND) /* nothing takes so long unless it hangs */

/* The thread sanitizer takes a close of a number that another thread uses for a
 * race.  It is one, and what these tests are about; close() and dup2() touch no
 * memory of ours, so nothing else is hidden. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:interceptor_close$\nrace:interceptor_dup2$\n";
}

static inline void *kit_pointer(int n) { return (void *)(intptr_t)n; }
static inline int kit_int(void *p) { return (int)(intptr_t)p; }

static inline struct sockaddr_in kit_name(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;

    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return a;
}

static inline void kit_bind(int fd)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
}

static inline int kit_listen(bool own, int backlog)
{
    int fd = own ? co_socket(AF_INET, SOCK_STREAM, 0)
                 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    kit_bind(fd);
    CHECK_EQ(listen(fd, backlog), 0);
    return fd;
}

/* fds[0] and fds[1] are connected. */
static inline void kit_tcp(int fds[2])
{
    int listener = kit_listen(false, 1);
    struct sockaddr_in a = kit_name(listener);

    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(test_connect(fds[1], (struct sockaddr *)&a, sizeof a), 0);
    fds[0] = TEMP_FAILURE_RETRY(accept(listener, NULL, NULL));
    CHECK(fds[0] >= 0);
    CHECK_EQ(close(listener), 0);
}

/* [waits] */
static inline void kit_tcp_own(int fds[2])
{
    int listener = kit_listen(true, 1);
    struct sockaddr_in a = kit_name(listener);

    fds[1] = co_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(
        co_connect(fds[1], (struct sockaddr *)&a, sizeof a, co_after(KIT_LONG)),
        0);
    fds[0] = co_accept(listener, NULL, NULL, co_after(KIT_LONG));
    CHECK(fds[0] >= 0);
    CHECK_EQ(co_close(listener), 0);
}

static inline void kit_udp(int fds[2])
{
    struct sockaddr_in a[2];

    for (int i = 0; i < 2; i++) {
        fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        kit_bind(fds[i]);
        a[i] = kit_name(fds[i]);
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQ(test_connect(fds[i], (struct sockaddr *)&a[!i], sizeof a[!i]),
                 0);
}

static inline void kit_close(int fds[2])
{
    CHECK_EQ(co_close(fds[0]), 0);
    if (fds[1] != fds[0])
        CHECK_EQ(co_close(fds[1]), 0);
}

/* ---- On both sides: in a coroutine, and on a plain thread. ----------------
 */

static inline void *kit_thread(void *arg)
{
    void **call = arg;

    ((void (*)(void *))(uintptr_t)call[0])(call[1]);
    return NULL;
}

/* Runs fn(arg) on a plain thread, and waits for it; the runtime is up. */
static inline void kit_on_thread(co_fn *fn, void *arg)
{
    void *call[2] = { (void *)(uintptr_t)fn, arg };
    pthread_t t;

    CHECK_EQ(pthread_create(&t, NULL, kit_thread, call), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
}

/* Runs fn(arg) as a coroutine, then on a plain thread, with the runtime up. */
static inline void kit_both(co_fn *fn, void *arg)
{
    struct co_config config = { .schedulers = 2 };
    struct co *c;

    CHECK_EQ(co_start(&config), 0);
    CHECK((c = co_spawn(fn, arg, NULL)) != NULL);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    kit_on_thread(fn, arg);
    CHECK_EQ(co_shutdown(co_after(KIT_LONG)), 0);
}

#endif
