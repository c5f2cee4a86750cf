/* account.c - see account.h.
 *
 * The processor time comes from the clocks of the processes, which are exact
 * and know threads that have ended; switches have to be asked of each thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/account.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Reads a file in /proc as a string.  How long it is, or -1. */
__attribute__((format(printf, 3, 4))) static ssize_t read_text(
    char *text, size_t size, const char *format, ...)
{
    char path[128];
    va_list args;
    ssize_t n;
    int fd;

    va_start(args, format);
    (void)vsnprintf(path, sizeof path, format, args);
    va_end(args);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    n = read(fd, text, size - 1);
    (void)close(fd); /* was only read */
    if (n >= 0)
        text[n] = '\0';
    return n;
}

/* The number behind a line's name, or -1. */
static double field(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at == NULL ? -1 : strtod(at + strlen(name), NULL);
}

/* ---- Which processes ----------------------------------------------------- */

struct kin {
    pid_t pid, parent;
};

static pid_t parent_of(pid_t pid)
{
    char text[512];
    const char *at;

    /* The name, in brackets, may hold anything. */
    if (read_text(text, sizeof text, "/proc/%d/stat", (int)pid) < 0 ||
        (at = strrchr(text, ')')) == NULL || strlen(at) < 4)
        return -1;
    return (pid_t)atol(at + 4);
}

static size_t list_processes(struct kin **all)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    size_t count = 0, room = 0;

    *all = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid <= 0)
            continue;
        if (count == room) {
            struct kin *more = realloc(*all, (room + 256) * sizeof **all);

            if (more == NULL)
                break;
            *all = more;
            room += 256;
        }
        (*all)[count++] = (struct kin){ pid, parent_of(pid) };
    }
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

int account_open(struct account *a, pid_t pid)
{
    struct kin *all;
    size_t count;

    a->count = 0;
    if (kill(pid, 0) < 0 && errno == ESRCH)
        return -1;
    a->pids[a->count++] = pid;
    count = list_processes(&all);
    for (unsigned i = 0; i < a->count; i++)
        for (size_t k = 0; k < count && a->count < ACCOUNT_PROCESSES; k++)
            if (all[k].parent == a->pids[i])
                a->pids[a->count++] = all[k].pid;
    free(all);
    if (a->count < ACCOUNT_PROCESSES)
        return 0;
    a->count = 0; /* a part of them would be no figure */
    errno = E2BIG;
    return -1;
}

/* ---- What they cost ------------------------------------------------------ */

static double switches_of(pid_t pid)
{
    char path[64], text[4096];
    struct dirent *entry;
    double sum = 0;
    DIR *threads;

    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    threads = opendir(path);
    if (threads == NULL)
        return -1;
    while ((entry = readdir(threads)) != NULL) {
        /* A thread that has ended meanwhile is no loss. */
        if (entry->d_name[0] == '.' ||
            read_text(text, sizeof text, "/proc/%d/task/%.16s/status", (int)pid,
                      entry->d_name) < 0)
            continue;
        sum += field(text, "\nvoluntary_ctxt_switches:") +
               field(text, "nonvoluntary_ctxt_switches:");
    }
    (void)closedir(threads);
    return sum;
}

/* Of one process what it has; of several their shares. */
static double rss_of(pid_t pid, bool shares)
{
    char text[2048];
    double kib = -1;

    if (read_text(text, sizeof text, "/proc/%d/smaps_rollup", (int)pid) > 0)
        kib = field(text, shares ? "\nPss:" : "\nRss:");
    if (kib < 0 &&
        read_text(text, sizeof text, "/proc/%d/status", (int)pid) > 0)
        kib = field(text, "\nVmRSS:");
    return kib * 1024;
}

static void add(double *sum, double value)
{
    *sum = *sum < 0 || value < 0 ? -1 : *sum + value;
}

void account_look(const struct account *a, struct account_look *look)
{
    char text[4096];

    *look = (struct account_look){ 0 };
    for (unsigned i = 0; i < a->count; i++) {
        add(&look->rss, rss_of(a->pids[i], a->count > 1));
        add(&look->switches, switches_of(a->pids[i]));
        add(&look->threads,
            read_text(text, sizeof text, "/proc/%d/status", (int)a->pids[i]) < 0
                ? -1
                : field(text, "\nThreads:"));
    }
}

double account_cpu(const struct account *a)
{
    double sum = 0;

    for (unsigned i = 0; i < a->count; i++) {
        struct timespec t;
        clockid_t clock;

        if (clock_getcpuclockid(a->pids[i], &clock) != 0 ||
            clock_gettime(clock, &t) < 0)
            return -1;
        sum += (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
    }
    return sum;
}

/* The second number of a thread's schedstat. */
static int64_t waited_of(const char *text)
{
    long long cpu, waited = 0;

    return sscanf(text, "%lld %lld", &cpu, &waited) == 2 ? waited : 0;
}

double account_waited(const struct account *a, double threads)
{
    char text[128];

    if (threads > 1 ||
        read_text(text, sizeof text, "/proc/%d/schedstat", (int)a->pids[0]) < 0)
        return 0;
    return (double)waited_of(text);
}

double account_cores(const struct account *a)
{
    static cpu_set_t sets[8]; /* 8,192 cores */

    if (sched_getaffinity(a->pids[0], sizeof sets, sets) < 0)
        return 1;
    return CPU_COUNT_S(sizeof sets, sets);
}

int64_t account_self_cpu(void)
{
    struct timespec t;

    /* Cannot fail: the clock exists and t is ours. */
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t account_self_waited(void)
{
    char text[128];

    if (read_text(text, sizeof text, "/proc/thread-self/schedstat") < 0)
        return 0;
    return waited_of(text);
}
