/* hook.c - what a hooked call adds to libc's.
 *
 *     hook [--quick] [--json]
 *
 * hook.passthrough: read(2) of no descriptor (the cheapest call there is), on a
 * thread that runs no coroutine, through the hook less through libc.
 * hook.ready: read(2) of one byte that is there, inside a coroutine, likewise.
 * hook.echo.*: examples/echo_posix beside the hand-written epoll loop, with 64
 * connections, in turns, as bench/echo does it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "bench/load/child.h"
#include "bench/load/load_echo.h"
#include "co/co.h"
#include <dlfcn.h>
#include <limits.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS = 64, PAIRS_MAX = 21, FILL = 4096, TURN = 2000, TURNS_MAX = 4000 };

typedef ssize_t read_fn(int fd, void *buf, size_t len);

static read_fn *libc_read;
static int pair[2];

/* ---- Single calls -----------------------------------------------------------
 */

static void no_descriptor(void *arg, long n)
{
    read_fn *call = *(read_fn **)arg;
    char c;

    for (long i = 0; i < n; i++)
        (void)!call(-1, &c, 1);
}

static void one_byte(void *arg, long n)
{
    static char fill[FILL];
    read_fn *call = *(read_fn **)arg;
    char c;

    for (long i = 0; i < n; i++) {
        if (i % FILL == 0 && write(pair[1], fill, FILL) != FILL)
            bench_die("write");
        if (call(pair[0], &c, 1) != 1)
            bench_die("read");
    }
    while (recv(pair[0], fill, FILL, MSG_DONTWAIT) > 0)
        ;
}

/* Nanoseconds of one of n calls. */
static double time_of(bench_run *run, read_fn **call, long n)
{
    int64_t begin = bench_now_ns();

    run((void *)call, n);
    return (double)(bench_now_ns() - begin) / (double)n;
}

/* The calls take a hundred times as long as what is looked for, and the machine
 * drifts: so the two are compared in turns of less than a millisecond, and of
 * the differences the median is taken. */
static void compare(const char *name, bench_run *run)
{
    static double hooked[TURNS_MAX], libc[TURNS_MAX], added[TURNS_MAX];
    static read_fn *hook = read;
    size_t turns = bench.quick ? TURNS_MAX / 8 : TURNS_MAX;

    for (size_t i = 0; i < turns; i++) {
        if (i % 2 == 0)
            hooked[i] = time_of(run, &hook, TURN);
        libc[i] = time_of(run, &libc_read, TURN);
        if (i % 2 == 1)
            hooked[i] = time_of(run, &hook, TURN);
        added[i] = hooked[i] - libc[i];
    }
    bench_report(name, bench_median(added, turns), "ns", (long)turns);
    bench_note("%-28s half of %zu in %.3g..%.3g; %.1f ns hooked, %.1f by libc",
               "", turns, bench_percentile(added, turns, 0.25),
               bench_percentile(added, turns, 0.75),
               bench_median(hooked, turns), bench_median(libc, turns));
}

static void root(void *arg)
{
    (void)arg;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        bench_die("socketpair");
    compare("hook.ready", one_byte);
    close(pair[0]);
    close(pair[1]);
}

/* ---- The echo server
 * ----------------------------------------------------------
 */

static char dir[PATH_MAX]; /* where this program is */
static int cores[2];       /* the server's, the load's */

/* Processor time per request of one run, in us. */
static double measure(const char *program, char *arg, char *addr)
{
    char path[PATH_MAX + 64];
    char *argv[] = { path, arg, addr, NULL };
    struct load_result r;
    struct child child;
    struct load *load;
    int64_t cpu;

    (void)snprintf(path, sizeof path, "%s/%s", dir, program);
    if (child_start(&child, argv, cores[0]) < 0 ||
        (load = load_open(&child.addr, CONNS, 1)) == NULL ||
        load_run(load, 100 * CO_MSEC, &r) < 0)
        bench_die(program);
    (void)usleep(2000); /* a clock that does not run is exact */
    cpu = child_cpu(&child);
    if (load_run(load, bench.quick ? CO_SECOND / 4 : 3 * CO_SECOND, &r) < 0)
        bench_die(program);
    (void)usleep(2000);
    cpu = child_cpu(&child) - cpu;
    load_close(load);
    if (child_stop(&child) < 0)
        bench_die(program);
    return (double)cpu / 1e3 / (double)r.requests;
}

static void echo(void)
{
    double ours[PAIRS_MAX], theirs[PAIRS_MAX], ratios[PAIRS_MAX];
    size_t pairs = bench.quick ? 3 : PAIRS_MAX;
    char port[] = "0", kind[] = "echo", addr[] = "127.0.0.1:0";

    for (size_t i = 0; i < pairs; i++) {
        if (i % 2 == 0)
            ours[i] = measure("../examples/echo_posix", port, NULL);
        theirs[i] = measure("servers/epoll", kind, addr);
        if (i % 2 == 1)
            ours[i] = measure("../examples/echo_posix", port, NULL);
        ratios[i] = ours[i] / theirs[i];
    }
    bench_report("hook.echo.cpu_us", bench_median(ours, pairs), "us",
                 (long)pairs);
    bench_report("hook.echo.epoll.cpu_us", bench_median(theirs, pairs), "us",
                 (long)pairs);
    bench_report("hook.echo.ratio", bench_median(ratios, pairs), "1",
                 (long)pairs);
    bench_note("%-28s half of %zu in %.4g..%.4g", "", pairs,
               bench_percentile(ratios, pairs, 0.25),
               bench_percentile(ratios, pairs, 0.75));
}

static void find_cores(void)
{
    cpu_set_t set;
    int found = 0;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        bench_die("sched_getaffinity");
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &set))
            cores[found++] = i;
    if (found < 2)
        cores[1] = cores[0];
}

int main(int argc, char **argv)
{
    ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
    char *slash;

    bench_open(argc, argv);
    if (n < 0)
        bench_die("readlink");
    dir[n] = '\0';
    slash = strrchr(dir, '/');
    if (slash != NULL)
        *slash = '\0';
    /* POSIX: the way to turn dlsym()'s result into a function. */
    *(void **)&libc_read = dlsym(RTLD_NEXT, "read");
    if (libc_read == NULL)
        bench_die("dlsym");
    compare("hook.passthrough", no_descriptor);
    if (co_run(root, NULL, &(struct co_config){ .schedulers = 1 }) < 0)
        bench_die("co_run");
    find_cores();
    if (child_pin_self(cores[1]) < 0)
        bench_die("child_pin_self");
    echo();
    return 0;
}
