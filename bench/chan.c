/* chan.c - round trips between two coroutines, and between two threads.
 *
 *   chan.pingpong      two unbuffered channels, one scheduler
 *   sem.pingpong       two semaphores, one scheduler
 *   chan.threads       two channels, two schedulers, both asleep: the asking
 *                      side pauses before each trip
 *   eventfd.threads    the same between two bare threads with two eventfds
 *   chan.threads.spin  back and forth without a pause
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "co/co.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    ROUND_MS = 60,
    TRIPS = 200,          /* of a round between sleepers */
    PAUSE_NS = 200 * 1000 /* long enough for both sides to fall asleep */
};

/* ---- On one scheduler ---------------------------------------------------- */

static struct co_chan *to, *back;
static struct co_sem ask, reply;
static long trips;

static void check(int r)
{
    if (r < 0)
        bench_die("a wait failed");
}

/* Those who answer may come to their end when the next round has begun, so they
 * keep the number of theirs. */
static void answer_chan(void *arg)
{
    long n = trips;

    (void)arg;
    for (long i = 0; i < n; i++) {
        void *value;

        check(co_chan_recv(to, &value, CO_FOREVER));
        check(co_chan_send(back, &value, CO_FOREVER));
    }
}

static void ask_chan(void *arg, long n)
{
    void *value = NULL;

    (void)arg;
    trips = n;
    check(co_go(answer_chan, NULL));
    for (long i = 0; i < n; i++) {
        check(co_chan_send(to, &value, CO_FOREVER));
        check(co_chan_recv(back, &value, CO_FOREVER));
    }
}

static void answer_sem(void *arg)
{
    long n = trips;

    (void)arg;
    for (long i = 0; i < n; i++) {
        check(co_sem_wait(&ask, CO_FOREVER));
        co_sem_post(&reply);
    }
}

static void ask_sem(void *arg, long n)
{
    (void)arg;
    trips = n;
    check(co_go(answer_sem, NULL));
    for (long i = 0; i < n; i++) {
        co_sem_post(&ask);
        check(co_sem_wait(&reply, CO_FOREVER));
    }
}

static void one_scheduler(void *arg)
{
    struct bench_case cases[] = {
        { .name = "chan.pingpong", .run = ask_chan },
        { .name = "sem.pingpong", .run = ask_sem },
    };

    (void)arg;
    bench_rounds(cases, 2, ROUND_MS);
}

/* ---- Between threads ----------------------------------------------------- */

static double samples[BENCH_ROUNDS * TRIPS]; /* of the round that runs */

static struct co *spawn_on(unsigned i, co_fn *fn, void *arg)
{
    struct co_attr attr = { .on = co_sched_at(i) };
    struct co *co = co_spawn(fn, arg, &attr);

    if (co == NULL)
        bench_die("co_spawn");
    return co;
}

static void join(struct co *co) { check(co_join(co, CO_FOREVER)); }

static void ask_sleeper(void *arg)
{
    double *took = (double *)arg;
    void *value = NULL;

    for (int i = 0; i < TRIPS; i++) {
        int64_t start;

        check(co_sleep_until(co_after(PAUSE_NS)));
        start = bench_now_ns();
        check(co_chan_send(to, &value, CO_FOREVER));
        check(co_chan_recv(back, &value, CO_FOREVER));
        took[i] = (double)(bench_now_ns() - start);
    }
}

static void chan_round(double *took)
{
    struct co *a, *b;

    trips = TRIPS;
    b = spawn_on(1, answer_chan, NULL);
    a = spawn_on(0, ask_sleeper, took);
    join(a);
    join(b);
}

static void ask_without_pause(void *arg)
{
    void *value = NULL;

    for (long i = 0; i < trips; i++) {
        check(co_chan_send(to, &value, CO_FOREVER));
        check(co_chan_recv(back, &value, CO_FOREVER));
    }
    (void)arg;
}

/* Returns nanoseconds a trip. */
static double spin_round(long n)
{
    int64_t start = bench_now_ns();
    struct co *a, *b;

    trips = n;
    b = spawn_on(1, answer_chan, NULL);
    a = spawn_on(0, ask_without_pause, NULL);
    join(a);
    join(b);
    return (double)(bench_now_ns() - start) / (double)n;
}

/* ---- Bare eventfds ------------------------------------------------------- */

static int ask_fd, reply_fd;

/* As the schedulers are: the i-th allowed cpu. */
static void pin(int i)
{
    cpu_set_t allowed, one;

    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        bench_die("sched_getaffinity");
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && i-- == 0)
            CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0)
        bench_die("sched_setaffinity");
}

static void signal_fd(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof one) < 0)
        bench_die("write");
}

static void wait_fd(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof count) < 0)
        bench_die("read");
}

static void *answer_fd(void *arg)
{
    pin(1);
    for (int i = 0; i < TRIPS; i++) {
        wait_fd(ask_fd);
        signal_fd(reply_fd);
    }
    return arg;
}

static void *ask_fd_sleeper(void *arg)
{
    const struct timespec pause = { 0, PAUSE_NS };
    double *took = (double *)arg;

    pin(0);
    for (int i = 0; i < TRIPS; i++) {
        int64_t start;

        if (clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL) != 0)
            bench_die("clock_nanosleep");
        start = bench_now_ns();
        signal_fd(ask_fd);
        wait_fd(reply_fd);
        took[i] = (double)(bench_now_ns() - start);
    }
    return NULL;
}

static void fd_round(double *took)
{
    pthread_t a, b;

    if ((errno = pthread_create(&b, NULL, answer_fd, NULL)) != 0 ||
        (errno = pthread_create(&a, NULL, ask_fd_sleeper, took)) != 0 ||
        (errno = pthread_join(a, NULL)) != 0 ||
        (errno = pthread_join(b, NULL)) != 0)
        bench_die("a thread");
}

/* ---- All ----------------------------------------------------------------- */

static void two_threads(void)
{
    static double bare_samples[BENCH_ROUNDS * TRIPS];
    double spin[BENCH_ROUNDS], chan, bare;
    int rounds = bench.quick ? BENCH_ROUNDS_QUICK : BENCH_ROUNDS;
    long spins = bench.quick ? 20000 : 50000;

    ask_fd = eventfd(0, EFD_CLOEXEC);
    reply_fd = eventfd(0, EFD_CLOEXEC);
    if (ask_fd < 0 || reply_fd < 0)
        bench_die("eventfd");
    for (int i = 0; i < rounds; i++) {
        fd_round(bare_samples + i * TRIPS);
        chan_round(samples + i * TRIPS);
        spin[i] = spin_round(spins);
    }
    chan = bench_median(samples, (size_t)(rounds * TRIPS));
    bare = bench_median(bare_samples, (size_t)(rounds * TRIPS));
    bench_report("chan.threads", chan, "ns", (long)rounds * TRIPS);
    bench_report("eventfd.threads", bare, "ns", (long)rounds * TRIPS);
    bench_report("chan.threads.spin", bench_median(spin, (size_t)rounds), "ns",
                 rounds * spins);
    bench_note("of bare eventfds: asleep %.2f, without a pause %.3f",
               chan / bare, bench_median(spin, (size_t)rounds) / bare);
    (void)close(ask_fd); /* the program ends */
    (void)close(reply_fd);
}

int main(int argc, char **argv)
{
    struct co_config config = { .schedulers = 2, .pin = true };

    bench_open(argc, argv);
    to = co_chan_new(sizeof(void *), 0);
    back = co_chan_new(sizeof(void *), 0);
    if (to == NULL || back == NULL)
        bench_die("co_chan_new");
    if (co_start(&config) < 0)
        bench_die("co_start");
    join(spawn_on(0, one_scheduler, NULL));
    two_threads();
    if (co_shutdown(co_after(CO_SECOND)) < 0)
        bench_die("co_shutdown");
    co_chan_free(to);
    co_chan_free(back);
    return 0;
}
