/* child.h - runs a function in a child process and keeps what it said: for
 * tests of what ends in a report, or in a death.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

#include "tests/test.h"
#include <sys/wait.h>

static char said[256 * 1024]; /* by the last child, on stderr */
static int status;            /* and how it ended */

/* Where there is too much, the library's report is kept and what others said
 * before, or long after, is not. */
static inline size_t child_make_room(size_t len)
{
    const char *report;
    size_t from = sizeof said / 2;

    said[len] = '\0';
    if ((report = strstr(said, "corten: ")) == said)
        return from;
    if (report != NULL)
        from = (size_t)(report - said);
    memmove(said, said + from, len - from);
    return len - from;
}

/* What the child says is read until nobody is left who could say more. */
static inline void child_listen(int fd)
{
    size_t len = 0;
    ssize_t n;

    while ((n = TEMP_FAILURE_RETRY(
                read(fd, said + len, sizeof said - 1 - len))) > 0) {
        len += (size_t)n;
        if (len == sizeof said - 1)
            len = child_make_room(len);
    }
    said[len] = '\0';
}

static inline void run_child(void (*fn)(void))
{
    int ends[2];
    pid_t child;

    CHECK_EQ(pipe(ends), 0);
    fflush(NULL);
    child = test_fork();
    CHECK(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        fn();
        exit(0);
    }
    (void)close(ends[1]);
    child_listen(ends[0]);
    (void)close(ends[0]);
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
}

/* Others may speak on that stream, too: an emulator does. */
static inline int count(const char *what)
{
    int n = 0;

    for (const char *p = said; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

static inline void check_said(const char *what)
{
    if (strstr(said, what) == NULL) {
        fprintf(stderr, "expected \"%s\" in:\n%s", what, said);
        exit(1);
    }
}

static inline void check_killed(int sig)
{
    if (!WIFSIGNALED(status) || WTERMSIG(status) != sig) {
        fprintf(stderr, "expected signal %d, got status %x:\n%s", sig, status,
                said);
        exit(1);
    }
}

static inline void check_exit(int code)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code) {
        fprintf(stderr, "expected exit %d, got status %x:\n%s", code, status,
                said);
        exit(1);
    }
}

/* A signal's frame needs room, too.  Where none is left the kernel raises a
 * SIGSEGV without an address, which is no test of ours: on this thread the
 * storm is over. */
static inline void hold_storm(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPROF);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

#endif
