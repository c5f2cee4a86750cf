/* chan_test.c - channels.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/tasks.h"
#include <stdatomic.h>

static struct co_chan *make(size_t size, size_t capacity)
{
    struct co_chan *ch = co_chan_new(size, capacity);

    CHECK(ch != NULL);
    return ch;
}

/* ---- Between every two places
 * ------------------------------------------------
 */

static struct co_chan *to, *back;
static long rounds;

static void asks(void *arg)
{
    (void)arg;
    for (long i = 0; i < rounds; i++) {
        long answer;

        CHECK_EQ(co_chan_send(to, &i, CO_FOREVER), 0);
        CHECK_EQ(co_chan_recv(back, &answer, CO_FOREVER), 0);
        CHECK_EQ(answer, 2 * i);
    }
    co_chan_close(to);
}

static void answers(void *arg)
{
    long question;

    (void)arg;
    while (co_chan_recv(to, &question, CO_FOREVER) == 0) {
        question *= 2;
        CHECK_EQ(co_chan_send(back, &question, CO_FOREVER), 0);
    }
    CHECK_EQ(errno, EPIPE);
}

static void back_and_forth(void)
{
    rounds = test_count(20000);
    for (int a = 0; a < PLACES; a++) {
        for (int b = a; b < PLACES; b++) {
            for (size_t capacity = 0; capacity < 2; capacity++) {
                struct task one, other;

                to = make(sizeof(long), capacity);
                back = make(sizeof(long), 0);
                task_start(&one, a, asks, NULL);
                task_start(&other, b, answers, NULL);
                task_join(&one);
                task_join(&other);
                co_chan_free(to);
                co_chan_free(back);
            }
        }
    }
}

/* ---- Many to many, with time-outs and cancels: nothing lost, nothing twice --
 */

enum { SIDES = 6 };

struct parcel { /* of an odd size, with its sum, to see torn copies */
    long a, b;
    char c;
};

static struct co_chan *parcels;
static atomic_long sent, received;
static atomic_int senders_left;

static unsigned next_random(unsigned *r)
{
    *r = *r * 1103515245 + 12345;
    return *r >> 16;
}

static void send_parcels(void *arg)
{
    unsigned r = (unsigned)(uintptr_t)arg;

    for (long i = 0; i < rounds; i++) {
        struct parcel p = { i, ~i, (char)i };
        int64_t deadline = next_random(&r) % 4 == 0
                               ? co_after(next_random(&r) % 40 * CO_USEC)
                               : CO_FOREVER;

        if (co_chan_send(parcels, &p, deadline) == 0)
            atomic_fetch_add(&sent, i + 1);
        else
            CHECK_EQ(errno, ETIMEDOUT);
    }
    if (atomic_fetch_sub(&senders_left, 1) == 1)
        co_chan_close(parcels);
}

static void receive_parcels(void *arg)
{
    unsigned r = (unsigned)(uintptr_t)arg;

    for (;;) {
        struct parcel p = { 0 };
        int64_t deadline = next_random(&r) % 4 == 0
                               ? co_after(next_random(&r) % 40 * CO_USEC)
                               : CO_FOREVER;

        if (co_chan_recv(parcels, &p, deadline) < 0) {
            if (errno == EPIPE)
                return;
            CHECK_EQ(errno, ETIMEDOUT);
            continue;
        }
        CHECK_EQ(p.a, ~p.b);
        CHECK_EQ(p.c, (char)p.a);
        atomic_fetch_add(&received, p.a + 1);
    }
}

static void many_to_many(void)
{
    static const size_t capacities[] = { 0, 1, 7 };

    rounds = test_count(10000);
    for (int c = 0; c < 3; c++) {
        struct task tasks[2 * SIDES];

        parcels = make(sizeof(struct parcel), capacities[c]);
        atomic_store(&sent, 0);
        atomic_store(&received, 0);
        atomic_store(&senders_left, SIDES);
        for (long i = 0; i < SIDES; i++) {
            task_start(&tasks[i], (int)i % PLACES, send_parcels, (void *)i);
            task_start(&tasks[SIDES + i], (int)i % PLACES, receive_parcels,
                       (void *)i);
        }
        for (int i = 0; i < 2 * SIDES; i++)
            task_join(&tasks[i]);
        CHECK_EQ(atomic_load(&received), atomic_load(&sent));
        co_chan_free(parcels);
    }
}

static void send_once(void *arg)
{
    long *result = arg, value = 1;

    *result = co_chan_send(to, &value, CO_FOREVER) == 0 ? 0 : errno;
}

static void cancel_races(void)
{
    long n = test_count(20000);

    to = make(sizeof(long), 0);
    for (long i = 0; i < n; i++) {
        struct task t;
        long result = -1, value = 0;
        bool got;

        task_start(&t, (int)i % 2, send_once, &result);
        if (i % 4 < 2)
            co_cancel(t.co);
        got = co_chan_recv(to, &value, co_after(i % 30 * CO_USEC)) == 0;
        if (i % 4 >= 2)
            co_cancel(t.co);
        task_join(&t);
        CHECK_EQ(got ? 0 : ECANCELED, result);
        CHECK_EQ(value, got);
    }
    co_chan_free(to);
}

/* ---- Close
 * -------------------------------------------------------------------
 */

static atomic_long piped;

static void until_closed(void *arg)
{
    long value = 0;
    int r = (long)arg % 2 == 0 ? co_chan_recv(to, &value, CO_FOREVER)
                               : co_chan_send(back, &value, CO_FOREVER);

    CHECK_EQ(r, -1);
    CHECK_EQ(errno, EPIPE);
    atomic_fetch_add(&piped, 1);
}

static void close_wakes_all(void)
{
    for (long round = 0; round < test_count(1000); round++) {
        struct task tasks[12];

        to = make(sizeof(long), 3);
        back = make(sizeof(long), 0);
        atomic_store(&piped, 0);
        for (long i = 0; i < 12; i++)
            task_start(&tasks[i], (int)i / 2 % PLACES, until_closed, (void *)i);
        for (long i = 0; i < round % 20; i++)
            sched_yield();
        co_chan_close(to);
        co_chan_close(back);
        co_chan_close(back);
        for (int i = 0; i < 12; i++)
            task_join(&tasks[i]);
        CHECK_EQ(atomic_load(&piped), 12);
        co_chan_free(to);
        co_chan_free(back);
    }
}

/* ---- On one scheduler: order and errors
 * --------------------------------------
 */

static void send_own(void *arg)
{
    CHECK_EQ(co_chan_send(to, &arg, CO_FOREVER), 0);
}

static void root_order(void *arg)
{
    struct co_group g = { 0 };
    long value;

    (void)arg;
    to = make(sizeof(long), 5);
    for (long i = 0; i < 40; i++)
        CHECK_EQ(co_group_go(&g, send_own, (void *)i), 0);
    co_yield_now();
    for (long i = 0; i < 40; i++) {
        CHECK_EQ(co_chan_recv(to, &value, CO_NOWAIT), 0);
        CHECK_EQ(value, i);
    }
    CHECK_EQ(co_chan_recv(to, &value, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_group_wait(&g, CO_FOREVER), 0);
    co_chan_free(to);
}

static void root_errors(void *arg)
{
    struct co_chan *ch = make(1, 2);
    char c = 'a';

    (void)arg;
    co_chan_free(NULL);
    CHECK(co_chan_new(SIZE_MAX / 2, 3) == NULL);
    CHECK_EQ(errno, ENOMEM);
    CHECK_EQ(co_chan_recv(ch, &c, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_chan_recv(ch, &c, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_chan_recv(NULL, &c, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_chan_send(NULL, &c, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_chan_send(ch, "x", CO_NOWAIT), 0);
    CHECK_EQ(co_chan_send(ch, "y", CO_NOWAIT), 0);
    CHECK_EQ(co_chan_send(ch, "z", CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    co_chan_close(ch);
    CHECK_EQ(co_chan_send(ch, "z", CO_NOWAIT), -1);
    CHECK_EQ(errno, EPIPE);
    /* What was sent before is still there. */
    CHECK_EQ(co_chan_recv(ch, &c, CO_NOWAIT), 0);
    CHECK_EQ(c, 'x');
    CHECK_EQ(co_chan_recv(ch, &c, CO_FOREVER), 0);
    CHECK_EQ(c, 'y');
    CHECK_EQ(co_chan_recv(ch, &c, CO_FOREVER), -1);
    CHECK_EQ(errno, EPIPE);
    co_chan_free(ch);

    /* Elements of no size are events. */
    ch = make(0, 1);
    CHECK_EQ(co_chan_send(ch, NULL, CO_NOWAIT), 0);
    co_cancel(co_self());
    CHECK_EQ(co_chan_recv(ch, NULL, CO_NOWAIT), -1);
    CHECK_EQ(errno, ECANCELED);
    co_hold_cancel(true);
    CHECK_EQ(co_chan_recv(ch, NULL, CO_NOWAIT), 0);
    co_chan_free(ch);
}

static void order(void) { CHECK_EQ(co_run(root_order, NULL, NULL), 0); }
static void errors(void) { CHECK_EQ(co_run(root_errors, NULL, NULL), 0); }

int main(void)
{
    RUN(order);
    RUN(errors);
    tasks_up();
    RUN(back_and_forth);
    RUN(many_to_many);
    RUN(cancel_races);
    RUN(close_wakes_all);
    tasks_down();
    return 0;
}
