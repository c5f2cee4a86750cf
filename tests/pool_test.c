/* pool_test.c - the pool, with items that are counted.
 *
 * Each item knows who has it, so that two owners at a time, one too many, or
 * one that is never closed shows.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/pool.h"
#include "tests/tasks.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>

struct thing {
    atomic_bool held;
    bool dead, spoilt;
};

static struct maker { /* what open and close do, and did */
    atomic_int opens, closes, checks, now, most, opening, most_opening;
    atomic_int resets, releases;
    atomic_int fail;       /* so many opens more */
    atomic_bool gate_shut; /* opens wait until it is open */
    atomic_bool all_dead;
    int errno_of_failure;
} made;

static void nap(void) { CHECK_EQ(co_sleep_until(co_after(CO_MSEC / 10)), 0); }

static void raise_to(atomic_int *most, int now)
{
    int old = atomic_load(most);

    while (old < now && !atomic_compare_exchange_weak(most, &old, now))
        ;
}

static void *open_thing(void *ctx, int64_t deadline)
{
    struct thing *t;

    CHECK(ctx == &made);
    raise_to(&made.most_opening, atomic_fetch_add(&made.opening, 1) + 1);
    while (atomic_load(&made.gate_shut) && co_now() < deadline)
        if (co_sleep_until(co_after(CO_MSEC / 10)) < 0)
            break;
    atomic_fetch_sub(&made.opening, 1);
    if (atomic_load(&made.gate_shut)) {
        errno = co_now() >= deadline ? ETIMEDOUT : ECANCELED;
        return NULL;
    }
    if (atomic_load(&made.fail) > 0) {
        atomic_fetch_sub(&made.fail, 1);
        errno = made.errno_of_failure;
        return NULL;
    }
    CHECK((t = calloc(1, sizeof *t)) != NULL);
    atomic_fetch_add(&made.opens, 1);
    raise_to(&made.most, atomic_fetch_add(&made.now, 1) + 1);
    return t;
}

static void close_thing(void *ctx, void *item)
{
    struct thing *t = item;

    CHECK(ctx == &made);
    CHECK(!atomic_load(&t->held));
    free(t);
    atomic_fetch_add(&made.closes, 1);
    atomic_fetch_sub(&made.now, 1);
}

static bool thing_alive(void *ctx, void *item)
{
    struct thing *t = item;

    CHECK(ctx == &made);
    CHECK(!atomic_load(&t->held));
    atomic_fetch_add(&made.checks, 1);
    return !t->dead && !atomic_load(&made.all_dead);
}

/* What is spoilt by then is not taken back. */
static bool reset_thing(void *ctx, void *item)
{
    struct thing *t = item;

    CHECK(ctx == &made);
    atomic_fetch_add(&made.resets, 1);
    return !t->spoilt;
}

static void released(void *ctx)
{
    CHECK(ctx == &made);
    CHECK_EQ(made.now, 0);
    atomic_fetch_add(&made.releases, 1);
}

static const struct net_pool_ops ops = { open_thing, close_thing, thing_alive,
                                         reset_thing, released };

static struct net_pool *new_pool(struct net_pool_options o)
{
    struct net_pool *p;

    memset(&made, 0, sizeof made);
    made.errno_of_failure = ECONNREFUSED;
    p = net_pool_new(&ops, &made, &o);
    CHECK(p != NULL);
    return p;
}

static struct thing *get(struct net_pool *p, int64_t deadline)
{
    struct thing *t = net_pool_get(p, deadline);

    if (t != NULL)
        CHECK(!atomic_exchange(&t->held, true));
    return t;
}

static struct thing *must_get(struct net_pool *p)
{
    struct thing *t = get(p, co_after(20 * CO_SECOND));

    CHECK(t != NULL);
    return t;
}

static void put(struct net_pool *p, struct thing *t)
{
    CHECK(atomic_exchange(&t->held, false));
    net_pool_put(p, t);
}

static void drop(struct net_pool *p, struct thing *t)
{
    CHECK(atomic_exchange(&t->held, false));
    net_pool_drop(p, t);
}

static struct net_pool_stats stats(struct net_pool *p)
{
    struct net_pool_stats s;

    net_pool_stats(p, &s);
    CHECK_EQ(s.open, s.idle + s.in_use + s.changing);
    return s;
}

static void until_waiting(struct net_pool *p, unsigned n)
{
    while (stats(p).waiting != n)
        nap();
}

static void close_pool(struct net_pool *p)
{
    net_pool_free(p);
    while (atomic_load(&made.releases) == 0)
        nap();
    CHECK_EQ(made.opens, made.closes);
    CHECK_EQ(made.releases, 1);
}

/* ---- One after another -----------------------------------------------------
 */

static void lazily(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .max = 2 });
    struct thing *a, *b;

    CHECK_EQ(made.opens, 0);
    a = must_get(p);
    put(p, a);
    CHECK(must_get(p) == a);
    b = must_get(p);
    CHECK(a != b);
    CHECK_EQ(made.opens, 2);
    CHECK(get(p, CO_NOWAIT) == NULL);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK(get(p, co_after(CO_MSEC)) == NULL);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(stats(p).timeouts, 2);
    CHECK_EQ(stats(p).in_use, 2);
    put(p, a);
    put(p, b);
    CHECK_EQ(stats(p).idle, 2);
    CHECK(must_get(p) == b); /* it rested shortest */
    put(p, b);
    CHECK_EQ(stats(p).gets, 4);
    CHECK_EQ(stats(p).waited[0], 2);
    CHECK_EQ(made.checks, 0);
    close_pool(p);
}

static void broken(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .max = 3 });
    struct thing *a = must_get(p), *b = must_get(p), *c = must_get(p);

    put(p, a);
    put(p, b);
    /* The other two may be broken, too: they are asked, once. */
    drop(p, c);
    CHECK_EQ(made.closes, 1);
    CHECK(must_get(p) == b);
    CHECK_EQ(made.checks, 1);
    put(p, b);
    CHECK(must_get(p) == b);
    CHECK_EQ(made.checks, 1);
    a->dead = true;
    c = must_get(p);
    CHECK_EQ(made.checks, 2);
    CHECK_EQ(made.closes, 2);
    CHECK_EQ(made.opens, 4);
    CHECK_EQ(stats(p).dead, 1);
    CHECK_EQ(stats(p).dropped, 1);
    put(p, b);
    put(p, c);
    close_pool(p);
}

static void gets_one(void *pool)
{
    struct thing *t = must_get(pool);

    CHECK(!t->dead);
    put(pool, t);
}

/* Nor does it matter that the others were out when the first one broke. */
static void broken_while_out(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .max = 3 });
    struct thing *a = must_get(p), *b = must_get(p), *c = must_get(p);
    struct co *waiter;

    a->dead = b->dead = c->dead = true;
    drop(p, c);
    put(p, a);
    c = must_get(p);
    CHECK(!c->dead);
    CHECK_EQ(stats(p).dead, 1);
    a = must_get(p);
    CHECK((waiter = co_spawn(gets_one, p, NULL)) != NULL);
    while (stats(p).waiting == 0)
        nap();
    put(p, b); /* straight to who waits */
    CHECK_EQ(co_join(waiter, CO_FOREVER), 0);
    CHECK_EQ(stats(p).dead, 2);
    put(p, a);
    put(p, c);
    close_pool(p);
}

static void checked_after_rest(void)
{
    struct net_pool *p =
        new_pool((struct net_pool_options){ .check_after = 1 });
    struct thing *t = must_get(p);

    put(p, t);
    CHECK(must_get(p) == t);
    CHECK_EQ(made.checks, 1);
    put(p, t);
    made.all_dead = true;
    made.fail = 1;
    CHECK(get(p, CO_FOREVER) == NULL); /* nor can another be opened */
    CHECK_EQ(errno, ECONNREFUSED);
    CHECK_EQ(stats(p).open, 0);
    CHECK_EQ(stats(p).open_failures, 1);
    put(p, must_get(p));
    close_pool(p);
}

static void reset(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .max = 1 });
    struct thing *t = must_get(p);

    put(p, t);
    CHECK_EQ(made.resets, 1);
    CHECK(must_get(p) == t);
    t->spoilt = true;
    put(p, t);
    CHECK_EQ(made.closes, 1);
    CHECK_EQ(stats(p).dropped, 1);
    t = must_get(p);
    drop(p, t);
    CHECK_EQ(made.resets, 2);
    close_pool(p);
}

static void bad_options(void)
{
    static const struct net_pool_options bad[] = {
        { .max = 65537 },      { .max = 2, .min = 3 }, { .min = 9 },
        { .idle_max = -1 },    { .age_max = -1 },      { .check_after = -1 },
        { .open_timeout = -1 }
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(net_pool_new(&ops, &made, &bad[i]) == NULL);
        CHECK_EQ(errno, EINVAL);
    }
    net_pool_free(NULL);
}

static void foreign_item(void)
{
    int status, unknown;
    pid_t pid = test_fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct net_pool *p = new_pool((struct net_pool_options){ 0 });

        CHECK(freopen("/dev/null", "w", stderr) != NULL);
        net_pool_put(p, &unknown);
        _exit(0);
    }
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* ---- The queue -------------------------------------------------------------
 */

enum { CROWD = 20 };

struct guest {
    struct net_pool *pool;
    struct task task;
    int64_t deadline;
    int err; /* of get, 0: it got one */
    int place;
};

static atomic_int served;

static void waits_and_puts(void *arg)
{
    struct guest *g = arg;
    struct thing *t = get(g->pool, g->deadline);

    g->err = t == NULL ? errno : 0;
    if (t == NULL)
        return;
    g->place = atomic_fetch_add(&served, 1);
    put(g->pool, t);
}

static void in_order(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .max = 1 });
    struct thing *t = must_get(p);
    struct guest guests[CROWD];
    int expected = 0;

    atomic_store(&served, 0);
    for (int i = 0; i < CROWD; i++) {
        guests[i] = (struct guest){ .pool = p, .deadline = CO_FOREVER };
        if (i % 5 == 1)
            guests[i].deadline = co_after(5 * CO_MSEC);
        task_start(&guests[i].task, i % PLACES, waits_and_puts, &guests[i]);
        if (i % 5 == 1)
            task_join(&guests[i].task); /* it gave up: loses nothing */
        until_waiting(p, (unsigned)(i + 1 - (i + 4) / 5));
    }
    put(p, t);
    for (int i = 0; i < CROWD; i++) {
        if (i % 5 != 1)
            task_join(&guests[i].task);
        CHECK_EQ(guests[i].err, i % 5 == 1 ? ETIMEDOUT : 0);
        if (i % 5 != 1)
            CHECK_EQ(guests[i].place, expected++);
    }
    CHECK_EQ(made.opens, 1);
    CHECK_EQ(stats(p).timeouts, CROWD / 5);
    close_pool(p);
}

/* Who cannot open one passes the right to do so on. */
static void failures_pass_on(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .max = 1 });
    struct guest guests[CROWD];
    struct thing *t = must_get(p);
    int failed = 0;

    for (int i = 0; i < CROWD; i++) {
        guests[i] = (struct guest){ .pool = p, .deadline = CO_FOREVER };
        task_start(&guests[i].task, i % PLACES, waits_and_puts, &guests[i]);
        until_waiting(p, (unsigned)i + 1);
    }
    made.fail = CROWD / 2;
    drop(p, t);
    for (int i = 0; i < CROWD; i++) {
        task_join(&guests[i].task);
        CHECK(guests[i].err == 0 || guests[i].err == ECONNREFUSED);
        failed += guests[i].err != 0;
    }
    CHECK_EQ(failed, CROWD / 2);
    CHECK_EQ(stats(p).open_failures, CROWD / 2);
    CHECK_EQ(made.opens, 2);
    close_pool(p);
}

static void in_parallel(void)
{
    enum { MANY = 12 };
    struct net_pool *p = new_pool((struct net_pool_options){ .max = MANY });
    struct guest guests[MANY];

    made.gate_shut = true;
    for (int i = 0; i < MANY; i++) {
        guests[i] = (struct guest){ .pool = p, .deadline = CO_FOREVER };
        task_start(&guests[i].task, i % PLACES, waits_and_puts, &guests[i]);
    }
    while (made.opening < MANY)
        nap();
    CHECK_EQ(stats(p).changing, MANY);
    made.gate_shut = false;
    for (int i = 0; i < MANY; i++)
        task_join(&guests[i].task);
    CHECK_EQ(made.opens, MANY);
    close_pool(p);
}

static void cancelled(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .max = 1 });
    struct guest g = { .pool = p, .deadline = CO_FOREVER };
    struct thing *t = must_get(p);

    task_start(&g.task, ON_FIRST, waits_and_puts, &g);
    until_waiting(p, 1);
    co_cancel(g.task.co);
    task_join(&g.task);
    CHECK_EQ(g.err, ECANCELED);
    CHECK_EQ(stats(p).cancels, 1);
    put(p, t);
    CHECK(must_get(p) == t);
    put(p, t);
    close_pool(p);
}

static void closing(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .max = 2 });
    struct thing *a = must_get(p), *b = must_get(p);
    struct guest guests[CROWD];

    for (int i = 0; i < CROWD; i++) {
        guests[i] = (struct guest){ .pool = p, .deadline = CO_FOREVER };
        task_start(&guests[i].task, i % PLACES, waits_and_puts, &guests[i]);
    }
    until_waiting(p, CROWD);
    net_pool_free(p);
    for (int i = 0; i < CROWD; i++) {
        task_join(&guests[i].task);
        CHECK_EQ(guests[i].err, ESHUTDOWN);
    }
    CHECK_EQ(made.closes, 0);
    put(p, a);
    CHECK_EQ(made.closes, 1);
    drop(p, b);
    CHECK_EQ(made.closes, 2);
}

/* ---- The keeper ------------------------------------------------------------
 */

static void warm(void)
{
    struct net_pool *p =
        new_pool((struct net_pool_options){ .max = 4, .min = 2 });
    struct thing *a, *b;

    while (stats(p).idle < 2)
        nap();
    a = must_get(p);
    b = must_get(p);
    CHECK_EQ(made.opens, 2);
    made.fail = 1; /* it tries again, later */
    drop(p, a);
    put(p, b);
    while (stats(p).idle < 2)
        nap();
    CHECK_EQ(stats(p).open_failures, 1);
    CHECK_EQ(made.opens, 3);
    close_pool(p);
}

static void retires(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){
        .max = 4, .min = 1, .idle_max = 5 * CO_MSEC });
    struct thing *t[4];

    for (int i = 0; i < 4; i++)
        t[i] = must_get(p);
    for (int i = 0; i < 4; i++)
        put(p, t[i]);
    while (stats(p).open > 1)
        nap();
    CHECK_EQ(stats(p).retired, 3);
    CHECK_EQ(stats(p).idle, 1);
    close_pool(p);
    p = new_pool((struct net_pool_options){ .age_max = 5 * CO_MSEC });
    put(p, must_get(p));
    while (stats(p).open > 0)
        nap();
    CHECK_EQ(stats(p).retired, 1);
    t[0] = must_get(p);
    while (co_sleep_until(co_after(6 * CO_MSEC)) < 0)
        ;
    put(p, t[0]); /* too old by now */
    CHECK_EQ(stats(p).open, 0);
    close_pool(p);
}

/* ---- All at once -----------------------------------------------------------
 */

enum { BUSY = 9, ROOM = 3 };

struct worker {
    struct task task;
    struct net_pool *pool;
    unsigned seed;
    long rounds, got;
};

static void works(void *arg)
{
    struct worker *w = arg;

    for (long i = 0; i < w->rounds; i++) {
        int dice = rand_r(&w->seed) % 100;
        int64_t deadline = dice < 10   ? CO_NOWAIT
                           : dice < 40 ? co_after(dice * CO_USEC)
                                       : CO_FOREVER;
        struct thing *t = get(w->pool, deadline);

        if (t == NULL) {
            CHECK(errno == ECONNREFUSED || errno == ETIMEDOUT);
            CHECK(deadline != CO_FOREVER || errno == ECONNREFUSED);
            continue;
        }
        w->got++;
        if (dice % 3 == 0)
            nap();
        if (dice % 10 == 5)
            atomic_fetch_add(&made.fail, 1);
        if (dice % 5 == 0)
            t->dead = true;
        if (dice % 7 == 0)
            drop(w->pool, t);
        else
            put(w->pool, t);
    }
}

static void all_at_once(void)
{
    struct net_pool *p =
        new_pool((struct net_pool_options){ .max = ROOM,
                                            .min = 1,
                                            .idle_max = 200 * CO_USEC,
                                            .age_max = 3 * CO_MSEC,
                                            .check_after = 50 * CO_USEC });
    struct worker workers[BUSY];
    uint64_t got = 0;

    for (int i = 0; i < BUSY; i++) {
        workers[i] = (struct worker){ .pool = p,
                                      .seed = (unsigned)i,
                                      .rounds = test_count(10000) };
        task_start(&workers[i].task, i % PLACES, works, &workers[i]);
    }
    for (int i = 0; i < BUSY; i++) {
        task_join(&workers[i].task);
        got += (uint64_t)workers[i].got;
    }
    CHECK_EQ(stats(p).gets, got);
    CHECK_EQ(stats(p).waiting, 0);
    CHECK_EQ(stats(p).in_use, 0);
    CHECK(made.most <= ROOM);
    close_pool(p);
}

static void without_runtime(void)
{
    struct net_pool *p = new_pool((struct net_pool_options){ .min = 1 });
    struct thing *t = must_get(p);

    put(p, t);
    CHECK(must_get(p) == t);
    net_pool_free(p);
    put(p, t);
    CHECK_EQ(made.closes, 1);
}

/* The runtime ends with the pool, whose keeper it takes along, and comes
 * again. */
static void outlives_runtime(void)
{
    struct net_pool *p =
        new_pool((struct net_pool_options){ .max = 2, .min = 1 });
    struct thing *t;

    for (int i = 0; i < 2; i++) {
        tasks_up();
        put(p, must_get(p));
        CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    }
    t = must_get(p);
    net_pool_free(p);
    put(p, t);
    CHECK_EQ(made.now, 0);
}

int main(void)
{
    RUN(bad_options);
    RUN(foreign_item);
    RUN(without_runtime);
    RUN(outlives_runtime);
    tasks_up();
    RUN(lazily);
    RUN(broken);
    RUN(broken_while_out);
    RUN(checked_after_rest);
    RUN(reset);
    RUN(in_order);
    RUN(failures_pass_on);
    RUN(in_parallel);
    RUN(cancelled);
    RUN(closing);
    RUN(warm);
    RUN(retires);
    RUN(all_at_once);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    return 0;
}
