/* boot.c - see boot.h.
 *
 * To stop, all coroutines are cancelled and then waited for: each scheduler
 * that finds nothing to do counts who is left, and the last one wakes whoever
 * waits for the end (sched.c).
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/boot.h"
#include "co/cpus.h"
#include "co/dump_signal.h"
#include "co/fd_word.h"
#include "co/fork.h"
#include "co/offload.h"
#include "co/overflow.h"
#include "co/runq.h"
#include "co/wait.h"
#include <dlfcn.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TIMER_SLACK_NS = 50000, STACK_BYTES = 252 * 1024 };

static const int64_t grace_ns = 10 * CO_SECOND;

struct boot boot = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- Threads
 * ----------------------------------------------------------------- */

/* The thread may be the program's own, which gets its cpus back.  Pinning is a
 * wish, and so is the alternate stack: without them all still works, but for
 * the report of an overflow. */
void boot_run_here(struct sched *s)
{
    struct cpus_mask mask;
    bool pinned = boot.pin && cpus_get(&mask) == 0;

    if (pinned)
        (void)cpus_pin(s->index);
    if (boot.sigsegv)
        (void)overflow_open_thread();
    sched_run(s);
    if (boot.sigsegv)
        overflow_close_thread();
    if (pinned)
        (void)cpus_put_back(&mask);
}

static void *thread_main(void *arg)
{
    boot_run_here(arg);
    return NULL;
}

/* Threads first..count-1, with all signals blocked but those a fault raises, so
 * that the program's own threads get what is sent to the process. */
int boot_start_threads(unsigned first)
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
    boot.threads = 0;
    for (unsigned i = first; i < count; i++) {
        char name[16];
        int err = pthread_create(&boot.thread[boot.threads], NULL, thread_main,
                                 sched_set.at[i]);

        if (err != 0) {
            (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
            errno = err;
            return -1;
        }
        (void)snprintf(name, sizeof name, "corten-%u", i);
        (void)pthread_setname_np(boot.thread[boot.threads++], name);
    }
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return 0;
}

void boot_nudge_all(void)
{
    unsigned count = atomic_load(&sched_set.count);

    for (unsigned i = 0; i < count; i++)
        sched_nudge(sched_set.at[i]);
}

void boot_stop_threads(void)
{
    atomic_store(&sched_set.quit, true);
    boot_nudge_all();
    for (unsigned i = 0; i < boot.threads; i++)
        (void)pthread_join(boot.thread[i], NULL);
    boot.threads = 0;
    for (unsigned i = 0; i < atomic_load(&sched_set.count); i++)
        if (!sched_set.at[i]->hosted)
            atomic_store(&sched_set.at[i]->retired, true);
}

/* ---- Up and down
 * -------------------------------------------------------------- */

static bool config_fits(const struct co_config *c)
{
    return c->grace >= 0 && c->timer_slack >= 0 &&
           c->offload_threads <= OFFLOAD_MAX &&
           (c->stack_size == 0 || c->stack_size >= stack_min());
}

static void free_all(void)
{
    unsigned count = atomic_exchange(&sched_set.count, 0);

    dump_signal_close();
    offload_close();
    /* Whoever comes from now on finds no scheduler. */
    while (atomic_load(&runq_outsiders) > 0)
        (void)sched_yield();
    for (unsigned i = 0; i < count; i++)
        sched_close(sched_set.at[i]);
    free(boot.thread);
    boot.thread = NULL;
    if (boot.sigsegv)
        overflow_close();
    fd_word_close_all();
    stack_teardown();
}

void boot_close(void)
{
    boot.by_root = false;
    boot.by_host = boot.hosts > 0;
    if (boot.by_host)
        return;
    free_all();
    boot.up = false;
}

struct sched *boot_add(bool hosted)
{
    unsigned count = atomic_load(&sched_set.count);
    struct sched *s;

    if (count == SCHED_MAX) {
        errno = EAGAIN;
        return NULL;
    }
    s = sched_open(count);
    if (s == NULL)
        return NULL;
    s->hosted = hosted;
    sched_set.at[count] = s;
    atomic_store(&sched_set.count, count + 1);
    return s;
}

static int open_scheds(unsigned count, bool hosted)
{
    boot.thread = calloc(count, sizeof *boot.thread);
    if (boot.thread == NULL)
        return -1;
    for (unsigned i = 0; i < count; i++)
        if (boot_add(hosted && i == 0) == NULL)
            return -1;
    return 0;
}

/* The C++ runtime's function, as the linker found it: nobody looks names up in
 * a static program. */
extern struct cxx_globals *__cxa_get_globals(void) __attribute__((weak));

/* Or in what was loaded later by a program in C. */
static void find_cxx(void)
{
    sched_set.get_cxx = __cxa_get_globals;
    /* POSIX: the way to turn dlsym()'s result into a function. */
    if (sched_set.get_cxx == NULL)
        *(void **)&sched_set.get_cxx = dlsym(RTLD_DEFAULT, "__cxa_get_globals");
}

int boot_open(unsigned count, bool hosted, const struct co_config *c)
{
    int err;

    if (fork_prepare() < 0)
        return -1;
    fork_clean();
    if (stack_setup(c->stack_size != 0 ? c->stack_size : STACK_BYTES,
                    sizeof(struct co)) < 0)
        return -1;
    if (count > SCHED_MAX || !config_fits(c)) {
        stack_teardown();
        errno = EINVAL;
        return -1;
    }
    /* May fail on an old kernel: wait.c then does without. */
    (void)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
                  0);
    find_cxx();
    sched_set.slack = c->timer_slack != 0 ? c->timer_slack : TIMER_SLACK_NS;
    sched_set.spin = cpus_allowed() > 1 && count > 1;
    sched_set.max = c->max_coroutines;
    atomic_store(&sched_set.living, 0);
    atomic_store(&sched_set.spawned_outside, 0);
    atomic_store(&sched_set.stopping, false);
    atomic_store(&sched_set.quit, false);
    boot.pin = c->pin;
    boot.sigsegv = !c->keep_sigsegv;
    offload_open(c->offload_threads);
    if (boot.sigsegv && overflow_open() < 0)
        boot.sigsegv = false;
    else if (dump_signal_open(c->dump_signal) == 0 &&
             open_scheds(count, hosted) == 0) {
        boot.up = true;
        boot.by_root = boot.by_host = boot.closing = false;
        boot.hosts = 0;
        return 0;
    }
    err = errno;
    free_all();
    errno = err;
    return -1;
}

int boot_wait_quiet(unsigned long last, int64_t deadline)
{
    struct wait w;

    if (wait_open(&w, WAIT_QUIET, deadline) < 0)
        return -1; /* not here: cancel is held, or this is a plain thread */
    if (w.deadline <= CO_NOWAIT)
        w.deadline = 1;
    atomic_store(&sched_set.last, last);
    waitq_lock(&sched_set.quiet);
    waitq_push(&sched_set.quiet, &w.link);
    waitq_unlock(&sched_set.quiet);
    atomic_store(&sched_set.stopping, true);
    boot_nudge_all();
    return wait_park(&w);
}

int64_t boot_grace(const struct co_config *c)
{
    return c->grace != 0 ? c->grace : grace_ns;
}
