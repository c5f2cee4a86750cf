/* fd_test.c - generations, and who is woken when a number changes hands.
 *
 * Every wait here has a deadline far away, so that a lost wake-up is a failed
 * check, and a scheduler that hangs is caught by the limit of the process.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd_word.h"
#include "tests/io_kit.h"
#include <sys/eventfd.h>

enum { SCHEDS = 3 };

static void nap(void) { CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0); }

static void run(co_fn *fn)
{
    struct co_config config = { .schedulers = SCHEDS };

    CHECK_EQ(co_run(fn, NULL, &config), 0);
}

/* ---- The word of a number --------------------------------------------------
 */

static void words(void)
{
    fd_word *w = fd_word_make(1000);
    uint64_t word;
    uint32_t gen;

    CHECK(w != NULL);
    CHECK(fd_word_make(1000) == w && fd_word_find(1000) == w);
    CHECK(fd_word_make(-1) == NULL);
    CHECK_EQ(errno, EBADF);
    CHECK(fd_word_make(INT32_MAX) == NULL);
    CHECK_EQ(errno, EMFILE);
    CHECK(fd_word_find(-1) == NULL && fd_word_find(INT32_MAX) == NULL);
    CHECK_EQ(fd_gen(-1), 0);

    word = atomic_load(w);
    CHECK(fd_word_announce(w, word, 1));
    CHECK(fd_word_announce(w, word, 4)); /* of the same generation */
    CHECK_EQ(fd_word_waiters(atomic_load(w)), 5);
    CHECK_EQ(fd_word_waiters(fd_word_next(w, FD_WORD_CLOSING)), 5);
    CHECK(!fd_word_announce(w, word, 1));
    CHECK(!fd_word_announce(w, atomic_load(w), 1)); /* while it is closing */
    gen = fd_word_gen(atomic_load(w));
    CHECK_EQ(gen, fd_word_gen(word) + 1);

    /* Fresh before the closer is done, and closed again by another one: the
     * first closer does not end the closing of the second. */
    (void)fd_word_next(w, FD_WORD_OWN);
    CHECK(fd_own(1000));
    (void)fd_word_next(w, FD_WORD_CLOSING);
    fd_word_closed(w, gen);
    CHECK(!fd_word_announce(w, atomic_load(w), 1));
    fd_word_closed(w, gen + 2);
    CHECK(fd_word_announce(w, atomic_load(w), 1));

    (void)fd_word_next(w, FD_WORD_OWN);
    fd_word_disown(w, gen);
    CHECK(fd_own(1000));
    fd_word_disown(w, gen + 3);
    CHECK(!fd_own(1000));
    fd_word_close_all();
    CHECK(fd_word_find(1000) == NULL);
}

static void root_bad(void *arg)
{
    const int bad[] = { -1, -1000, INT32_MIN, 19999, 20000000, INT32_MAX };
    char c = 0;

    (void)arg;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_EQ(co_read(bad[i], &c, 1, CO_FOREVER), -1);
        CHECK_EQ(errno, EBADF);
        CHECK_EQ(co_write(bad[i], &c, 1, CO_NOWAIT), -1);
        CHECK_EQ(errno, EBADF);
        CHECK_EQ(co_fd_wait(bad[i], CO_READ, CO_FOREVER), -1);
        CHECK_EQ(errno, EBADF);
        CHECK_EQ(co_fd_wait(bad[i], CO_READ, CO_NOWAIT), -1);
        CHECK_EQ(errno, EBADF);
        CHECK_EQ(co_accept(bad[i], NULL, NULL, CO_FOREVER), -1);
        CHECK_EQ(errno, EBADF);
        CHECK_EQ(co_close(bad[i]), -1);
        CHECK_EQ(errno, EBADF);
        co_fd_forget(bad[i]);
    }
}

static void bad_numbers(void) { kit_both(root_bad, NULL); }

/* ---- Many who wait for one -------------------------------------------------
 */

enum { CROWD = 24, CROWD_THREADS = 3 };

struct crowd {
    int fd, events; /* 0: read a byte */
    atomic_int arrived, ready, closed, bytes;
};

static void one_of_crowd(void *arg)
{
    struct crowd *x = arg;
    char c;
    ssize_t r;

    atomic_fetch_add(&x->arrived, 1);
    if (x->events == 0)
        r = co_read(x->fd, &c, 1, co_after(KIT_LONG));
    else
        r = co_fd_wait(x->fd, x->events, co_after(KIT_LONG));
    if (r > 0) {
        atomic_fetch_add(x->events == 0 ? &x->bytes : &x->ready, 1);
    } else {
        CHECK_EQ(r, -1);
        CHECK_EQ(errno, EBADF);
        atomic_fetch_add(&x->closed, 1);
    }
}

struct members {
    struct co *cos[CROWD];
    pthread_t threads[CROWD_THREADS];
    void *call[2];
};

static void gather(struct crowd *x, struct members *m)
{
    m->call[0] = (void *)(uintptr_t)one_of_crowd;
    m->call[1] = x;
    for (unsigned i = 0; i < CROWD; i++) {
        struct co_attr attr = { .on = co_sched_at(i % SCHEDS) };

        CHECK((m->cos[i] = co_spawn(one_of_crowd, x, &attr)) != NULL);
    }
    for (int i = 0; i < CROWD_THREADS; i++)
        CHECK_EQ(pthread_create(&m->threads[i], NULL, kit_thread, m->call), 0);
    while (atomic_load(&x->arrived) < CROWD + CROWD_THREADS)
        nap();
    nap();
}

static void part(struct members *m)
{
    for (int i = 0; i < CROWD; i++)
        CHECK_EQ(co_join(m->cos[i], CO_FOREVER), 0);
    for (int i = 0; i < CROWD_THREADS; i++)
        CHECK_EQ(pthread_join(m->threads[i], NULL), 0);
}

static void close_it(void *arg) { CHECK_EQ(co_close(kit_int(arg)), 0); }

/* From the same scheduler, from others, from a plain thread. */
static void close_from(int fd, unsigned where)
{
    struct co_attr attr = { .on = co_sched_at(where) };
    struct co *c;

    if (where >= SCHEDS) {
        kit_on_thread(close_it, kit_pointer(fd));
        return;
    }
    CHECK((c = co_spawn(close_it, kit_pointer(fd), &attr)) != NULL);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
}

static void root_close_wakes(void *arg)
{
    (void)arg;
    for (unsigned where = 0; where <= SCHEDS; where++) {
        for (int kind = 0; kind < 6; kind++) {
            struct crowd x = { .events = kind % 3 == 0   ? 0
                                         : kind % 3 == 1 ? CO_READ
                                                         : CO_READ | CO_HUP };
            struct members m;
            int fds[2];

            if (kind < 3)
                CHECK_EQ(pipe(fds), 0);
            else
                kit_tcp_own(fds);
            x.fd = fds[0];
            gather(&x, &m);
            close_from(fds[0], where);
            part(&m);
            CHECK_EQ(x.closed, CROWD + CROWD_THREADS);
            CHECK_EQ(co_close(fds[1]), 0);
        }
    }
}

static void close_wakes(void) { run(root_close_wakes); }

static void fill(int fd)
{
    char buf[4096] = { 0 };

    while (send(fd, buf, sizeof buf, MSG_DONTWAIT) > 0)
        ;
    CHECK_EQ(errno, EAGAIN);
}

static void drain(int fd)
{
    char buf[65536];

    while (recv(fd, buf, sizeof buf, MSG_DONTWAIT) > 0)
        ;
}

/* All are woken by one event, in both directions at once. */
static void root_all_woken(void *arg)
{
    (void)arg;
    for (int i = 0; i < 4; i++) {
        struct crowd in = { .events = CO_READ }, out = { .events = CO_WRITE };
        struct members readers, writers;
        int fds[2];

        if (i < 2)
            CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        else
            kit_tcp_own(fds);
        fill(fds[0]);
        in.fd = out.fd = fds[0];
        gather(&in, &readers);
        gather(&out, &writers);
        CHECK_EQ(in.ready + out.ready, 0);
        CHECK_EQ(co_write(fds[1], "x", 1, CO_NOWAIT), 1);
        part(&readers);
        CHECK_EQ(in.ready, CROWD + CROWD_THREADS);
        drain(fds[1]);
        part(&writers);
        CHECK_EQ(out.ready, CROWD + CROWD_THREADS);
        kit_close(fds);
    }
}

static void all_woken(void) { run(root_all_woken); }

/* Each byte goes to one of them, and none is left lying. */
static void root_shared_out(void *arg)
{
    (void)arg;
    for (long round = test_count(100); round > 0; round--) {
        struct crowd x = { .events = 0 };
        struct members m;
        int fds[2];

        if (round % 2)
            CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        else
            kit_tcp_own(fds);
        x.fd = fds[0];
        gather(&x, &m);
        for (int i = 0; i < CROWD + CROWD_THREADS; i++)
            CHECK_EQ(co_write(fds[1], "x", 1, CO_FOREVER), 1);
        part(&m);
        CHECK_EQ(x.bytes, CROWD + CROWD_THREADS);
        kit_close(fds);
    }
}

static void shared_out(void) { run(root_shared_out); }

int main(void)
{
    RUN(words);
    RUN(bad_numbers);
    RUN(close_wakes);
    RUN(all_woken);
    RUN(shared_out);
    return 0;
}
