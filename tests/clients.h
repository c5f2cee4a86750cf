/* clients.h - what the tests of other people's client libraries share.
 *
 * Each test runs twice: on plain threads, where the hooks must do nothing, and
 * in coroutines of one scheduler.  What a library does must be the same.
 * tests/servers.py starts the program, with the addresses of the servers in the
 * environment.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_CLIENTS_H
#define TESTS_CLIENTS_H

#include "co/co.h"
#include "co/hook.h"
#include "tests/test.h"
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

/* The thread sanitizer does not see by what libraries that were built without
 * it keep their threads apart. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libcrypto.so\nrace:libssl.so\nrace:libmariadb.so\n"
           "race:libhiredis.so\nrace:libcurl.so\nrace:libpq.so\n"
           "race:libgnutls.so\n";
}

static bool in_coroutines;

/* Runs fn with each of the n elements of args at once, and waits for all. */
static inline void at_once(co_fn *fn, void *args, size_t size, int n)
{
    struct co_group group = { 0 };
    pthread_t threads[256];

    CHECK(n <= 256);
    for (int i = 0; i < n; i++) {
        void *arg = (char *)args + (size_t)i * size;

        if (in_coroutines)
            CHECK_EQ(co_group_go(&group, fn, arg), 0);
        else
            CHECK_EQ(pthread_create(&threads[i], NULL,
                                    (void *(*)(void *))(void *)fn, arg),
                     0);
    }
    if (in_coroutines)
        CHECK_EQ(co_group_wait(&group, CO_FOREVER), 0);
    for (int i = 0; !in_coroutines && i < n; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

/* A port where whoever connects never hears anything: the kernel accepts. */
static inline int silent_port(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&addr, len), 0);
    CHECK_EQ(listen(fd, 100), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    return ntohs(addr.sin_port);
}

/* A bound well above what is expected; under valgrind all takes longer. */
static inline void check_within(int64_t begin, int64_t bound)
{
    CHECK(co_now() - begin < (under_valgrind() ? 20 * bound : bound));
}

/* In a coroutine: fn(arg) would wait for much longer than after, but ends then,
 * by a limit or by co_cancel().  How long it took. */
static inline int64_t time_to_end(co_fn *fn, void *arg, bool cancel,
                                  int64_t after)
{
    int64_t begin = co_now(), took;

    if (cancel) {
        struct co *c = co_spawn(fn, arg, NULL);

        CHECK(c != NULL);
        CHECK_EQ(co_sleep_until(begin + after), 0);
        co_cancel(c);
        CHECK_EQ(co_join(c, CO_FOREVER), 0);
    } else {
        int64_t old = co_limit_deadline(begin + after);

        fn(arg);
        co_restore_deadline(old);
    }
    took = co_now() - begin;
    CHECK(took >= after);
    return took;
}

struct ending {
    co_fn *fn;
    void *arg;
    bool cancel;
};

/* For at_once(). */
static inline void ends_in_time(void *arg)
{
    struct ending *e = arg;

    CHECK(time_to_end(e->fn, e->arg, e->cancel, CO_SECOND) < 10 * CO_SECOND);
}

static inline const char *server_text(const char *name)
{
    const char *value = getenv(name);

    CHECK(value != NULL);
    return value;
}

static inline int server_port(const char *name)
{
    return atoi(server_text(name));
}

static inline void print_unbound(const char *name, const char *object,
                                 void *arg)
{
    (void)arg;
    fprintf(stderr, "    %s is that of %s\n", name, object);
}

static inline void root_of_clients(void *tests) { (*(void (**)(void))tests)(); }

/* main() of such a test. */
static inline int run_clients(void (*tests)(void))
{
    if (getenv("SERVERS") == NULL) {
        printf("skipped: tests/servers.py runs this\n");
        return 77;
    }
    fprintf(stderr, " on threads\n");
    tests();
    fprintf(stderr, " in coroutines\n");
    in_coroutines = true;
    CHECK_EQ(co_hook_selftest(print_unbound, NULL), 0);
    CHECK_EQ(
        co_run(root_of_clients, &tests, &(struct co_config){ .schedulers = 1 }),
        0);
    return 0;
}

#endif
