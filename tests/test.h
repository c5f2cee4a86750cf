/* test.h - what every test program uses.
 *
 * A test is a process: it exits 0 when all its checks held, and prints what
 * failed and where otherwise; 77 says that it does not apply here.  ctest gives
 * it a time limit.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: CHECK failed: %s (errno %d: %s)\n",        \
                    __FILE__, __LINE__, #cond, errno, strerror(errno));        \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

/* Both sides are integers; prints them when they differ. */
#define CHECK_EQ(a, b)                                                         \
    do {                                                                       \
        long long test_a = (long long)(a), test_b = (long long)(b);            \
        if (test_a != test_b) {                                                \
            fprintf(stderr,                                                    \
                    "%s:%d: CHECK_EQ failed: %s is %lld, %s is %lld "          \
                    "(errno %d: %s)\n",                                        \
                    __FILE__, __LINE__, #a, test_a, #b, test_b, errno,         \
                    strerror(errno));                                          \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

#define RUN(fn)                                                                \
    do {                                                                       \
        fprintf(stderr, "  %s\n", #fn);                                        \
        fn();                                                                  \
    } while (0)

/* fork(2), but the child does not outlive its parent: a test that is ended by
 * its time limit leaves nobody behind. */
static inline pid_t test_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

/* connect(2) of a descriptor that blocks.  A signal can interrupt it; it then
 * goes on in the background, and calling it again would say so. */
static inline int test_connect(int fd, const struct sockaddr *addr,
                               socklen_t len)
{
    struct pollfd p = { fd, POLLOUT, 0 };
    int err = 0;

    if (connect(fd, addr, len) == 0)
        return 0;
    if (errno != EINTR || TEMP_FAILURE_RETRY(poll(&p, 1, -1)) != 1)
        return -1;
    len = sizeof err;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
        return -1;
    errno = err;
    return err == 0 ? 0 : -1;
}

static inline long long test_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Sleeps on, however many signals come; not less than that. */
static inline void test_sleep_ms(int ms)
{
    long long end = test_now_ms() + ms + 1, left;

    while ((left = end - test_now_ms()) > 0)
        (void)poll(NULL, 0, (int)left);
}

/* Whether fd is readable within that time, however many signals come. */
static inline bool test_readable(int fd, int ms)
{
    struct pollfd p = { fd, POLLIN, 0 };
    long long end = test_now_ms() + ms;
    int n;

    do {
        long long left = end - test_now_ms();

        n = poll(&p, 1, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    return n == 1;
}

/* tests/under/storm.c interrupts each thread all the time: then wake-ups cannot
 * be counted. */
static inline bool under_storm(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload != NULL && strstr(preload, "storm") != NULL;
}

/* It reports what some tests do on purpose, and makes everything slow. */
static inline bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload != NULL && strstr(preload, "valgrind") != NULL;
}

/* How many rounds to do of a test whose full count is n: CORTEN_TEST_SCALE is
 * the share (1 is --full, the default is 0.1, sanitizers take less), at least
 * 1. */
static inline long test_count(long n)
{
    const char *scale = getenv("CORTEN_TEST_SCALE");
    double share = scale != NULL && *scale ? atof(scale) : 0.1;
    long count = (long)((double)n * share);

    return count < 1 ? 1 : count;
}

#endif
