/* fd_reuse_test.c - numbers that change hands, before our eyes and behind our
 * back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/io_kit.h"
#include <stddef.h>

enum { SCHEDS = 2, PLACES = SCHEDS + 1 /* a plain thread */ };

static void nap(void) { CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0); }

static void run(co_fn *fn)
{
    struct co_config config = { .schedulers = SCHEDS };

    CHECK_EQ(co_run(fn, NULL, &config), 0);
}

/* Moves a description to a number that is in use, or frees it first. */
static void move(int from, int to, bool dup)
{
    if (from == to)
        return;
    if (!dup)
        CHECK_EQ(close(to), 0);
    CHECK_EQ(dup2(from, to), to);
    CHECK_EQ(close(from), 0);
}

/* ---- One who reads, somewhere ----------------------------------------------
 */

struct reader {
    int fd, expect; /* what co_read() returns, or minus the errno */
    char got;
    atomic_int arrived;
    struct co *co;
    pthread_t thread;
    void *call[2];
};

static void reads(void *arg)
{
    struct reader *r = arg;
    ssize_t n;

    atomic_store(&r->arrived, 1);
    n = co_read(r->fd, &r->got, 1, co_after(KIT_LONG));
    CHECK_EQ(n < 0 ? -errno : n, r->expect);
}

static void start(struct reader *r, int place, int fd, int expect)
{
    struct co_attr attr = { .on = co_sched_at((unsigned)place) };

    *r = (struct reader){ .fd = fd, .expect = expect };
    r->call[0] = (void *)(uintptr_t)reads;
    r->call[1] = r;
    if (place < SCHEDS)
        CHECK((r->co = co_spawn(reads, r, &attr)) != NULL);
    else
        CHECK_EQ(pthread_create(&r->thread, NULL, kit_thread, r->call), 0);
}

static void start_parked(struct reader *r, int place, int fd, int expect)
{
    start(r, place, fd, expect);
    while (!atomic_load(&r->arrived))
        nap();
    nap();
}

static void finish(struct reader *r)
{
    if (r->co != NULL)
        CHECK_EQ(co_join(r->co, CO_FOREVER), 0);
    else
        CHECK_EQ(pthread_join(r->thread, NULL), 0);
}

/* ---- A million times --------------------------------------------------------
 */

/* Own or foreign; read from fds[0]. */
static void open_pair(int fds[2], unsigned kind)
{
    struct sockaddr_un any = { .sun_family = AF_UNIX }, name;
    socklen_t len = sizeof name;

    switch (kind % 3) {
    case 0:
        CHECK_EQ(pipe(fds), 0);
        break;
    case 1:
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        break;
    default:
        CHECK((fds[0] = co_socket(AF_UNIX, SOCK_DGRAM, 0)) >= 0);
        CHECK((fds[1] = socket(AF_UNIX, SOCK_DGRAM, 0)) >= 0);
        CHECK_EQ(bind(fds[0], (struct sockaddr *)&any,
                      offsetof(struct sockaddr_un, sun_path)),
                 0);
        CHECK_EQ(getsockname(fds[0], (struct sockaddr *)&name, &len), 0);
        CHECK_EQ(test_connect(fds[1], (struct sockaddr *)&name, len), 0);
    }
}

/* Never an own number closed behind our back and made again by others, which is
 * found only after a while: see stale_own(). */
static void renew(int fds[2], unsigned how, unsigned kind, bool own)
{
    int next[2];

    if (how == 0 || own) {
        CHECK_EQ(co_close(fds[0]), 0);
        CHECK_EQ(close(fds[1]), 0);
        open_pair(fds, kind);
    } else if (how == 1 || kind % 3 == 2) {
        CHECK_EQ(close(fds[0]), 0);
        CHECK_EQ(close(fds[1]), 0);
        open_pair(fds, kind);
    } else {
        open_pair(next, kind);
        move(next[0], fds[0], how == 2);
        CHECK_EQ(close(fds[1]), 0);
        fds[1] = next[1];
    }
}

/* The reader comes first, or the byte; on either scheduler, or a thread. */
static void round_trip(int fds[2], unsigned random)
{
    struct reader r;
    int place = random % 64 == 0 ? SCHEDS : (int)(random >> 6 & 1);
    bool first = random >> 7 & 1;

    if (first)
        CHECK_EQ(write(fds[1], "x", 1), 1);
    start(&r, place, fds[0], 1);
    if (!first) {
        if (random >> 8 & 1)
            co_yield_now();
        CHECK_EQ(write(fds[1], "x", 1), 1);
    }
    finish(&r);
    CHECK_EQ(r.got, 'x');
}

static void root_million(void *arg)
{
    unsigned random = 1, kind = 0;
    int fds[2];

    (void)arg;
    open_pair(fds, kind);
    for (long i = test_count(1000000); i > 0; i--) {
        unsigned before = kind;

        random = random * 1664525 + 1013904223;
        round_trip(fds, random >> 8);
        kind = random >> 20;
        renew(fds, random >> 28 & 3, kind, before % 3 == 2);
    }
    kit_close(fds);
}

static void million(void) { run(root_million); }

/* ---- Behind our back --------------------------------------------------------
 */

/* An own number that others make again: found after about a second. */
static void root_stale_own(void *arg)
{
    (void)arg;
    for (int place = 0; place < PLACES; place++) {
        struct reader r;
        int fds[2], next[2];
        char c;

        kit_tcp_own(fds);
        CHECK_EQ(co_write(fds[1], "x", 1, CO_FOREVER), 1);
        CHECK_EQ(co_read(fds[0], &c, 1, co_after(KIT_LONG)), 1);
        CHECK_EQ(co_read(fds[0], &c, 1, co_after(CO_MSEC)), -1);
        CHECK_EQ(errno, ETIMEDOUT);
        if (place % 2)
            kit_tcp(next);
        else
            CHECK_EQ(pipe(next), 0);
        move(next[0], fds[0], true);
        start_parked(&r, place, fds[0], 1);
        CHECK_EQ(write(next[1], "y", 1), 1);
        finish(&r);
        CHECK_EQ(r.got, 'y');
        CHECK_EQ(close(next[1]), 0);
        kit_close(fds);
    }
}

static void stale_own(void) { run(root_stale_own); }

/* A wait for a blocking listener whose number was ours: neither accept nor
 * connect may block the thread. */
static void connect_later(void *arg)
{
    struct sockaddr_in a = kit_name(kit_int(arg));
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    nap();
    CHECK_EQ(test_connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(close(fd), 0);
}

static void root_stale_listener(void *arg)
{
    int own = kit_listen(true, 1), foreign = kit_listen(false, 1), fd;

    (void)arg;
    move(foreign, own, true);
    CHECK_EQ(co_go(connect_later, kit_pointer(own)), 0);
    fd = co_accept(own, NULL, NULL, co_after(KIT_LONG));
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(own, F_GETFL) & O_NONBLOCK, 0);
    CHECK_EQ(co_close(fd), 0);
    CHECK_EQ(co_close(own), 0);
}

static void stale_listener(void) { run(root_stale_listener); }

/* The old waiter learns of it when the next one waits, wherever; that one is
 * not disturbed. */
static void root_next_tells(void *arg)
{
    (void)arg;
    for (int i = 0; i < SCHEDS * PLACES; i++) {
        struct reader old, now;
        int fds[2], next[2], old_end;

        CHECK_EQ(pipe(fds), 0);
        CHECK_EQ(pipe(next), 0);
        start_parked(&old, i % SCHEDS, fds[0], -EBADF);
        old_end = dup(fds[0]); /* the file lives on, or not */
        if (i % 2)
            CHECK_EQ(close(old_end), 0);
        move(next[0], fds[0], i % 3 == 0);
        start_parked(&now, i / SCHEDS, fds[0], 1);
        if (i / SCHEDS == SCHEDS) { /* a thread tells nobody */
            struct reader third;

            start_parked(&third, i % SCHEDS, fds[0], 1);
            CHECK_EQ(write(next[1], "xx", 2), 2);
            finish(&third);
        } else {
            CHECK_EQ(write(next[1], "x", 1), 1);
        }
        finish(&old);
        finish(&now);
        if (i % 2 == 0)
            CHECK_EQ(close(old_end), 0);
        CHECK_EQ(close(fds[1]), 0);
        CHECK_EQ(close(next[1]), 0);
        CHECK_EQ(co_close(fds[0]), 0);
    }
}

static void next_tells(void) { run(root_next_tells); }

/* One scheduler still has the registration of the old file, without a waiter;
 * when it notices, that ends no wait of the other one for the new file. */
static void root_nobody_disturbed(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2 * PLACES; i++) {
        struct reader first, second;
        int fds[2], next[2];
        char c;

        CHECK_EQ(pipe(fds), 0);
        CHECK_EQ(co_read(fds[0], &c, 1, co_after(CO_MSEC)), -1); /* here */
        CHECK_EQ(errno, ETIMEDOUT);
        CHECK_EQ(pipe(next), 0);
        move(next[0], fds[0], i % 2);
        start_parked(&first, (i / 2 + 1) % PLACES, fds[0], 1);
        start_parked(&second, 0, fds[0], 1);
        CHECK_EQ(write(next[1], "xx", 2), 2);
        finish(&first);
        finish(&second);
        CHECK_EQ(close(fds[1]), 0);
        CHECK_EQ(close(next[1]), 0);
        CHECK_EQ(co_close(fds[0]), 0);
    }
}

static void nobody_disturbed(void) { run(root_nobody_disturbed); }

/* The file that a number had lives on by another one, so the kernel still tells
 * of it by the old number. */
static void root_dup_stays(void *arg)
{
    (void)arg;
    for (long i = test_count(1000); i > 0; i--) {
        struct reader r;
        int fds[2], next[2], kept;
        bool ours = i % 2;
        char c;

        CHECK_EQ(pipe(fds), 0);
        CHECK_EQ(co_read(fds[0], &c, 1, co_after(CO_USEC)), -1);
        kept = dup(fds[0]);
        CHECK_EQ(pipe(next), 0);
        if (ours)
            CHECK_EQ(co_close(fds[0]), 0);
        CHECK_EQ(dup2(next[0], fds[0]), fds[0]);
        CHECK_EQ(close(next[0]), 0);
        start(&r, (int)(i / 2 % SCHEDS), fds[0], 1);
        co_yield_now();
        CHECK_EQ(write(fds[1], "o", 1), 1); /* means nothing to r */
        co_yield_now();
        CHECK_EQ(write(next[1], "n", 1), 1);
        finish(&r);
        CHECK_EQ(r.got, 'n');

        /* And back again: the kernel knows this pair of file and number. */
        CHECK_EQ(read(kept, &c, 1), 1);
        CHECK_EQ(dup2(kept, fds[0]), fds[0]);
        CHECK_EQ(close(kept), 0);
        start(&r, (int)(i / 2 % SCHEDS), fds[0], 1);
        co_yield_now();
        CHECK_EQ(write(fds[1], "b", 1), 1);
        finish(&r);
        CHECK_EQ(r.got, 'b');
        CHECK_EQ(close(next[1]), 0);
        kit_close(fds);
    }
}

static void dup_stays(void) { run(root_dup_stays); }

/* Two schedulers and a thread in turn. */
static void root_in_turn(void *arg)
{
    int fds[3][2];

    (void)arg;
    CHECK_EQ(pipe(fds[0]), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[1]), 0);
    kit_tcp_own(fds[2]);
    for (long i = test_count(10000); i > 0; i--) {
        struct reader r;
        int *pair = fds[i % 3];

        start(&r, i % 50 == 0 ? SCHEDS : (int)(i / 3 % SCHEDS), pair[0], 1);
        if (i % 7)
            co_yield_now();
        CHECK_EQ(co_write(pair[1], "x", 1, CO_FOREVER), 1);
        finish(&r);
    }
    for (int i = 0; i < 3; i++)
        kit_close(fds[i]);
}

static void in_turn(void) { run(root_in_turn); }

int main(void)
{
    RUN(stale_own);
    RUN(stale_listener);
    RUN(next_tells);
    RUN(nobody_disturbed);
    RUN(dup_stays);
    RUN(in_turn);
    RUN(million);
    return 0;
}
