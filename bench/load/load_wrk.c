/* load_wrk.c - see load_wrk.h.
 *
 * wrk knows whole seconds only, but at SIGINT it ends as when its time is over,
 * and says what it has measured.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/load_wrk.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MSEC INT64_C(1000000)

enum { PATIENCE_SECONDS = 20 };

/* In the new process; never returns. */
static void become_wrk(const struct wrk *wrk, const struct sockaddr_in *addr,
                       pid_t parent, int out)
{
    char url[64], conns[16], depth[16], files[16], host[INET_ADDRSTRLEN];

    (void)inet_ntop(AF_INET, &addr->sin_addr, host, sizeof host);
    (void)snprintf(url, sizeof url, "http://%s:%u", host,
                   ntohs(addr->sin_port));
    (void)snprintf(conns, sizeof conns, "%u", wrk->conns);
    (void)snprintf(depth, sizeof depth, "%u", wrk->depth);
    (void)snprintf(files, sizeof files, "%u", wrk->files);
    /* The signal asked for does not come when the parent is gone already. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
        signal(SIGINT, SIG_DFL) != SIG_ERR && dup2(out, STDOUT_FILENO) >= 0)
        (void)execlp("wrk", "wrk", "-t1", "-c", conns, "-d3600s", "-s",
                     wrk->script, url, "--", depth, conns, files, (char *)NULL);
    perror("wrk");
    _exit(127);
}

/* Whether it catches SIGINT by now. */
static bool is_ready(pid_t pid)
{
    unsigned long caught = 0;
    char path[64], line[128];
    FILE *f;

    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "SigCgt: %lx", &caught) == 1)
            break;
    if (f != NULL)
        (void)fclose(f); /* was only read */
    return (caught >> (SIGINT - 1) & 1) != 0;
}

/* What it says until its end, which is asked for after the duration, and again
 * each second: a signal right before wrk goes to sleep does not wake it.  0, or
 * -1. */
static int listen_to(pid_t pid, int fd, int64_t duration, char *text,
                     size_t size)
{
    int patience = PATIENCE_SECONDS, wait_ms = (int)(duration / MSEC);
    size_t len = 0;

    for (int i = 0; !is_ready(pid) && i < PATIENCE_SECONDS * 1000; i++)
        (void)usleep(1000);
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int ready = poll(&p, 1, wait_ms);
        ssize_t n;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0 || (ready == 0 && patience-- == 0) || len == size - 1)
            return -1;
        if (ready == 0) {
            (void)kill(pid, SIGINT); /* ours, and not reaped */
            wait_ms = 1000;
            continue;
        }
        n = read(fd, text + len, size - 1 - len);
        if (n <= 0)
            return n < 0 ? -1 : 0;
        len += (size_t)n;
        text[len] = '\0';
    }
}

/* 0, or -1 after a word about it. */
static int understand(const char *text, struct wrk_result *r)
{
    const char *line = strstr(text, "\nresult ");
    unsigned long requests, errors;
    long us, spent, p50, p99;

    if (line == NULL ||
        sscanf(line, " result %lu %ld %ld %ld %ld %lu", &requests, &us, &spent,
               &p50, &p99, &errors) != 6) {
        fprintf(stderr, "wrk said: %s\n", text);
    } else if (errors > 0) {
        fprintf(stderr, "wrk: %lu requests, %lu errors\n", requests, errors);
    } else {
        r->requests = requests;
        r->elapsed = us * INT64_C(1000);
        r->cpu -= spent * INT64_C(1000); /* after the end */
        r->p50_ms = (double)p50 / 1e3;
        r->p99_ms = (double)p99 / 1e3;
        return 0;
    }
    errno = EPROTO;
    return -1;
}

static int64_t ns_of(struct timeval t)
{
    return t.tv_sec * INT64_C(1000000000) + t.tv_usec * INT64_C(1000);
}

int wrk_run(const struct wrk *wrk, const struct sockaddr_in *addr,
            int64_t duration, struct wrk_result *result)
{
    pid_t parent = getpid(), pid;
    char text[4096] = "";
    struct rusage usage;
    int fds[2], said, status = 0;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        become_wrk(wrk, addr, parent, fds[1]);
    (void)close(fds[1]);
    said = pid < 0 ? -1 : listen_to(pid, fds[0], duration, text, sizeof text);
    (void)close(fds[0]);
    if (pid < 0)
        return -1;
    if (said < 0)
        (void)kill(pid, SIGKILL);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    result->cpu = ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
    if (said == 0 && status == 0)
        return understand(text, result);
    fprintf(stderr, "wrk ended badly, status 0x%x: %s\n", (unsigned)status,
            text);
    errno = EPROTO;
    return -1;
}
