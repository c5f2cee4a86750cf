/* runtime.c - start and stop.
 *
 * To stop, all coroutines are cancelled and then waited for: each scheduler
 * that finds nothing to do counts who is left, and the last one wakes whoever
 * waits for the end (sched.c).
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/bug.h"
#include "co/clock.h"
#include "co/coro.h"
#include "co/cpus.h"
#include "co/fd_word.h"
#include "co/offload.h"
#include "co/overflow.h"
#include "co/runq.h"
#include "co/sched.h"
#include "co/signals.h"
#include "co/wait.h"
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TIMER_SLACK_NS = 50000, STACK_BYTES = 252 * 1024 };

static struct {
    pthread_mutex_t lock; /* of start and stop */
    bool up;
    bool pin, sigsegv;
    unsigned threads; /* how many were made */
    pthread_t *thread;
} runtime = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct { /* of co_run() */
    co_fn *fn;
    void *arg;
    int64_t grace;
    int err;
    _Atomic(struct co *) co;
    atomic_int users; /* in co_stop() now */
} root;

/* ---- Threads
 * ----------------------------------------------------------------- */

/* The thread may be the program's own, which gets its cpus back.  Pinning is a
 * wish, and so is the alternate stack: without them all still works, but for
 * the report of an overflow. */
static void run_here(struct sched *s)
{
    struct cpus_mask mask;
    bool pinned = runtime.pin && cpus_get(&mask) == 0;

    if (pinned)
        (void)cpus_pin(s->index);
    if (runtime.sigsegv)
        (void)overflow_open_thread();
    sched_run(s);
    if (runtime.sigsegv)
        overflow_close_thread();
    if (pinned)
        (void)cpus_put_back(&mask);
}

static void *thread_main(void *arg)
{
    run_here(arg);
    return NULL;
}

/* Threads first..count-1, with all signals blocked but those a fault raises, so
 * that the program's own threads get what is sent to the process. */
static int start_threads(unsigned first)
{
    unsigned count = atomic_load(&sched_set.count);
    sigset_t all, old;

    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGSEGV);
    (void)sigdelset(&all, SIGBUS);
    (void)sigdelset(&all, SIGFPE);
    (void)sigdelset(&all, SIGILL);
    (void)sigdelset(&all, SIGPROF);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    runtime.threads = 0;
    for (unsigned i = first; i < count; i++) {
        char name[16];
        int err = pthread_create(&runtime.thread[runtime.threads], NULL,
                                 thread_main, sched_set.at[i]);

        if (err != 0) {
            (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
            errno = err;
            return -1;
        }
        (void)snprintf(name, sizeof name, "corten-%u", i);
        (void)pthread_setname_np(runtime.thread[runtime.threads++], name);
    }
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return 0;
}

static void nudge_all(void)
{
    unsigned count = atomic_load(&sched_set.count);

    for (unsigned i = 0; i < count; i++)
        sched_nudge(sched_set.at[i]);
}

static void stop_threads(void)
{
    atomic_store(&sched_set.quit, true);
    nudge_all();
    for (unsigned i = 0; i < runtime.threads; i++)
        (void)pthread_join(runtime.thread[i], NULL);
    runtime.threads = 0;
}

/* ---- Up and down
 * -------------------------------------------------------------- */

static bool config_fits(const struct co_config *c)
{
    return c->schedulers <= SCHED_MAX && c->grace >= 0 && c->timer_slack >= 0 &&
           c->offload_threads <= OFFLOAD_MAX &&
           (c->stack_size == 0 || c->stack_size >= stack_min());
}

static void close_all(void)
{
    unsigned count = atomic_exchange(&sched_set.count, 0);

    offload_close();
    /* Whoever comes from now on finds no scheduler. */
    while (atomic_load(&runq_outsiders) > 0)
        (void)sched_yield();
    for (unsigned i = 0; i < count; i++)
        sched_close(sched_set.at[i]);
    free((void *)sched_set.at);
    free(runtime.thread);
    sched_set.at = NULL;
    runtime.thread = NULL;
    if (runtime.sigsegv)
        overflow_close();
    fd_word_close_all();
    stack_teardown();
}

static int open_scheds(unsigned count)
{
    sched_set.at = (struct sched **)calloc(count, sizeof *sched_set.at);
    runtime.thread = calloc(count, sizeof *runtime.thread);
    if (sched_set.at == NULL || runtime.thread == NULL)
        return -1;
    for (unsigned i = 0; i < count; i++) {
        sched_set.at[i] = sched_open(i);
        if (sched_set.at[i] == NULL)
            return -1;
        atomic_store(&sched_set.count, i + 1);
    }
    return 0;
}

/* Everything but the threads.  -1 with errno, and nothing is left. */
static int open_all(const struct co_config *c)
{
    unsigned count = c->schedulers != 0 ? c->schedulers : cpus_allowed();
    int err;

    if (stack_setup(c->stack_size != 0 ? c->stack_size : STACK_BYTES,
                    sizeof(struct co)) < 0)
        return -1;
    if (!config_fits(c)) {
        stack_teardown();
        errno = EINVAL;
        return -1;
    }
    /* May fail on an old kernel: wait.c then does without. */
    (void)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
                  0);
    sched_set.slack = c->timer_slack != 0 ? c->timer_slack : TIMER_SLACK_NS;
    sched_set.spin = cpus_allowed() > 1 && count > 1;
    sched_set.max = c->max_coroutines;
    atomic_store(&sched_set.living, 0);
    atomic_store(&sched_set.spawned_outside, 0);
    atomic_store(&sched_set.stopping, false);
    atomic_store(&sched_set.quit, false);
    runtime.pin = c->pin;
    runtime.sigsegv = !c->keep_sigsegv;
    offload_open(c->offload_threads);
    if (runtime.sigsegv && overflow_open() < 0)
        runtime.sigsegv = false;
    else if (open_scheds(count) == 0)
        return 0;
    err = errno;
    close_all();
    errno = err;
    return -1;
}

/* Waits until no more than `last` coroutines live.  0, or -1 ETIMEDOUT. */
static int wait_quiet(unsigned long last, int64_t deadline)
{
    struct wait w;

    if (wait_open(&w, deadline) < 0)
        return -1; /* not here: cancel is held, or this is a plain thread */
    if (w.deadline <= CO_NOWAIT)
        w.deadline = 1;
    atomic_store(&sched_set.last, last);
    waitq_lock(&sched_set.quiet);
    waitq_push(&sched_set.quiet, &w.link);
    waitq_unlock(&sched_set.quiet);
    atomic_store(&sched_set.stopping, true);
    nudge_all();
    return wait_park(&w);
}

/* ---- Public
 * --------------------------------------------------------------------- */

static void root_main(void *arg)
{
    (void)arg;
    root.fn(root.arg);
    (void)co_hold_cancel(true);
    (void)co_limit_deadline(CO_FOREVER);
    root.err = wait_quiet(1, co_after(root.grace)) < 0 ? errno : 0;
    atomic_store(&sched_set.quit, true);
    nudge_all();
}

/* The handle stays ours until all is torn down, so that co_stop() may use it.
 */
static int run_root(const struct co_config *c)
{
    struct co_attr attr = { .name = "root", .on = co_sched_at(0) };
    struct co *co = co_spawn(root_main, NULL, &attr);

    if (co == NULL)
        return -1;
    atomic_store(&root.co, co);
    if (!c->keep_signals)
        signals_take(co_stop);
    if (start_threads(1) < 0)
        root.err = errno;
    else
        run_here(sched_set.at[0]);
    if (!c->keep_signals)
        signals_give_back();
    atomic_store(&root.co, NULL);
    while (atomic_load(&root.users) > 0)
        clock_relax();
    return 0;
}

int co_run(co_fn *fn, void *arg, const struct co_config *config)
{
    struct co_config c = { 0 };
    int r;

    if (sched_self() != NULL) { /* who shuts down may hold the lock */
        errno = EALREADY;
        return -1;
    }
    if (config != NULL)
        c = *config;
    (void)pthread_mutex_lock(&runtime.lock);
    if (runtime.up || open_all(&c) < 0) {
        if (runtime.up)
            errno = EALREADY;
        (void)pthread_mutex_unlock(&runtime.lock);
        return -1;
    }
    runtime.up = true;
    root.fn = fn;
    root.arg = arg;
    root.err = 0;
    root.grace = c.grace != 0 ? c.grace : 10 * CO_SECOND;
    (void)pthread_mutex_unlock(&runtime.lock);

    r = run_root(&c);
    if (r < 0)
        root.err = errno;
    /* When grace passed, coroutines still run on other threads: nothing can
     * be freed under them, and the runtime counts as up. */
    if (root.err != ETIMEDOUT) {
        stop_threads();
        (void)pthread_mutex_lock(&runtime.lock);
        close_all();
        runtime.up = false;
        (void)pthread_mutex_unlock(&runtime.lock);
    }
    if (root.err == 0)
        return 0;
    errno = root.err;
    return -1;
}

void co_stop(void)
{
    struct co *co;

    /* Pairs with run_root(), which takes root.co away and then waits for us. */
    atomic_fetch_add(&root.users, 1);
    co = atomic_load(&root.co);
    if (co != NULL)
        runq_post(co_sched_of(co), &co->post, POST_CANCEL);
    atomic_fetch_sub(&root.users, 1);
}

int co_start(const struct co_config *config)
{
    struct co_config c = { 0 };
    int r = -1, err = EALREADY;

    if (sched_self() != NULL) {
        errno = EALREADY;
        return -1;
    }
    if (config != NULL)
        c = *config;
    (void)pthread_mutex_lock(&runtime.lock);
    if (!runtime.up) {
        r = open_all(&c);
        err = errno;
        if (r == 0 && (r = start_threads(0)) < 0) {
            err = errno;
            stop_threads();
            close_all();
        }
        runtime.up = r == 0;
    }
    (void)pthread_mutex_unlock(&runtime.lock);
    errno = err;
    return r;
}

int co_shutdown(int64_t deadline)
{
    int r = -1;

    BUG_ON(sched_self() != NULL, "co_shutdown: called on a scheduler's thread");
    (void)pthread_mutex_lock(&runtime.lock);
    if (!runtime.up)
        errno = ESHUTDOWN;
    else if ((r = wait_quiet(0, deadline)) == 0) {
        stop_threads();
        close_all();
        runtime.up = false;
    }
    (void)pthread_mutex_unlock(&runtime.lock);
    return r;
}

struct co_sched *co_sched_at(unsigned i)
{
    if (i >= atomic_load(&sched_set.count))
        return NULL;
    return (struct co_sched *)sched_set.at[i];
}

struct co_sched *co_sched_idlest(void)
{
    return (struct co_sched *)sched_set_idlest();
}

struct co_sched *co_sched_self(void) { return (struct co_sched *)sched_self(); }
