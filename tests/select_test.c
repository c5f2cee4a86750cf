/* select_test.c - waiting for the first of several.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/tasks.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

static struct co_chan *make(size_t capacity)
{
    struct co_chan *ch = co_chan_new(sizeof(long), capacity);

    CHECK(ch != NULL);
    return ch;
}

/* ---- Every mix of ready, closed, nil and waiting
 * -----------------------------
 */

enum kind { READY, CLOSED, NIL, BUSY, KINDS };

/* A case of the kind, for a send when the bit says so. */
static struct co_case case_of(enum kind kind, bool send, long *elem)
{
    struct co_chan *ch = NULL;
    long seven = 7;

    if (kind != NIL)
        ch = make(1);
    if (kind == READY ? !send : kind == BUSY && send)
        CHECK_EQ(co_chan_send(ch, &seven, CO_NOWAIT), 0);
    if (kind == CLOSED)
        co_chan_close(ch);
    return send ? (struct co_case)CO_SEND(ch, elem)
                : (struct co_case)CO_RECV(ch, elem);
}

static void check_mix(const enum kind kinds[3], unsigned sends)
{
    struct co_case cases[3];
    long elems[3] = { 1, 2, 3 };
    bool any = false;
    int done;

    for (int i = 0; i < 3; i++) {
        cases[i] = case_of(kinds[i], sends >> i & 1, &elems[i]);
        any = any || kinds[i] == READY || kinds[i] == CLOSED;
    }
    done = co_select(cases, 3, CO_NOWAIT);
    if (!any) {
        CHECK_EQ(done, -1);
        CHECK_EQ(errno, ETIMEDOUT);
    } else {
        CHECK(done >= 0 && done < 3);
        CHECK(kinds[done] == READY || kinds[done] == CLOSED);
        CHECK_EQ(cases[done].err, kinds[done] == READY ? 0 : EPIPE);
    }
    for (int i = 0; i < 3; i++) {
        bool send = sends >> i & 1, did = i == done && kinds[i] == READY;
        long value;

        /* The chosen one was done, and no other. */
        if (kinds[i] == READY && send)
            CHECK_EQ(co_chan_recv(cases[i].chan, &value, CO_NOWAIT),
                     did ? 0 : -1);
        if (kinds[i] == READY && !send) {
            CHECK_EQ(elems[i], did ? 7 : i + 1);
            CHECK_EQ(co_chan_recv(cases[i].chan, &value, CO_NOWAIT),
                     did ? -1 : 0);
        }
        co_chan_free(cases[i].chan);
    }
}

static void all_mixes(void *arg)
{
    (void)arg;
    for (int i = 0; i < KINDS * KINDS * KINDS; i++) {
        enum kind kinds[3] = { (enum kind)(i % KINDS),
                               (enum kind)(i / KINDS % KINDS),
                               (enum kind)(i / KINDS / KINDS) };

        for (unsigned sends = 0; sends < 8; sends++)
            check_mix(kinds, sends);
    }
}

static void everywhere(co_fn *fn)
{
    for (int place = 0; place < PLACES; place++) {
        struct task t;

        task_start(&t, place, fn, NULL);
        task_join(&t);
    }
}

static void mixes(void) { everywhere(all_mixes); }

/* ---- Choice
 * ------------------------------------------------------------------
 */

static void choose(void *arg)
{
    struct co_chan *a = make(1), *b = make(1), *nil = NULL;
    int chosen[3] = { 0 };
    long value = 0;

    (void)arg;
    for (int i = 0; i < 3000; i++) {
        struct co_case cases[] = { CO_SEND(a, &value), CO_RECV(nil, &value),
                                   CO_SEND(b, &value) };
        int done = co_select(cases, 3, CO_FOREVER);

        CHECK(done == 0 || done == 2);
        chosen[done]++;
        CHECK_EQ(co_chan_recv(cases[done].chan, &value, CO_NOWAIT), 0);
    }
    CHECK(chosen[0] > 1000 && chosen[2] > 1000);
    co_chan_free(a);
    co_chan_free(b);
}

static void random_choice(void) { everywhere(choose); }

static void sleep_only(void *arg)
{
    int64_t until = co_after(2 * CO_MSEC);
    long value;
    struct co_case nil[] = { CO_RECV(NULL, &value) };

    (void)arg;
    CHECK_EQ(co_select(NULL, 0, until), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK(co_now() >= until);
    CHECK_EQ(co_select(nil, 1, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
}

static void nothing_but_time(void) { everywhere(sleep_only); }

/* ---- Crosswise: two selects that send and receive on the same two channels
 * ---
 */

static struct co_chan *left, *right;
static atomic_long sent, received, matches;
static long rounds;

static void cross(void *arg)
{
    bool swap = (long)arg;

    for (long i = 0; i < rounds; i++) {
        long out = i + 1, in = 0;
        struct co_case cases[] = { CO_SEND(swap ? right : left, &out),
                                   CO_RECV(swap ? left : right, &in) };
        int done = co_select(cases, 2, CO_FOREVER);

        /* For ever: a match that was lost would hang. */
        if (done == 0) {
            CHECK_EQ(cases[0].err, 0);
            atomic_fetch_add(&sent, out);
        } else {
            CHECK_EQ(done, 1);
            CHECK_EQ(cases[1].err, 0);
            atomic_fetch_add(&received, in);
        }
        atomic_fetch_add(&matches, 1);
    }
}

static void crosswise(void)
{
    rounds = test_count(50000);
    for (int a = 0; a < PLACES; a++) {
        for (int b = 0; b < PLACES; b++) {
            struct task one, other;

            left = make(0);
            right = make(0);
            atomic_store(&sent, 0);
            atomic_store(&received, 0);
            atomic_store(&matches, 0);
            task_start(&one, a, cross, (void *)0);
            task_start(&other, b, cross, (void *)1);
            task_join(&one);
            task_join(&other);
            CHECK_EQ(atomic_load(&matches), 2 * rounds);
            CHECK_EQ(atomic_load(&sent), atomic_load(&received));
            co_chan_free(left);
            co_chan_free(right);
        }
    }
}

/* ---- A crowd on several channels, with time-outs
 * -----------------------------
 */

enum { CHANNELS = 4, CROWD = 9 };

static struct co_chan *channels[CHANNELS];

/* Each element is a number that is counted when sent and when received. */
static void mingle(void *arg)
{
    unsigned r = (unsigned)(uintptr_t)arg * 77;

    for (long i = 0; i < rounds; i++) {
        struct co_case cases[5];
        long in[5], out = i + 1;
        int64_t deadline = co_after(1 + (long)(r >> 18) % 60 * CO_USEC);
        int n = 1 + (int)(r >> 16) % 5, done;

        for (int j = 0; j < n; j++) {
            struct co_chan *ch;

            r = r * 1103515245 + 12345;
            ch = channels[(r >> 16) % CHANNELS]; /* some come twice */
            in[j] = -1;
            cases[j] = r >> 24 & 1 ? (struct co_case)CO_SEND(ch, &out)
                                   : (struct co_case)CO_RECV(ch, &in[j]);
        }
        done = co_select(cases, n, deadline);
        if (done < 0) {
            CHECK_EQ(errno, ETIMEDOUT);
            continue;
        }
        CHECK_EQ(cases[done].err, 0);
        if (cases[done].op == CO_OP_SEND)
            atomic_fetch_add(&sent, out);
        else
            atomic_fetch_add(&received, in[done]);
        for (int j = 0; j < n; j++)
            CHECK(j == done || in[j] == -1);
    }
}

static void crowd(void)
{
    struct task tasks[CROWD];

    rounds = test_count(20000);
    atomic_store(&sent, 0);
    atomic_store(&received, 0);
    for (int i = 0; i < CHANNELS; i++)
        channels[i] = make(i == 3 ? 2 : 0);
    for (long i = 0; i < CROWD; i++)
        task_start(&tasks[i], (int)i % PLACES, mingle, (void *)(i + 1));
    for (int i = 0; i < CROWD; i++)
        task_join(&tasks[i]);
    for (int i = 0; i < CHANNELS; i++) {
        long value;

        while (co_chan_recv(channels[i], &value, CO_NOWAIT) == 0)
            atomic_fetch_add(&received, value);
        co_chan_free(channels[i]);
    }
    CHECK_EQ(atomic_load(&sent), atomic_load(&received));
}

/* ---- Close and cancel while it waits ----------------------------------------
 */

static void select_until_closed(void *arg)
{
    long value = 0;
    struct co_case cases[] = { CO_RECV(left, &value), CO_SEND(right, &value),
                               CO_RECV(NULL, &value) };
    int done = co_select(cases, 3, CO_FOREVER);

    (void)arg;
    CHECK(done == 0 || done == 1);
    CHECK_EQ(cases[done].err, EPIPE);
}

static void close_ends_it(void)
{
    for (long round = 0; round < test_count(2000); round++) {
        struct task tasks[6];

        left = make(0);
        right = make(0);
        for (int i = 0; i < 6; i++)
            task_start(&tasks[i], i % PLACES, select_until_closed, NULL);
        for (long i = 0; i < round % 20; i++)
            sched_yield();
        co_chan_close(round % 2 == 0 ? left : right);
        for (int i = 0; i < 6; i++)
            task_join(&tasks[i]);
        co_chan_free(left);
        co_chan_free(right);
    }
}

static void select_once(void *arg)
{
    long *result = arg, value = 1;
    struct co_case cases[] = { CO_SEND(left, &value), CO_SEND(right, &value) };

    *result = co_select(cases, 2, CO_FOREVER) >= 0 ? 0 : errno;
}

static void cancel_races(void)
{
    long n = test_count(20000);

    left = make(0);
    right = make(0);
    for (long i = 0; i < n; i++) {
        struct co_chan *ch = i % 3 == 0 ? left : right;
        struct task t;
        long result = -1, value = 0;
        bool got;

        task_start(&t, (int)i % 2, select_once, &result);
        if (i % 4 < 2)
            co_cancel(t.co);
        got = co_chan_recv(ch, &value, co_after(i % 30 * CO_USEC)) == 0;
        if (i % 4 >= 2)
            co_cancel(t.co);
        task_join(&t);
        CHECK_EQ(got ? 0 : ECANCELED, result);
        CHECK_EQ(value, got);
    }
    co_chan_free(left);
    co_chan_free(right);
}

/* ---- Descriptors
 * -------------------------------------------------------------
 */

static void write_byte(int fd) { CHECK_EQ(write(fd, "x", 1), 1); }

static void with_fds(void *arg)
{
    struct co_chan *ch = make(1);
    int p[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    long value = 3;
    char c;

    (void)arg;
    CHECK(file >= 0);
    CHECK_EQ(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    struct co_case cases[] = { CO_RECV(ch, &value), CO_FD(p[0], CO_READ) };

    CHECK_EQ(co_select(cases, 2, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_select(cases, 2, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_chan_send(ch, &value, CO_NOWAIT), 0);
    CHECK_EQ(co_select(cases, 2, CO_FOREVER), 0);
    write_byte(p[1]);
    CHECK_EQ(co_select(cases, 2, CO_FOREVER), 1);
    CHECK_EQ(cases[1].events, CO_READ);
    CHECK_EQ(cases[1].err, 0);
    /* Level-triggered: it is still ready. */
    CHECK_EQ(co_select(cases, 2, CO_NOWAIT), 1);
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(co_select(cases, 2, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);

    cases[0] = (struct co_case)CO_FD(file, CO_READ);
    CHECK_EQ(co_select(cases, 2, CO_FOREVER), 0);
    CHECK_EQ(cases[0].events, CO_READ);
    cases[0] = (struct co_case)CO_FD(file, CO_PRI); /* never */
    CHECK_EQ(co_select(cases, 2, co_after(CO_MSEC)), -1);
    cases[0] = (struct co_case)CO_FD(-1, CO_READ);
    CHECK_EQ(co_select(cases, 2, CO_FOREVER), 0);
    CHECK_EQ(cases[0].err, EBADF);
    CHECK_EQ(close(p[1]), 0);
    CHECK_EQ(co_select(cases + 1, 1, CO_FOREVER), 0);
    CHECK_EQ(cases[1].events, CO_HUP);
    CHECK_EQ(co_close(p[0]), 0);
    CHECK_EQ(close(file), 0);
    co_chan_free(ch);
}

static void descriptors(void) { everywhere(with_fds); }

/* A relay waits for bytes and elements at once, and counts both. */
static int relay_pipe[2];

static void relay(void *arg)
{
    long *counts = arg, value;
    char buf[16];

    for (;;) {
        struct co_case cases[] = { CO_FD(relay_pipe[0], CO_READ),
                                   CO_RECV(left, &value) };
        int done = co_select(cases, 2, CO_FOREVER);
        ssize_t n;

        CHECK(done >= 0);
        if (done == 1) {
            if (cases[1].err == EPIPE)
                break;
            counts[1] += value;
        } else {
            CHECK_EQ(cases[0].err, 0);
            n = read(relay_pipe[0], buf, sizeof buf);
            CHECK(n > 0);
            counts[0] += n;
        }
    }
}

static void feed_chan(void *arg)
{
    long one = 1;

    (void)arg;
    for (long i = 0; i < rounds; i++)
        CHECK_EQ(co_chan_send(left, &one, CO_FOREVER), 0);
}

static void feed_pipe(void *arg)
{
    (void)arg;
    for (long i = 0; i < rounds; i++)
        write_byte(relay_pipe[1]);
}

static void relayed(void)
{
    rounds = test_count(20000);
    for (int a = 0; a < PLACES; a++) {
        for (int b = 0; b < PLACES; b++) {
            struct task to, chan, bytes;
            long counts[2] = { 0 };

            left = make(0);
            CHECK_EQ(pipe2(relay_pipe, O_CLOEXEC), 0);
            task_start(&to, a, relay, counts);
            task_start(&chan, b, feed_chan, NULL);
            task_start(&bytes, ON_THREAD, feed_pipe, NULL);
            task_join(&chan);
            task_join(&bytes);
            while (co_fd_wait(relay_pipe[0], CO_READ, CO_NOWAIT) >= 0)
                sched_yield();
            co_chan_close(left);
            task_join(&to);
            CHECK_EQ(counts[0], rounds);
            CHECK_EQ(counts[1], rounds);
            CHECK_EQ(co_close(relay_pipe[0]), 0);
            CHECK_EQ(co_close(relay_pipe[1]), 0);
            co_chan_free(left);
        }
    }
}

static atomic_int arrived;

static void select_until_bad(void *arg)
{
    long value;
    struct co_case cases[] = { CO_FD(relay_pipe[0], CO_READ),
                               CO_RECV(left, &value),
                               CO_FD(relay_pipe[0], CO_PRI) };
    int done;

    (void)arg;
    /* A thread makes an eventfd when it first waits; that must not get the
     * number that is about to be closed. */
    CHECK_EQ(co_select(cases, 3, CO_NOWAIT), -1);
    atomic_fetch_add(&arrived, 1);
    done = co_select(cases, 3, CO_FOREVER);
    CHECK(done == 0 || done == 2);
    CHECK_EQ(cases[done].err, EBADF);
}

static void closed_descriptors(void)
{
    left = make(0);
    for (long round = 0; round < test_count(2000); round++) {
        struct task tasks[PLACES];

        CHECK_EQ(pipe2(relay_pipe, O_CLOEXEC), 0);
        atomic_store(&arrived, 0);
        for (int i = 0; i < PLACES; i++)
            task_start(&tasks[i], i, select_until_bad, NULL);
        while (atomic_load(&arrived) < PLACES)
            sched_yield();
        for (long i = 0; i < round % 20; i++)
            sched_yield();
        CHECK_EQ(co_close(relay_pipe[0]), 0);
        for (int i = 0; i < PLACES; i++)
            task_join(&tasks[i]);
        CHECK_EQ(co_close(relay_pipe[1]), 0);
    }
    co_chan_free(left);
}

/* ---- Many cases
 * --------------------------------------------------------------
 */

enum { MANY = 300 };

static struct co_chan *many[MANY];

static void send_to_each(void *arg)
{
    (void)arg;
    for (long i = MANY - 1; i >= 0; i--)
        CHECK_EQ(co_chan_send(many[i], &i, CO_FOREVER), 0);
}

static void from_many(void *arg)
{
    static struct co_case cases[MANY];
    struct task sender;
    long value;

    (void)arg;
    for (int i = 0; i < MANY; i++)
        many[i] = make(0);
    task_start(&sender, ON_SECOND, send_to_each, NULL);
    for (int i = MANY - 1; i >= 0; i--) {
        for (int j = 0; j < MANY; j++)
            cases[j] = (struct co_case)CO_RECV(many[j * 7 % MANY], &value);
        CHECK_EQ(co_select(cases, MANY, CO_FOREVER) * 7 % MANY, i);
        CHECK_EQ(value, i);
    }
    task_join(&sender);
    for (int i = 0; i < MANY; i++)
        co_chan_free(many[i]);
}

static void many_cases(void) { everywhere(from_many); }

int main(void)
{
    tasks_up();
    RUN(mixes);
    RUN(random_choice);
    RUN(nothing_but_time);
    RUN(crosswise);
    RUN(crowd);
    RUN(close_ends_it);
    RUN(cancel_races);
    RUN(descriptors);
    RUN(relayed);
    RUN(closed_descriptors);
    RUN(many_cases);
    tasks_down();
    return 0;
}
