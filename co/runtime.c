/* runtime.c - start and stop; boot.c does the work.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/boot.h"
#include "co/bug.h"
#include "co/clock.h"
#include "co/coro.h"
#include "co/cpus.h"
#include "co/runq.h"
#include "co/signals.h"
#include "co/wait.h"
#include <errno.h>

static struct { /* of co_run() */
    co_fn *fn;
    void *arg;
    int64_t grace;
    int err;
} root;

/* ---- Public
 * --------------------------------------------------------------------- */

static void root_main(void *arg)
{
    (void)arg;
    root.fn(root.arg);
    if (sched_self() == NULL)
        return; /* the child of a fork */
    (void)co_hold_cancel(true);
    (void)co_limit_deadline(CO_FOREVER);
    root.err = boot_wait_quiet(1, co_after(root.grace)) < 0 ? errno : 0;
    atomic_store(&sched_set.quit, true);
    boot_nudge_all();
}

/* The handle stays ours until all is torn down, so that co_stop() may use it.
 */
static int run_root(const struct co_config *c)
{
    struct co_attr attr = { .name = "root",
                            .on = (struct co_sched *)sched_set.at[0] };
    struct co *co = co_spawn(root_main, NULL, &attr);

    if (co == NULL)
        return -1;
    atomic_store(&boot.root, co);
    if (!c->keep_signals)
        signals_take(co_stop);
    if (boot_start_threads(1) < 0)
        root.err = errno;
    else
        boot_run_here(sched_set.at[0]);
    if (!c->keep_signals)
        signals_give_back();
    atomic_store(&boot.root, NULL);
    while (atomic_load(&boot.root_users) > 0)
        clock_relax();
    return 0;
}

static unsigned schedulers_of(const struct co_config *c)
{
    return c->schedulers != 0 ? c->schedulers : cpus_allowed();
}

/* Leaves boot.lock locked when it returns 0. */
static int lock_and_open(const struct co_config *config, struct co_config *c)
{
    int err = EALREADY;

    if (sched_self() != NULL) { /* who shuts down may hold the lock */
        errno = err;
        return -1;
    }
    *c = config != NULL ? *config : (struct co_config){ 0 };
    (void)pthread_mutex_lock(&boot.lock);
    if (!boot.up) {
        if (boot_open(schedulers_of(c), false, c) == 0)
            return 0;
        err = errno;
    }
    (void)pthread_mutex_unlock(&boot.lock);
    errno = err;
    return -1;
}

int co_run(co_fn *fn, void *arg, const struct co_config *config)
{
    struct co_config c;

    if (lock_and_open(config, &c) < 0)
        return -1;
    boot.by_root = true;
    root.fn = fn;
    root.arg = arg;
    root.err = 0;
    root.grace = boot_grace(&c);
    (void)pthread_mutex_unlock(&boot.lock);

    if (run_root(&c) < 0)
        root.err = errno;
    /* When grace passed, coroutines still run on other threads: nothing can
     * be freed under them, and the runtime counts as up. */
    if (root.err != ETIMEDOUT) {
        boot_stop_threads();
        (void)pthread_mutex_lock(&boot.lock);
        boot_close();
        (void)pthread_mutex_unlock(&boot.lock);
    }
    if (root.err == 0)
        return 0;
    errno = root.err;
    return -1;
}

void co_stop(void)
{
    struct co *co;

    /* Pairs with run_root(), which takes boot.root away and then waits for us.
     */
    atomic_fetch_add(&boot.root_users, 1);
    co = atomic_load(&boot.root);
    if (co != NULL)
        runq_post(co_sched_of(co), &co->post, POST_CANCEL);
    atomic_fetch_sub(&boot.root_users, 1);
}

int co_start(const struct co_config *config)
{
    struct co_config c;
    int r, err;

    if (lock_and_open(config, &c) < 0)
        return -1;
    r = boot_start_threads(0);
    if (r < 0) {
        err = errno;
        boot_stop_threads();
        boot_close();
        errno = err;
    }
    (void)pthread_mutex_unlock(&boot.lock);
    return r;
}

/* 0, or the error of a co_shutdown() that cannot begin. */
static int begin_closing(void)
{
    if (!boot.up)
        return ESHUTDOWN;
    if (boot.by_root || boot.by_host)
        return EBUSY;
    if (sched_of_host != NULL)
        return EDEADLK;
    if (boot.closing)
        return EALREADY;
    boot.closing = true;
    return 0;
}

/* The lock is not held meanwhile: who closes an embedded scheduler needs it. */
int co_shutdown(int64_t deadline)
{
    int r, err;

    BUG_ON(sched_self() != NULL, "co_shutdown: called on a scheduler's thread");
    (void)pthread_mutex_lock(&boot.lock);
    err = begin_closing();
    (void)pthread_mutex_unlock(&boot.lock);
    if (err != 0) {
        errno = err;
        return -1;
    }
    r = boot_wait_quiet(0, deadline);
    (void)pthread_mutex_lock(&boot.lock);
    boot.closing = false;
    if (r == 0) {
        boot_stop_threads();
        boot_close();
    }
    (void)pthread_mutex_unlock(&boot.lock);
    return r;
}

/* The i-th that is not retired. */
struct co_sched *co_sched_at(unsigned i)
{
    unsigned count = atomic_load(&sched_set.count);

    for (unsigned k = 0; k < count; k++)
        if (!atomic_load(&sched_set.at[k]->retired) && i-- == 0)
            return (struct co_sched *)sched_set.at[k];
    return NULL;
}
struct co_sched *co_sched_idlest(void)
{
    return (struct co_sched *)sched_set_idlest();
}

struct co_sched *co_sched_self(void) { return (struct co_sched *)sched_self(); }
