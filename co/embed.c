/* embed.c - a scheduler inside somebody else's loop.
 *
 * Between two steps the host's thread is a plain one to the rest of the
 * runtime: what it spawns, sends or cancels goes through the inbox, whose
 * eventfd stands in the poller that the host watches.  So nobody has to know
 * which of its calls need a step.
 *
 * Its place among the schedulers is given up only with the runtime: others read
 * that table without a lock.  A closed one is "retired", and opened again by
 * the next host.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/embed.h"
#include "co/boot.h"
#include "co/bug.h"
#include "co/clock.h"
#include "co/overflow.h"
#include "co/sys.h"
#include "co/wait.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>

enum { LOOK_NS = 10 * 1000 * 1000 }; /* a close asks at least this often */

/* ---- Open
 * --------------------------------------------------------------------- */

static struct sched *find_retired(void)
{
    unsigned count = atomic_load(&sched_set.count);

    for (unsigned i = 0; i < count; i++) {
        struct sched *s = sched_set.at[i];

        if (s->hosted && atomic_load(&s->retired))
            return s;
    }
    return NULL;
}

/* With the lock held: brings the runtime up, the first scheduler ours. */
static struct sched *open_all(const struct co_config *c)
{
    int err;

    if (boot_open(1 + c->schedulers, true, c) < 0)
        return NULL;
    if (boot_start_threads(1) < 0) {
        err = errno;
        boot_stop_threads();
        boot_close();
        errno = err;
        return NULL;
    }
    boot.by_host = true;
    return sched_set.at[0];
}

/* With the lock held: one more. */
static struct sched *open_one(void)
{
    struct sched *s = find_retired();

    if (atomic_load(&sched_set.stopping)) {
        errno = ESHUTDOWN;
        return NULL;
    }
    if (s == NULL)
        return boot_add(true);
    s->cancel_all = false;
    atomic_store(&s->retired, false);
    return s;
}

struct co_sched *co_embed_open(const struct co_config *config)
{
    struct co_config c = { 0 };
    struct sched *s;

    if (sched_self() != NULL || sched_of_host != NULL) {
        errno = EALREADY;
        return NULL;
    }
    if (config != NULL)
        c = *config;
    (void)pthread_mutex_lock(&boot.lock);
    s = boot.up ? open_one() : open_all(&c);
    boot.hosts += s != NULL;
    (void)pthread_mutex_unlock(&boot.lock);
    if (s == NULL)
        return NULL;
    s->grace = boot_grace(&c);
    sched_enter_thread(s);
    if (boot.sigsegv)
        (void)overflow_open_thread(); /* only the report depends on it */
    sched_of_host = s;
    sched_step(s); /* who sends from now on is told apart from who sent */
    return (struct co_sched *)s;
}

/* ---- Step
 * --------------------------------------------------------------------- */

int co_embed_fd(struct co_sched *s) { return ((struct sched *)s)->poller.fd; }

/* The parent's schedulers are not the child's, unless it opened some itself. */
static bool is_forked_off(void)
{
    return sched_of_host == NULL && sched_set.forks > 0 &&
           atomic_load(&sched_set.count) == 0;
}

int co_embed_step(struct co_sched *s)
{
    unsigned long living;

    if (is_forked_off()) {
        errno = ESHUTDOWN;
        return -1;
    }
    if (sched_of_host != (struct sched *)s || sched_self() != NULL) {
        errno = sched_self() != NULL ? EDEADLK : EPERM;
        return -1;
    }
    sched_step((struct sched *)s);
    living = sched_set_living();
    return living < INT_MAX ? (int)living : INT_MAX;
}

/* ---- Close
 * -------------------------------------------------------------------- */

/* Steps, and blocks in between, until *left says that none is left. */
static int drain(struct sched *s, bool (*left)(const struct sched *s))
{
    int64_t end = clock_now() + s->grace;

    while (left(s)) {
        struct pollfd fd = { .fd = s->poller.fd, .events = POLLIN };
        struct timespec most = { 0, LOOK_NS };

        if (clock_now() >= end) {
            errno = ETIMEDOUT;
            return -1;
        }
        (void)sys.ppoll(&fd, 1, &most, NULL); /* whatever it says: step */
        sched_step(s);
    }
    return 0;
}

static bool any_left(const struct sched *s)
{
    (void)s;
    return sched_set_living() > 0;
}

/* False when it is the last one of a runtime that goes with it, and there has
 * been no wait for the coroutines elsewhere. */
static bool leave(struct sched *s, bool waited)
{
    bool last;

    (void)pthread_mutex_lock(&boot.lock);
    last = boot.by_host && boot.hosts == 1;
    if (!last || waited) {
        if (boot.sigsegv)
            overflow_close_thread();
        sched_of_host = NULL;
        atomic_store(&s->retired, true);
        boot.hosts--;
    }
    if (last && waited) {
        boot_stop_threads();
        boot_close();
    }
    (void)pthread_mutex_unlock(&boot.lock);
    return !last || waited;
}

int co_embed_close(struct co_sched *cs)
{
    struct sched *s = (struct sched *)cs;

    if (is_forked_off()) {
        errno = ESHUTDOWN;
        return -1;
    }
    BUG_ON(sched_of_host != s || sched_self() != NULL,
           "co_embed_close: called elsewhere than by the host");
    sched_cancel_all(s);
    if (drain(s, sched_has_living) < 0)
        return -1;
    if (leave(s, false))
        return 0;
    atomic_store(&sched_set.stopping, true);
    boot_nudge_all();
    if (drain(s, any_left) < 0)
        return -1;
    (void)leave(s, true);
    return 0;
}
