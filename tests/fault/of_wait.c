/* of_wait.c - scenarios of coroutines, and of those that wait for each other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/wait.h"
#include "tests/fault/kit.h"

static const size_t other_size = 1 << 20;

/* ---- Spawning
 * ---------------------------------------------------------------- */

static void wait_sem(void *arg) { CHECK_EQ(co_sem_wait(arg, CO_FOREVER), 0); }

static void spawn_many(unsigned count, size_t size)
{
    struct co_attr attr = { .stack_size = size };
    struct co *co[40];
    struct co_sem sem = { 0 };
    unsigned missing = 0;

    for (unsigned i = 0; i < count; i++) {
        co[i] = co_spawn(wait_sem, &sem, &attr);
        if (!WENT(co[i] != NULL, ENOMEM, )) {
            CHECK(co_spawn_why()[0] != '\0');
            missing++;
        }
    }
    CHECK(missing <= 1);
    for (unsigned i = 0; i < count - missing; i++)
        co_sem_post(&sem);
    for (unsigned i = 0; i < count; i++)
        if (co[i] != NULL)
            CHECK_EQ(co_join(co[i], SOON), 0);
}

static void spawn_default(void) { spawn_many(40, 0); }
static void spawn_other(void) { spawn_many(20, other_size); }

static void spawn(void) { in_runtime(spawn_default); }
static void spawn_size(void) { in_runtime(spawn_other); }
static void spawn_on_thread(void) { beside_runtime(spawn_other); }

static void spawn_some(void) { spawn_many(20, 0); }

static void spawn_mprotect(void)
{
    CHECK_EQ(setenv("CO_GUARD", "mprotect", 1), 0);
    in_runtime(spawn_some);
}

/* More than are kept warm, of a class that no cache keeps. */
static void use_crowd(void)
{
    enum { CROWD = 1100 };
    static struct co *co[CROWD];
    struct co_attr attr = { .stack_size = other_size };
    struct co_sem sem = { 0 };

    inject_off();
    for (int i = 0; i < CROWD; i++)
        CHECK((co[i] = co_spawn(wait_sem, &sem, &attr)) != NULL);
    inject_on();
    for (int i = 0; i < CROWD; i++)
        co_sem_post(&sem);
    for (int i = 0; i < CROWD; i++)
        CHECK_EQ(co_join(co[i], SOON), 0);
}

static void crowd(void) { in_runtime(use_crowd); }

/* ---- Local storage
 * ----------------------------------------------------------- */

static int key = -1, destroyed;

static void destroy(void *value) { destroyed += *(int *)value; }

static void set_value(void *arg)
{
    static int one = 1;

    if (WENT(co_key_set(key, &one) == 0, )) {
        CHECK(co_key_get(key) == &one);
        ++*(int *)arg;
    } else {
        CHECK(co_key_get(key) == NULL);
    }
}

static void use_keys(void)
{
    int set = 0;

    if (key < 0)
        key = co_key_create(destroy);
    CHECK(key >= 0);
    destroyed = 0;
    for (int i = 0; i < 3; i++) {
        struct co *co = co_spawn(set_value, &set, NULL);

        if (WENT(co != NULL, ENOMEM, ))
            CHECK_EQ(co_join(co, SOON), 0);
    }
    CHECK_EQ(destroyed, set);
}

static void keys(void) { in_runtime(use_keys); }

/* ---- Channels, groups
 * ------------------------------------------------------- */

static void send_one(void *arg)
{
    int value = 1;

    (void)co_chan_send(arg, &value, SOON); /* EPIPE: closed without it */
}

static void use_channels(void)
{
    struct co_chan *a = co_chan_new(sizeof(int), 0);
    struct co_chan *b = NULL;
    struct co *co = NULL;
    int value = 0;

    if (!WENT(a != NULL, ))
        return;
    b = co_chan_new(sizeof(int), 3);
    if (WENT(b != NULL, ))
        co = co_spawn(send_one, a, NULL);
    if (b != NULL && WENT(co != NULL, ENOMEM, )) {
        struct co_case cases[] = { CO_RECV(b, &value), CO_RECV(a, &value) };

        CHECK_EQ(co_select(cases, 2, SOON), 1);
        CHECK_EQ(co_join(co, SOON), 0);
        send_one(b);
        CHECK_EQ(co_chan_recv(b, &value, SOON), 0);
        CHECK_EQ(co_chan_recv(b, &value, co_after(1)), -1);
        CHECK_EQ(errno, ETIMEDOUT);
    }
    co_chan_free(a);
    co_chan_free(b);
}

static void channels(void) { in_runtime(use_channels); }
static void channels_on_thread(void) { beside_runtime(use_channels); }

static void member(void *arg)
{
    co_yield_now();
    ++*(int *)arg;
}

static void use_group(void)
{
    struct co_group g = { 0 };
    int ended = 0, started = 0;

    for (int i = 0; i < 20; i++)
        started += WENT(co_group_go(&g, member, &ended) == 0, ENOMEM, );
    CHECK_EQ(co_group_wait(&g, SOON), 0);
    CHECK_EQ(ended, started);
    CHECK(started >= 19);
}

static void group(void) { in_runtime(use_group); }

/* ---- Between threads
 * --------------------------------------------------------- */

struct pingpong {
    struct co_mutex lock;
    struct co_cond changed;
    struct co_sem done;
    int turn;
};

static void play(struct pingpong *p, int who)
{
    for (int i = 0; i < 5; i++) {
        co_mutex_lock(&p->lock);
        while (p->turn != who)
            CHECK_EQ(co_cond_wait(&p->changed, &p->lock, SOON), 0);
        p->turn = 1 - who;
        co_cond_signal(&p->changed);
        co_mutex_unlock(&p->lock);
    }
}

static void *play_on_thread(void *arg)
{
    play(arg, 1);
    co_sem_post(&((struct pingpong *)arg)->done);
    return NULL;
}

static void use_locks(void)
{
    struct pingpong p = { .turn = 0 };
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, play_on_thread, &p), 0);
    play(&p, 0);
    CHECK_EQ(co_sem_wait(&p.done, SOON), 0);
    CHECK_EQ(co_sem_wait(&p.done, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void locks(void) { in_runtime(use_locks); }
static void locks_on_threads(void) { beside_runtime(use_locks); }

static void *post(void *arg)
{
    co_sem_post(arg);
    return NULL;
}

/* As if whoever holds the lock of a queue were preempted: others sleep. */
static void use_held_lock(void)
{
    struct co_sem sem = { 0 };
    pthread_t thread;

    waitq_lock(&sem.waiters);
    CHECK_EQ(pthread_create(&thread, NULL, post, &sem), 0);
    while (atomic_load(&waitq_sleepers) == 0)
        (void)sched_yield();
    waitq_unlock(&sem.waiters);
    CHECK_EQ(co_sem_wait(&sem, SOON), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void held_lock(void) { beside_runtime(use_held_lock); }

/* ---- Time, offload
 * ----------------------------------------------------------- */

static void sleep_a_little(void *arg)
{
    (void)arg;
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
}

static void use_timers(void)
{
    for (int i = 0; i < 3; i++)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC / 2)), 0);
    if (WENT(co_go(sleep_a_little, NULL) == 0, ENOMEM, ))
        sleep_a_little(NULL);
}

static void timers(void) { in_runtime(use_timers); }

static void add_one(void *arg) { atomic_fetch_add((atomic_int *)arg, 1); }

struct work {
    atomic_int done;
    int sent;
};

static void offload_one(void *arg)
{
    struct work *w = arg;

    if (WENT(co_offload(add_one, &w->done) == 0, ))
        w->sent++;
}

static void use_offload(void)
{
    struct work w = { 0 };
    struct co_group g = { 0 };

    offload_one(&w);
    for (int i = 0; i < 3; i++)
        (void)WENT(co_group_go(&g, offload_one, &w) == 0, ENOMEM, );
    CHECK_EQ(co_group_wait(&g, SOON), 0);
    if (WENT(co_offload_lookup(add_one, &w.done) == 0, ))
        w.sent++;
    CHECK_EQ(w.done, w.sent);
    CHECK(w.sent >= 4);
}

static void offload(void) { in_runtime(use_offload); }

const struct scenario scenarios_wait[] = {
    { "spawn", spawn, 0 },
    { "spawn_size", spawn_size, 0 },
    { "spawn_on_thread", spawn_on_thread, 0 },
    { "spawn_mprotect", spawn_mprotect, 0 },
    { "crowd", crowd, PLACES_ALONE },
    { "keys", keys, 0 },
    { "channels", channels, 0 },
    { "channels_on_thread", channels_on_thread, 0 },
    { "group", group, 0 },
    { "locks", locks, 0 },
    { "locks_on_threads", locks_on_threads, 0 },
    { "held_lock", held_lock, 0 },
    { "timers", timers, 0 },
    { "offload", offload, 0 },
    { NULL, NULL, 0 },
};
