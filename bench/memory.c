/* memory.c - what a parked coroutine costs.
 *
 * A million (and a hundred thousand) coroutines run, wait for a semaphore one
 * call deep, are woken, and end.  While all wait: the process's growth of
 * resident memory, and of page tables, a coroutine.  Guarded, default stacks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "co/co.h"

struct crowd {
    long count, waiting, ended;
    struct co_sem gate;
};

/* Of /proc/self/status, in bytes. */
static double status(const char *name)
{
    FILE *f = fopen("/proc/self/status", "re");
    size_t len = strlen(name);
    char line[256];
    double kib = -1;

    if (f == NULL)
        bench_die("/proc/self/status");
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, name, len) == 0 && line[len] == ':')
            kib = atof(line + len + 1);
    (void)fclose(f);
    return kib * 1024;
}

__attribute__((noinline)) static void wait_once(struct crowd *c)
{
    c->waiting++;
    if (co_sem_wait(&c->gate, CO_FOREVER) < 0)
        bench_die("co_sem_wait");
}

static void member(void *arg)
{
    struct crowd *c = arg;

    wait_once(c);
    c->ended++;
}

static void measure(long count)
{
    struct crowd c = { .count = count };
    double rss = status("VmRSS"), tables = status("VmPTE");
    char name[64];

    for (long i = 0; i < count; i++) {
        if (co_go(member, &c) < 0)
            bench_die(co_spawn_why());
        if (i % 1000 == 0)
            co_yield_now();
    }
    while (c.waiting < count)
        co_yield_now();
    (void)snprintf(name, sizeof(name), "memory.%ld.rss", count);
    bench_report(name, (status("VmRSS") - rss) / (double)count, "bytes", count);
    (void)snprintf(name, sizeof(name), "memory.%ld.pagetable", count);
    bench_report(name, (status("VmPTE") - tables) / (double)count, "bytes",
                 count);
    for (long i = 0; i < count; i++)
        co_sem_post(&c.gate);
    while (c.ended < count)
        co_yield_now();
}

static void root(void *arg) { measure(*(long *)arg); }

int main(int argc, char **argv)
{
    static long counts[] = { 100000, 1000000 };
    struct co_config config = { .schedulers = 1 };

    bench_open(argc, argv);
    for (int i = 0; i < 2; i++)
        if (co_run(root, &counts[i], &config) < 0)
            bench_die("co_run");
    return 0;
}
