/* fd_race_test.c - readiness, close, cancel and deadline at the same moment.
 *
 * In each round a reader waits for one byte, and two of the four happen to it:
 * one done by the root, on the first scheduler, the other by its opponent, on
 * the second, both after a random short time.  The reader, on either scheduler
 * or a plain thread, must end with what one of the two does, and a byte
 * that it did not get must still be there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/io_kit.h"

enum { READY = 1, CLOSE = 2, CANCEL = 4, DEADLINE = 8 };

struct round {
    int fds[2];
    struct co *reader;
    pthread_t thread;
    bool on_thread;
    int64_t deadline;
    int spins[2]; /* of the root, of its opponent */
    int result;   /* bytes, or minus the errno */
};

static struct round now;
static int root_does, opponent_does;
static uint32_t state = 1;

static uint32_t chance(uint32_t below)
{
    state = state * 1664525 + 1013904223;
    return (state >> 16) % below;
}

static void act(int what, int spins)
{
    for (volatile int i = 0; i < spins; i++)
        ;
    if (what == READY)
        CHECK(co_write(now.fds[1], "x", 1, CO_NOWAIT) == 1 ||
              ((root_does | opponent_does) & CLOSE));
    else if (what == CLOSE)
        CHECK_EQ(co_close(now.fds[0]), 0);
    else if (what == CANCEL)
        co_cancel(now.reader);
}

static void opponent(void *arg)
{
    (void)arg;
    act(opponent_does, now.spins[1]);
}

static void reader(void *arg)
{
    char c;
    ssize_t n = co_read(now.fds[0], &c, 1, now.deadline);

    (void)arg;
    now.result = n < 0 ? -errno : (int)n;
}

static void *reader_thread(void *arg)
{
    reader(arg);
    return NULL;
}

static void start_reader(void)
{
    struct co_attr attr = { .on = co_sched_at(chance(2)) };

    now.on_thread = !((root_does | opponent_does) & CANCEL) && chance(32) == 0;
    if (now.on_thread)
        CHECK_EQ(pthread_create(&now.thread, NULL, reader_thread, NULL), 0);
    else
        CHECK((now.reader = co_spawn(reader, NULL, &attr)) != NULL);
}

static void join_reader(void)
{
    if (now.on_thread)
        CHECK_EQ(pthread_join(now.thread, NULL), 0);
    else
        CHECK_EQ(co_join(now.reader, co_after(KIT_LONG)), 0);
}

static int meaning(int result)
{
    switch (result) {
    case 1:
        return READY;
    case -EBADF:
        return CLOSE;
    case -ECANCELED:
        return CANCEL;
    default:
        CHECK_EQ(result, -ETIMEDOUT);
        return DEADLINE;
    }
}

/* What is there to wait for may be kept from round to round. */
static void renew(bool own)
{
    struct linger linger = { .l_onoff = 1 }; /* keeps no port busy */

    if (now.fds[1] != 0)
        CHECK_EQ(co_close(now.fds[1]), 0);
    if (own)
        kit_tcp_own(now.fds);
    else
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, now.fds), 0);
    CHECK_EQ(
        setsockopt(now.fds[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger),
        0);
}

static void one_round(long i, int both, bool own, int seen[16])
{
    struct co_attr attr = { .on = co_sched_at(1) };
    struct co *other;
    int happened;
    char c;

    if (i == 1 || (both & CLOSE))
        renew(own);
    now.deadline =
        both & DEADLINE ? co_after(chance(100) * CO_USEC) : co_after(KIT_LONG);
    now.spins[0] = (int)chance(20000);
    now.spins[1] = (int)chance(4000);
    start_reader();
    CHECK((other = co_spawn(opponent, NULL, &attr)) != NULL);
    if (chance(2))
        co_yield_now();
    act(root_does, now.spins[0]);
    CHECK_EQ(co_join(other, co_after(KIT_LONG)), 0); /* it knows the reader */
    join_reader();
    happened = meaning(now.result);
    if (!(happened & both)) {
        fprintf(stderr, "round %ld, %s: %x happened, not one of %x\n", i,
                own ? "own" : "foreign", happened, both);
        exit(1);
    }
    seen[happened]++;
    if ((both & READY) && !(both & CLOSE) && happened != READY) {
        CHECK_EQ(co_read(now.fds[0], &c, 1, CO_NOWAIT), 1);
        CHECK_EQ(c, 'x');
    }
}

static void race(int a, int b, bool own)
{
    long rounds = test_count(50000);
    int seen[16] = { 0 };

    root_does = a;
    opponent_does = b;
    now.fds[1] = 0;
    for (long i = 1; i <= rounds; i++)
        one_round(i, a | b, own, seen);
    if (!((a | b) & CLOSE))
        CHECK_EQ(co_close(now.fds[0]), 0);
    CHECK_EQ(co_close(now.fds[1]), 0);
    fprintf(stderr, "  %s: read %d, closed %d, cancelled %d, late %d\n",
            own ? "own" : "foreign", seen[READY], seen[CLOSE], seen[CANCEL],
            seen[DEADLINE]);
}

static void root(void *arg)
{
    static const int races[][2] = { { READY, CLOSE },    { CLOSE, READY },
                                    { READY, CANCEL },   { CLOSE, CANCEL },
                                    { CLOSE, DEADLINE }, { READY, DEADLINE },
                                    { CANCEL, DEADLINE } };

    (void)arg;
    for (size_t i = 0; i < sizeof races / sizeof *races; i++) {
        race(races[i][0], races[i][1], false);
        race(races[i][0], races[i][1], true);
    }
}

int main(void)
{
    struct co_config config = { .schedulers = 2 };

    CHECK_EQ(co_run(root, NULL, &config), 0);
    return 0;
}
