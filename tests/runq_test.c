/* runq_test.c - the ring that grows, and the inbox that many write to.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/runq.h"
#include "tests/test.h"
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

static struct sched *open_one(void)
{
    struct sched *s = aligned_alloc(64, sizeof *s);

    CHECK(s != NULL);
    memset(s, 0, sizeof *s);
    CHECK_EQ(runq_open(s), 0);
    return s;
}

static void close_one(struct sched *s)
{
    runq_close(s);
    free(s);
}

/* ---- The ring -------------------------------------------------------------
 */

enum { READY = 5000 };

/* Nobody runs them.  Popping looks ahead at where their stacks would be. */
static struct co crowd[READY];

/* Grows with its head anywhere: the first lap moves it by `lap`. */
static void grow_after(uint32_t lap)
{
    struct sched *s = open_one();

    for (uint32_t i = 0; i < lap; i++) {
        runq_push(s, &crowd[0]);
        CHECK(runq_pop(s) == &crowd[0]);
    }
    CHECK(runq_empty(s) && runq_pop(s) == NULL);
    for (int i = 0; i < READY; i++)
        runq_push(s, &crowd[i]);
    CHECK_EQ(runq_count(s), READY);
    for (int i = 0; i < READY; i++)
        CHECK(runq_pop(s) == &crowd[i]);
    CHECK(runq_empty(s));
    close_one(s);
}

static void ring_grows_in_order(void)
{
    for (uint32_t lap = 0; lap < 600; lap += 37)
        grow_after(lap);
}

/* Positions are 32 bits and go round. */
static void positions_go_round(void)
{
    struct sched *s = open_one();

    s->head = s->tail = UINT32_MAX - 100;
    for (int i = 0; i < READY; i++)
        runq_push(s, &crowd[i]);
    for (int i = 0; i < READY; i++)
        CHECK(runq_pop(s) == &crowd[i]);
    close_one(s);
}

/* ---- The inbox ------------------------------------------------------------
 */

enum { SENDERS = 4, POSTS = 64 };

static struct sched *target;

static void queued_once(void)
{
    struct post a = { 0 }, b = { 0 };
    struct sched *s = open_one();

    CHECK(runq_take(s) == NULL);
    runq_post(s, &a, POST_WAKE);
    runq_post(s, &b, POST_START);
    runq_post(s, &a, POST_CANCEL); /* stands there already */
    CHECK(runq_take(s) == &a);
    CHECK(a.next == &b && b.next == NULL); /* the oldest first */
    CHECK_EQ(atomic_load(&a.bits), POST_QUEUED | POST_WAKE | POST_CANCEL);
    CHECK_EQ(atomic_load(&b.bits), POST_QUEUED | POST_START);
    CHECK(runq_take(s) == NULL);
    close_one(s);
}

static bool written(struct sched *s)
{
    uint64_t n;

    return read(s->eventfd, &n, sizeof n) == sizeof n;
}

static void wakes_only_sleepers(void)
{
    struct post a = { 0 }, b = { 0 }, c = { 0 };
    struct sched *s = open_one();

    runq_post(s, &a, POST_WAKE);
    CHECK(!written(s));
    atomic_store(&s->sleeping, 1);
    runq_post(s, &b, POST_WAKE);
    runq_post(s, &c, POST_WAKE); /* one write a sleep */
    CHECK_EQ(atomic_load(&s->sleeping), 0);
    CHECK(written(s) && !written(s));
    close_one(s);
}

struct parcel { /* its number says when it was sent last */
    struct post post;
    atomic_long number;
};

static long rounds;

/* Sends each of its posts again and again, once it is free. */
static void *keep_sending(void *arg)
{
    struct parcel *mine = arg;

    for (long i = 1; i <= rounds; i++) {
        struct parcel *p = &mine[i % POSTS];

        while (atomic_load(&p->post.bits) != 0)
            (void)sched_yield();
        atomic_store_explicit(&p->number, i, memory_order_relaxed);
        runq_post(target, &p->post, POST_WAKE);
    }
    return NULL;
}

static void nothing_is_lost(void)
{
    static struct parcel parcels[SENDERS][POSTS];
    long last[SENDERS] = { 0 }, left;
    pthread_t threads[SENDERS];

    rounds = test_count(1000000);
    left = SENDERS * rounds;
    target = open_one();
    for (int i = 0; i < SENDERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, keep_sending, parcels[i]),
                 0);
    while (left > 0) {
        struct post *next, *p = runq_take(target);

        if (p == NULL)
            (void)sched_yield();
        for (; p != NULL; p = next, left--) {
            struct parcel *parcel = container_of(p, struct parcel, post);
            long sender = (parcel - &parcels[0][0]) / POSTS;

            next = p->next;
            last[sender]++;
            CHECK_EQ(atomic_load(&parcel->number), last[sender]);
            CHECK_EQ(atomic_exchange(&p->bits, 0), POST_QUEUED | POST_WAKE);
        }
    }
    for (int i = 0; i < SENDERS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK(runq_take(target) == NULL);
    close_one(target);
}

int main(void)
{
    memset(crowd, 1, sizeof crowd);
    RUN(ring_grows_in_order);
    RUN(positions_go_round);
    RUN(queued_once);
    RUN(wakes_only_sleepers);
    RUN(nothing_is_lost);
    return 0;
}
