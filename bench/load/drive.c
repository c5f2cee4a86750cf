/* drive.c - see drive.h.
 *
 * One scheduler on one thread.  In a closed loop over many connections it is
 * embedded in a loop of this file that seldom sleeps: load and server cost
 * about the same, since each runs the other's receive path when it sends; and
 * who has fallen behind finds many ready at once, while who keeps up asks for
 * each one, and is woken for each.  So that this never tips, the load lets a
 * few replies gather before it asks.  What it spends so is not counted as its
 * work.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/drive.h"
#include "bench/load/account.h"
#include "bench/load/clients.h"
#include "bench/load/syscalls.h"
#include "co/embed.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    GATHER_CONNS = 64,  /* with fewer, each reply is taken at once */
    GATHER_REPLIES = 8, /* so many at a time are enough */
    GATHER_NS = 20000,  /* a server answers five or so in this time */
    DENSE_RATE = 20000, /* requests/s */
    DENSE_NS = 20000,   /* that each may be late then */
    SYSCALLS_NS = 250 * 1000 * 1000,
    SETTLE_NS = 5 * 1000 * 1000,
};

void run_fail(struct run *run, const char *who, unsigned number,
              const char *what)
{
    if (what == NULL)
        what = strerror(errno);
    if (run->errors++ == 0)
        (void)snprintf(run->error, sizeof run->error, "%s %u: %s", who, number,
                       what);
}

/* ---- The measured time --------------------------------------------------- */

/* Sleeps so long, unless nothing is left to wait for. */
static void wait_for(struct run *run, int64_t ns)
{
    if (ns > 0 && co_sem_wait(&run->all_failed, co_after(ns)) == 0)
        co_sem_post(&run->all_failed);
}

static bool is_known(const struct run *run) { return run->options->pid > 0; }

/* Counting system calls slows the server down, so that is done by itself. */
static void count_syscalls(struct run *run, const struct account *a)
{
    int64_t most = run->options->duration;
    struct syscalls counter;
    uint64_t answered;
    int64_t calls;

    if (syscalls_open(&counter, a->pids, a->count) < 0)
        return;
    answered = run->answered;
    wait_for(run, most < SYSCALLS_NS ? most : SYSCALLS_NS);
    answered = run->answered - answered;
    calls = syscalls_close(&counter);
    if (calls >= 0 && answered > 0)
        run->server.syscalls = (double)calls / (double)answered;
}

static void count_time(struct run *run, const struct account *a)
{
    int64_t cpu, waited, gathered = run->gathered;
    double server = 0, ready = 0;

    if (is_known(run)) {
        server = account_cpu(a);
        ready = account_waited(a, run->server.threads);
    }
    cpu = account_self_cpu();
    waited = account_self_waited();
    run->from = co_now();
    run->counting = true;
    wait_for(run, run->options->duration);
    run->counting = false;
    run->to = co_now();
    run->cpu = account_self_cpu() - cpu;
    run->waited = account_self_waited() - waited;
    run->spun = run->gathered - gathered;
    if (is_known(run)) {
        double now = account_cpu(a);

        run->server.cpu = now < 0 || server < 0 ? -1 : now - server;
        run->server.waited = account_waited(a, run->server.threads) - ready;
    }
}

static void measure(struct run *run)
{
    struct account_look before = { 0 }, after;
    struct account a = { 0 };
    uint64_t answered = run->answered;
    int64_t start = co_now();

    if (is_known(run) && account_open(&a, run->options->pid) == 0) {
        account_look(&a, &before);
        run->server.threads = before.threads;
        /* What looking has held up shall not be measured. */
        if (co_now() - start > SETTLE_NS)
            wait_for(run, co_now() - start);
    }
    count_time(run, &a);
    if (a.count == 0)
        return;
    account_look(&a, &after);
    answered = run->answered - answered;
    run->server.cores = account_cores(&a);
    run->server.rss = after.rss;
    if (after.threads > run->server.threads)
        run->server.threads = after.threads;
    if (before.switches >= 0 && after.switches >= 0 && answered > 0)
        run->server.switches =
            (after.switches - before.switches) / (double)answered;
    if (!run->options->no_syscalls)
        count_syscalls(run, &a);
}

static void root(void *arg)
{
    struct run *run = arg;
    struct account_look look = { .rss = -1 };
    struct account a;

    if (is_known(run)) {
        if (account_open(&a, run->options->pid) == 0)
            account_look(&a, &look);
        else
            run_fail(run, "process", (unsigned)run->options->pid, NULL);
    }
    run->server.rss_idle = look.rss;
    if (run->errors == 0 && clients_open(run) == 0) {
        clients_start(run);
        wait_for(run, run->options->warmup);
        if (run->working > 0)
            measure(run);
    }
    clients_stop(run);
}

/* ---- The scheduler ------------------------------------------------------- */

/* Lets some time go by; sleeping would make the server pay for waking us. */
static void gather(struct run *run)
{
    int64_t end = co_now() + GATHER_NS, cpu = account_self_cpu();

    while (co_now() < end)
        ;
    run->gathered += account_self_cpu() - cpu;
}

static void drive_gathering(struct run *run, struct co_sched *s)
{
    struct pollfd fd = { .fd = co_embed_fd(s), .events = POLLIN };
    int living;

    do {
        uint64_t answered = run->answered;

        living = co_embed_step(s);
        answered = run->answered - answered;
        if (answered == 0)
            (void)poll(&fd, 1, -1); /* whatever it says: step */
        else if (answered < GATHER_REPLIES)
            gather(run);
    } while (living > 0);
}

/* Plans are kept to, but where requests come so close that to wake up for each
 * would cost more than it. */
static int64_t slack_for(double rate)
{
    if (rate == 0)
        return 0; /* the usual */
    return rate > DENSE_RATE ? DENSE_NS : 1000;
}

int drive(struct run *run, const struct options *o)
{
    struct co_config config = { .keep_signals = true, /* SIGINT kills */
                                .timer_slack = slack_for(o->rate) };
    struct co_sched *s;

    *run = (struct run){ .options = o,
                         .wire = o->http ? &wire_http : &wire_echo,
                         .from = INT64_MAX,
                         .to = INT64_MAX,
                         .stop = INT64_MAX,
                         .server = { -1, 1, 0, -1, -1, -1, -1, -1 } };
    if (run->wire->open(o) < 0)
        return -1;
    if (o->rate > 0 || o->think > 0 || o->conns < GATHER_CONNS) {
        config.schedulers = 1;
        return co_run(root, run, &config);
    }
    s = co_embed_open(&config);
    if (s == NULL || co_go(root, run) < 0)
        return -1;
    drive_gathering(run, s);
    return co_embed_close(s);
}
