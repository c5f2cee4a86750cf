/* redis_shared_cases.h - Redis by one connection that many share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_REDIS_SHARED_CASES_H
#define TESTS_REDIS_SHARED_CASES_H

#include "net/redis_line.h"
#include "tests/redis_kit.h"
#include <linux/tcp.h>

static struct net_redis *one;
static atomic_int ready;

static void share(const struct net_redis_config *config)
{
    one = net_redis_new(config);
    CHECK(one != NULL);
    atomic_store(&ready, 0);
}

static void share_plain(void)
{
    struct net_redis_config config = plain(0);

    share(&config);
}

static void in_step(int i)
{
    char text[40];

    (void)snprintf(text, sizeof text, "in step %d", i);
    says(net_redis_ask(one, SOON, "ECHO %s", text), text);
}

/* n of them; in coroutines, on all schedulers in turn. */
static void many(co_fn *fn, int n)
{
    int numbers[1000];
    struct co *cos[1000];

    CHECK(n <= 1000);
    for (int i = 0; i < n; i++)
        numbers[i] = i;
    if (!in_coroutines) {
        at_once(fn, numbers, sizeof *numbers, n < 100 ? n : 100);
        return;
    }
    for (int i = 0; i < n; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % 2) };

        cos[i] = co_spawn(fn, &numbers[i], &attr);
        CHECK(cos[i] != NULL);
    }
    for (int i = 0; i < n; i++)
        CHECK_EQ(co_join(cos[i], SOON), 0);
}

/* ---- Its own reply for each ------------------------------------------------
 */

static void asks(void *arg)
{
    int number = *(int *)arg;
    char text[30];

    for (long i = test_count(50); i > 0; i--) {
        (void)snprintf(text, sizeof text, "%d.%ld", number, i);
        says(net_redis_ask(one, SOON, "SET k:%d %s", number, text), "OK");
        says(net_redis_ask(one, SOON, "GET k:%d", number), text);
        if (i % 8 == 0)
            takes(net_redis_ask(one, SOON, "INCR k:%d", number),
                  REDIS_REPLY_ERROR);
        if (i % 8 == 1)
            takes(net_redis_ask(one, SOON, "LRANGE none 0 9"),
                  REDIS_REPLY_ARRAY);
    }
}

static void own_replies(void)
{
    share_plain();
    many(asks, under_valgrind() ? 100 : 1000);
    net_redis_free(one);
}

/* ---- Few writes ------------------------------------------------------------
 */

static void asks_once(void *arg)
{
    (void)arg;
    says(net_redis_ask(one, SOON, "PING"), "PONG");
}

/* Segments with data that the shared connection has sent: as many as writes of
 * less than 64 KiB, on the loopback. */
static unsigned writes(void)
{
    struct tcp_info state;
    socklen_t len = sizeof state;

    co_mutex_lock(&one->lock);
    CHECK(one->line != NULL);
    CHECK_EQ(getsockopt(one->line->c->fd, IPPROTO_TCP, TCP_INFO, &state, &len),
             0);
    co_mutex_unlock(&one->lock);
    return state.tcpi_data_segs_out;
}

/* What is asked in one turn of the scheduler is written at once. */
static void one_write(void)
{
    struct co_group group = { 0 };
    unsigned before;

    share_plain();
    in_step(0);
    before = writes();
    for (int i = 0; i < 500; i++)
        CHECK_EQ(co_group_go(&group, asks_once, NULL), 0);
    CHECK_EQ(co_group_wait(&group, SOON), 0);
    CHECK_EQ(writes() - before, 1);
    net_redis_free(one);
}

/* ---- Who gives up ----------------------------------------------------------
 */

static void waits_for_thaw(void *arg)
{
    atomic_fetch_add(&ready, 1);
    in_step(*(int *)arg);
}

static void gives_up(void *arg)
{
    atomic_fetch_add(&ready, 1);
    fails_with(net_redis_ask(one, co_after(20 * CO_MSEC), "ECHO %s", "late"),
               ETIMEDOUT);
    atomic_fetch_add(&ready, 1);
    (void)arg;
}

static void is_cancelled(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ready, 1);
    fails_with(net_redis_ask(one, SOON, "ECHO %s", "cancelled"), ECANCELED);
}

static void until_ready(int n)
{
    while (atomic_load(&ready) < n)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
}

static void half_each(void *arg)
{
    (*(int *)arg % 2 == 0 ? waits_for_thaw : gives_up)(arg);
}

static void thaws(void *arg)
{
    until_ready(*(int *)arg);
    servers("thaw redis");
}

struct mixed { /* what at_once() runs */
    co_fn *fn;
    int number;
};

static void runs_one(void *arg)
{
    struct mixed *m = arg;

    m->fn(&m->number);
}

/* Their replies come later, and nobody else gets them. */
static void givers_up(void)
{
    enum { ASKERS = 40 };
    struct mixed all[ASKERS + 1];
    struct co *c = NULL;

    share_plain();
    in_step(0);
    servers("freeze redis");
    for (int i = 0; i < ASKERS; i++)
        all[i] = (struct mixed){ half_each, i };
    all[ASKERS] = (struct mixed){ thaws, ASKERS + ASKERS / 2 };
    if (in_coroutines) {
        CHECK((c = co_spawn(is_cancelled, NULL, NULL)) != NULL);
        until_ready(1);
        co_cancel(c);
        CHECK_EQ(co_join(c, SOON), 0);
    }
    at_once(runs_one, all, sizeof *all, ASKERS + 1);
    for (int i = 0; i < 10; i++)
        in_step(i);
    net_redis_free(one);
}

static void hastens(void *arg)
{
    unsigned seed = (unsigned)*(int *)arg + 1;
    char text[40];

    for (long i = test_count(200); i > 0; i--) {
        redisReply *r;

        seed = seed * 1103515245 + 12345;
        (void)snprintf(text, sizeof text, "%d.%ld", *(int *)arg, i);
        r = net_redis_ask(one, co_after(seed >> 12 & 0xfffff), "ECHO %s", text);
        if (r == NULL)
            CHECK_EQ(errno, ETIMEDOUT);
        else
            says(r, text);
    }
}

/* Up to one millisecond for each: some replies come in time. */
static void haste(void)
{
    share_plain();
    many(hastens, 50);
    in_step(0);
    net_redis_free(one);
}

/* ---- Its end ---------------------------------------------------------------
 */

static void is_shut_down(void *arg)
{
    redisReply *r;

    (void)arg;
    atomic_fetch_add(&ready, 1);
    r = net_redis_ask(one, SOON, "ECHO %s", "x");
    if (r == NULL)
        CHECK(errno == ESHUTDOWN);
    else
        says(r, "x");
}

static void frees(void *arg)
{
    until_ready(*(int *)arg);
    CHECK_EQ(co_sleep_until(co_after(20 * CO_MSEC)), 0);
    net_redis_free(one);
}

static void free_among(int askers)
{
    struct mixed all[41];

    for (int i = 0; i < askers; i++)
        all[i] = (struct mixed){ is_shut_down, i };
    all[askers] = (struct mixed){ frees, askers };
    at_once(runs_one, all, sizeof *all, askers + 1);
}

/* With questions open: while the server does not answer, and while it does not
 * even greet. */
static void freed(void)
{
    struct net_redis_config config = plain(0);
    int64_t begin = co_now();

    share_plain();
    in_step(0);
    servers("freeze redis");
    free_among(40);
    servers("thaw redis");
    config.silence_max = CO_FOREVER;
    config.addr = at_port(silent_port());
    share(&config);
    free_among(40);
    share(&config);
    net_redis_free(one); /* never asked */
    check_within(begin, 10 * CO_SECOND);
}

/* ---- Odd questions ---------------------------------------------------------
 */

static void odd(void)
{
    share_plain();
    in_step(0);
    fails_with(net_redis_ask(one, SOON, ""), EINVAL);
    fails_with(net_redis_ask(one, SOON, "GET %y"), EINVAL);
    in_step(1);
    says(net_redis_ask(one, SOON, "%s", ""), "ERR unknown command");
    in_step(2);
    (void)net_redis_ask(one, CO_NOWAIT, "ECHO %s", "y");
    in_step(3);
    /* One too many: the connection is given up, and nobody misled. */
    takes(net_redis_ask(one, SOON, "SUBSCRIBE a b"), REDIS_REPLY_ARRAY);
    in_step(4);
    net_redis_free(one);
}

static void gets_large(void *arg)
{
    struct mixed *m = arg;
    size_t size = (size_t)m->number;
    char *value = large_value(size);

    for (int i = 0; i < 3; i++) {
        says(
            net_redis_ask(one, SOON, "SET large:%d %b", m->number, value, size),
            "OK");
        is_value(net_redis_ask(one, SOON, "GET large:%d", m->number), value,
                 size);
        in_step(i);
    }
    free(value);
}

static void large_ones(void)
{
    struct net_redis_config config = plain(0);
    struct mixed sizes[] = {
        { NULL, 10000000 }, { NULL, 1000000 }, { NULL, 16384 }, { NULL, 0 }
    };

    if (under_valgrind())
        sizes[0].number = 500000;
    config.silence_max = CO_FOREVER;
    share(&config);
    at_once(gets_large, sizes, sizeof *sizes, 4);
    net_redis_free(one);
}

/* ---- Nobody there ----------------------------------------------------------
 */

static void is_refused(void *arg)
{
    (void)arg;
    fails_with(net_redis_ask(one, SOON, "PING"), ECONNREFUSED);
}

static void is_ignored(void *arg)
{
    (void)arg;
    fails_with(net_redis_ask(one, SOON, "PING"), ETIMEDOUT);
}

static void not_there(void)
{
    struct net_redis_config config = plain(0);
    int64_t begin = co_now();

    config.addr = "127.0.0.1:1";
    share(&config);
    many(is_refused, 100);
    net_redis_free(one);
    config.addr = at_port(silent_port());
    config.pool.open_timeout = 100 * CO_MSEC;
    share(&config);
    many(is_ignored, 100);
    net_redis_free(one);
    check_within(begin, 20 * CO_SECOND);
    config = plain(0);
    config.user = "nobody";
    config.password = "x";
    share(&config);
    fails_with(net_redis_ask(one, SOON, "PING"), EACCES);
    net_redis_free(one);
}

static void asks_anew(void *arg)
{
    (void)arg;
    while (atomic_load(&ready) == 0)
        fails_with(net_redis_ask(one, co_after(5 * CO_MSEC), "PING"),
                   ETIMEDOUT);
}

static void is_ignored_for_good(void *arg)
{
    is_ignored(arg);
    atomic_store(&ready, 1);
}

/* The server owes replies, and says nothing: it is given up in time, however
 * long those who ask would wait, and however many ask anew. */
static void silence(void)
{
    struct mixed both[] = { { is_ignored_for_good, 0 }, { asks_anew, 1 } };
    struct net_redis_config config = plain(0);
    int64_t begin;

    config.silence_max = 200 * CO_MSEC;
    config.pool.open_timeout = 100 * CO_MSEC;
    share(&config);
    in_step(0);
    servers("freeze redis");
    begin = co_now();
    at_once(runs_one, both, sizeof *both, 2);
    check_within(begin, 20 * CO_SECOND);
    is_ignored(NULL); /* it does not greet, either */
    servers("thaw redis");
    in_step(1);
    CHECK_EQ(co_sleep_until(co_after(300 * CO_MSEC)), 0); /* owes nothing */
    in_step(2);
    net_redis_free(one);
}

static void shared_cases(void)
{
    RUN(own_replies);
    RUN(givers_up);
    RUN(haste);
    RUN(freed);
    RUN(odd);
    RUN(large_ones);
    RUN(not_there);
    RUN(silence);
}

#endif
