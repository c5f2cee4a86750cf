/* gdb_program.c - what gdb_test.py looks at.
 *
 * One coroutine waits for a channel, one in a read, one is ready, each three
 * calls deep; one waits for a mutex, 20 for a semaphore, one has not started.
 * Then the root coroutine calls gdb_stop(), where a debugger can stop; with the
 * argument "wait" it says so and blocks its thread, with "abort" it dies. Lines
 * that must show up in backtraces end in a comment that says which; the
 * barriers keep calls from becoming jumps.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/test.h"

#include <sys/socket.h>

#define BARRIER() __asm__ volatile("" ::: "memory")

enum { FILLERS = 20 };

static struct co_chan *chan;
static struct co_mutex mutex; /* held by the one that is ready */
static int pair[2];
static volatile long long answer = 42;

__attribute__((noinline)) static void chan_inner(int depth)
{
    int got;

    (void)co_chan_recv(chan, &got, CO_FOREVER); /* chan_inner */
    CHECK(depth == 3);
}

__attribute__((noinline)) static void chan_middle(int depth)
{
    long long kept = answer; /* in a register that a switch must save */

    chan_inner(depth + 1); /* chan_middle */
    CHECK_EQ(kept, 42);
}

static void chan_outer(void *arg)
{
    chan_middle(*(int *)arg + 1); /* chan_outer */
    BARRIER();
}

__attribute__((noinline)) static void read_inner(char *buf, size_t size)
{
    (void)co_read(pair[0], buf, size, CO_FOREVER); /* read_inner */
    BARRIER();
}

__attribute__((noinline)) static void read_middle(size_t size)
{
    char buf[16];

    read_inner(buf, size); /* read_middle */
    BARRIER();
}

static void read_outer(void *arg)
{
    read_middle(*(int *)arg + 7u); /* read_outer */
    BARRIER();
}

__attribute__((noinline)) static void ready_inner(void)
{
    co_yield_now(); /* ready_inner */
    BARRIER();
}

__attribute__((noinline)) static void ready_middle(void)
{
    ready_inner(); /* ready_middle */
    BARRIER();
}

static void ready_outer(void *arg)
{
    (void)arg;
    co_mutex_lock(&mutex);
    for (;;) {
        ready_middle(); /* ready_outer */
        BARRIER();
    }
}

static void lock(void *arg)
{
    co_mutex_lock(arg); /* lock */
    BARRIER();
}

static void filler(void *arg)
{
    (void)co_sem_wait(arg, CO_FOREVER);
    BARRIER();
}

static void fresh(void *arg) { (void)arg; }

/* Here the process stops, on the root coroutine's stack. */
__attribute__((noinline)) void gdb_stop(const char *how)
{
    if (how != NULL && strcmp(how, "abort") == 0)
        abort();
    BARRIER();
    if (how != NULL && strcmp(how, "wait") == 0) {
        puts("ready");
        (void)fflush(stdout);
        for (;;)
            (void)pause(); /* the thread, on purpose: nobody else runs */
    }
}

static struct co *spawn(co_fn *fn, void *arg, const char *name)
{
    struct co_attr attr = { .name = name };
    struct co *co = co_spawn(fn, arg, &attr); /* spawned */

    CHECK(co != NULL);
    co_detach(co);
    return co;
}

static void root(void *arg)
{
    struct co_sem never = { .value = 0 };
    int one = 1;

    /* The first 16 stacks lie differently from all others. */
    for (int i = 0; i < FILLERS; i++)
        CHECK(co_go(filler, &never) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK((chan = co_chan_new(sizeof(int), 0)) != NULL);
    (void)spawn(chan_outer, &one, "in channel");
    (void)spawn(read_outer, &one, "in read");
    (void)spawn(ready_outer, NULL, "ready one");
    (void)spawn(lock, &mutex, "in mutex");
    for (int i = 0; i < 4; i++)
        co_yield_now();
    (void)spawn(fresh, NULL, "fresh one");
    gdb_stop(arg); /* root */
    co_chan_close(chan);
    co_stop();
}

int main(int argc, char **argv)
{
    struct co_config config = { .schedulers = 1 };

    (void)alarm(60); /* whoever started us may be gone */
    return co_run(root, argc > 1 ? argv[1] : NULL, &config) == 0 ? 0 : 1;
}
