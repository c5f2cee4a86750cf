/* timens.c - runs a program where the monotonic clock reads something else.
 *
 *   timens +SECONDS PROGRAM ...     so much ahead of what it is
 *   timens SECONDS PROGRAM ...      this value, as so long after boot
 *
 * It is a namespace of its own; the rest of the machine notices nothing.  Exits
 * as the program does; 77 where namespaces are not permitted.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int skip(const char *what)
{
    fprintf(stderr, "skipped: no time namespace here: %s: %s\n", what,
            strerror(errno));
    return 77;
}

static long long offset(clockid_t clock, const char *wanted)
{
    struct timespec now;

    if (*wanted == '+')
        return atoll(wanted + 1);
    (void)clock_gettime(clock, &now);
    return atoll(wanted) - now.tv_sec;
}

static int set_offsets(const char *wanted)
{
    char text[128];
    int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    int len = snprintf(text, sizeof text, "monotonic %lld 0\nboottime %lld 0\n",
                       offset(CLOCK_MONOTONIC, wanted),
                       offset(CLOCK_BOOTTIME, wanted));
    ssize_t n;

    if (fd < 0)
        return -1;
    n = write(fd, text, (size_t)len);
    (void)close(fd);
    return n == len ? 0 : -1;
}

int main(int argc, char **argv)
{
    int status;
    pid_t child;

    if (argc < 3) {
        fprintf(stderr, "usage: timens [+]SECONDS PROGRAM ...\n");
        return 2;
    }
    /* Who is not root may in a user namespace, perhaps. */
    if (unshare(CLONE_NEWTIME) < 0 &&
        unshare(CLONE_NEWUSER | CLONE_NEWTIME) < 0)
        return skip("unshare");
    if (set_offsets(argv[1]) < 0)
        return skip("/proc/self/timens_offsets");
    child = fork(); /* children are in it, not we */
    if (child < 0)
        return skip("fork");
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return 1;
    if (WIFSIGNALED(status))
        (void)raise(WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
