/* offload.c - threads for work that really blocks.
 *
 * One pool with one lock.  A task lives on the stack of the coroutine that
 * waits for it, so queueing cannot fail.  A thread is made when a task comes
 * and every idle one is spoken for, up to the bound, and ends after ten idle
 * seconds.  Look-ups
 * of names stand in a queue of their own, and only a quarter of the threads may
 * be busy with them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/offload.h"
#include "co/clock.h"
#include "co/wait.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>

enum { IDLE_S = 10, STACK_BYTES = 256 * 1024 };

struct task {
    struct list link;
    co_fn *fn;
    void *arg;
    bool lookup;
    struct wait wait;
};

static struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a task came, or closing; CLOCK_MONOTONIC */
    pthread_cond_t gone; /* a thread has ended */
    struct list tasks, lookups;
    unsigned task_count, lookup_count; /* how many stand there */
    unsigned max, lookup_max;
    unsigned threads, idle, busy_lookups;
    bool closing;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER,
           .gone = PTHREAD_COND_INITIALIZER };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_cond(void)
{
    pthread_condattr_t attr;

    /* None of these can fail in glibc. */
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool.work, &attr);
    (void)pthread_condattr_destroy(&attr);
}

void offload_open(unsigned threads)
{
    (void)pthread_once(&once, make_cond);
    pool.max = threads != 0 ? threads : OFFLOAD_DEFAULT;
    pool.lookup_max = pool.max >= 8 ? pool.max / 4 : 1;
    pool.closing = false;
}

void offload_forsake(void)
{
    pool = (struct pool){ .lock = PTHREAD_MUTEX_INITIALIZER,
                          .gone = PTHREAD_COND_INITIALIZER };
    once = (pthread_once_t)PTHREAD_ONCE_INIT;
}

void offload_close(void)
{
    (void)pthread_mutex_lock(&pool.lock);
    pool.closing = true;
    (void)pthread_cond_broadcast(&pool.work);
    while (pool.threads > 0)
        (void)pthread_cond_wait(&pool.gone, &pool.lock);
    pool.max = 0;
    (void)pthread_mutex_unlock(&pool.lock);
}

/* With the lock held. */
static struct task *next_task(void)
{
    struct list *l = NULL;

    if (pool.busy_lookups < pool.lookup_max)
        l = list_pop(&pool.lookups);
    if (l != NULL) {
        pool.lookup_count--;
        pool.busy_lookups++;
    } else if ((l = list_pop(&pool.tasks)) != NULL) {
        pool.task_count--;
    }
    return l == NULL ? NULL : container_of(l, struct task, link);
}

/* With the lock held: whether there is more to do than idle threads to do it.
 * One that was signalled but has not woken yet still counts as idle, and its
 * task as standing there. */
static bool too_few(void)
{
    unsigned lookups = pool.lookup_max - pool.busy_lookups;

    if (lookups > pool.lookup_count)
        lookups = pool.lookup_count;
    return pool.task_count + lookups > pool.idle;
}

/* Waits for a task; NULL after ten seconds without one, or when closing.  Not
 * inlined, so that its variables are not in worker(), which saves its context
 * for a pthread_exit(). */
__attribute__((noinline)) static struct task *wait_task(void)
{
    struct timespec end = clock_timespec(clock_now() + IDLE_S * CO_SECOND);
    struct task *task;
    int err = 0;

    while ((task = next_task()) == NULL && err == 0 && !pool.closing) {
        pool.idle++;
        err = pthread_cond_timedwait(&pool.work, &pool.lock, &end);
        pool.idle--;
    }
    return task;
}

/* Also when fn left by pthread_exit(): the coroutine must not wait for ever. */
static void finish(void *arg)
{
    struct task *task = arg;
    bool lookup = task->lookup;

    wait_wake(&task->wait);
    (void)pthread_mutex_lock(&pool.lock);
    pool.busy_lookups -= lookup;
    if (lookup)
        (void)pthread_cond_signal(&pool.work);
}

static int add_thread(void);

/* Out of the loop; or out of fn by pthread_exit(), when somebody else must do
 * what stands there.  If no thread can be made, the next task tries again. */
static void leave(void *arg)
{
    (void)arg;
    pool.threads--;
    if (!pool.closing && too_few())
        (void)add_thread();
    (void)pthread_cond_signal(&pool.gone);
    (void)pthread_mutex_unlock(&pool.lock);
}

static void *worker(void *arg)
{
    struct task *task;

    (void)pthread_mutex_lock(&pool.lock);
    pthread_cleanup_push(leave, arg);
    while ((task = wait_task()) != NULL) {
        (void)pthread_mutex_unlock(&pool.lock);
        pthread_cleanup_push(finish, task);
        task->fn(task->arg);
        pthread_cleanup_pop(1); /* takes the lock again */
    }
    pthread_cleanup_pop(1);
    return NULL;
}

/* With the lock held: one more thread, unless the bound is reached. */
static int add_thread(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    int err;

    if (pool.threads >= pool.max)
        return pool.max == 0 ? ESHUTDOWN : 0;
    if ((err = pthread_attr_init(&attr)) != 0)
        return err;
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    err = pthread_create(&thread, &attr, worker, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attr);
    if (err == 0)
        pool.threads++;
    return err;
}

static int offload(co_fn *fn, void *arg, bool lookup)
{
    struct task task = { .fn = fn, .arg = arg, .lookup = lookup };
    struct list *queue = lookup ? &pool.lookups : &pool.tasks;
    unsigned *count = lookup ? &pool.lookup_count : &pool.task_count;
    int err = 0;

    if (co_running() == NULL) {
        fn(arg);
        return 0;
    }
    wait_open_sure(&task.wait, WAIT_OFFLOAD);
    (void)pthread_mutex_lock(&pool.lock);
    list_push(queue, &task.link);
    ++*count;
    if (too_few())
        err = add_thread();
    if (err != 0 && pool.threads == 0) {
        list_remove(&task.link);
        --*count;
        (void)pthread_mutex_unlock(&pool.lock);
        errno = err;
        return -1;
    }
    (void)pthread_cond_signal(&pool.work);
    (void)pthread_mutex_unlock(&pool.lock);
    return wait_park(&task.wait);
}

int co_offload(co_fn *fn, void *arg) { return offload(fn, arg, false); }

int co_offload_lookup(co_fn *fn, void *arg) { return offload(fn, arg, true); }
