/* child.c - see child.h.  A child is known by its pid from fork until it is
 * reaped, so the number cannot come to mean another process.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/child.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 10000, STOP_MS = 15000 };

int child_pin_self(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

/* In the new process; never returns. */
static void become(char *const argv[], int core, pid_t parent, int out)
{
    /* The signal asked for does not come when the parent is gone already. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
        child_pin_self(core) == 0 && dup2(out, STDOUT_FILENO) >= 0)
        (void)execv(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

/* Reads the line that names the address.  0, or -1. */
static int read_address(int fd, struct sockaddr_in *addr)
{
    char line[128];
    char host[64];
    unsigned short port;
    size_t len = 0;

    while (len == 0 || line[len - 1] != '\n') {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n = 0;

        if (len < sizeof line - 1 && poll(&p, 1, START_MS) > 0)
            n = read(fd, line + len, sizeof line - 1 - len);
        if (n <= 0) {
            errno = EPROTO;
            return -1;
        }
        len += (size_t)n;
    }
    line[len] = '\0';
    memset(addr, 0, sizeof *addr);
    addr->sin_family = AF_INET;
    if (sscanf(line, "listening on %63[0-9.]:%hu", host, &port) != 2 ||
        inet_pton(AF_INET, host, &addr->sin_addr) != 1) {
        errno = EPROTO;
        return -1;
    }
    addr->sin_port = htons(port);
    return 0;
}

int child_start(struct child *c, char *const argv[], int core)
{
    pid_t parent = getpid();
    int fds[2];
    int started;

    c->pid = 0;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    c->pid = fork();
    if (c->pid == 0)
        become(argv, core, parent, fds[1]);
    (void)close(fds[1]);
    started = c->pid > 0 ? read_address(fds[0], &c->addr) : -1;
    (void)close(fds[0]);
    if (started < 0) {
        int err = errno;

        /* Its end says nothing new about why it did not start. */
        (void)child_stop(c);
        errno = err;
    }
    return started;
}

/* 0 once the child can be reaped, -1 when that took too long. */
static int wait_for_end(pid_t pid)
{
    struct pollfd p = { .events = POLLIN };
    int n;

    p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (p.fd < 0)
        return -1;
    do
        n = poll(&p, 1, STOP_MS);
    while (n < 0 && errno == EINTR);
    (void)close(p.fd);
    return n > 0 ? 0 : -1;
}

int child_stop(struct child *c)
{
    int status = 0;

    if (c->pid <= 0)
        return 0;
    /* Neither signal can fail: the child is ours, and not reaped. */
    (void)kill(c->pid, SIGTERM);
    if (wait_for_end(c->pid) < 0) {
        fprintf(stderr, "the server ignored SIGTERM for %d s\n",
                STOP_MS / 1000);
        (void)kill(c->pid, SIGKILL);
    }
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    c->pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int64_t child_cpu(const struct child *c)
{
    struct timespec t;
    clockid_t clock;

    if (clock_getcpuclockid(c->pid, &clock) != 0 ||
        clock_gettime(clock, &t) < 0)
        return -1;
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t child_rss(const struct child *c)
{
    char path[64];
    char line[128];
    int64_t kib = -1;
    FILE *f;

    /* Summed up from the page tables; statm may lag behind by some pages. */
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)c->pid);
    f = fopen(path, "re");
    if (f == NULL)
        return -1;
    while (kib < 0 && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "Rss: %ld", &kib) != 1)
            kib = -1;
    (void)fclose(f);
    return kib < 0 ? -1 : kib * 1024;
}
