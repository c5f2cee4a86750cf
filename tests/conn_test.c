/* conn_test.c - connections: reading, writing, and being closed in the middle.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/net_tools.h"
#include <fcntl.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

static void on_both(void (*fn)(struct net_conn *a, struct net_conn *b))
{
    for (int i = 0; i < 2; i++) {
        struct net_conn *a, *b;

        make_pair(kind(i), &a, &b);
        fn(a, b);
        net_close(a);
        net_close(b);
    }
}

/* ---- Reading ---------------------------------------------------------------
 */

static void check_reads(struct net_conn *a, struct net_conn *b)
{
    const void *data;
    char buf[8];

    CHECK_EQ(net_read(b, buf, sizeof buf, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(net_read(b, buf, sizeof buf, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(net_write(a, "abcdefghij", 10, SOON), 0);
    CHECK_EQ(net_read(b, buf, 3, SOON), 3);
    CHECK(memcmp(buf, "abc", 3) == 0);
    CHECK_EQ(net_wait(b, SOON), 0);
    CHECK_EQ(net_next(b, &data, SOON), 7);
    CHECK(memcmp(data, "defghij", 7) == 0);
    CHECK_EQ(net_wait(b, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(net_next(b, &data, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    /* Half-close: the other direction goes on. */
    CHECK_EQ(net_write(a, "xy", 2, SOON), 0);
    CHECK_EQ(net_shutdown(a), 0);
    CHECK_EQ(net_next(b, &data, SOON), 2);
    CHECK_EQ(net_next(b, &data, SOON), 0);
    CHECK_EQ(net_read(b, buf, sizeof buf, SOON), 0);
    CHECK_EQ(net_wait(b, SOON), 0);
    CHECK_EQ(net_write(b, "still", 5, SOON), 0);
    CHECK_EQ(net_read_full(a, buf, 5, SOON), 0);
    CHECK(memcmp(buf, "still", 5) == 0);
    CHECK_EQ(net_write(a, "z", 1, SOON), -1);
    CHECK_EQ(errno, EPIPE);
}

static void reads(void *arg)
{
    (void)arg;
    on_both(check_reads);
}

static void check_full(struct net_conn *a, struct net_conn *b)
{
    char buf[8];

    CHECK_EQ(net_read_full(b, buf, 0, CO_NOWAIT), 0);
    CHECK_EQ(net_write(a, "12345678abc", 11, SOON), 0);
    CHECK_EQ(net_read_full(b, buf, 8, SOON), 0);
    CHECK(memcmp(buf, "12345678", 8) == 0);
    CHECK_EQ(net_shutdown(a), 0);
    CHECK_EQ(net_read_full(b, buf, 8, SOON), -1);
    CHECK_EQ(errno, ECONNRESET); /* in the middle */
    CHECK_EQ(net_read_full(b, buf, 8, SOON), -1);
    CHECK_EQ(errno, EPIPE); /* before the first */
}

static void reads_full(void *arg)
{
    (void)arg;
    on_both(check_full);
}

static void write_slowly(void *arg)
{
    for (int i = 0; i < 40; i++) {
        char byte = (char)i;

        CHECK_EQ(net_write(arg, &byte, 1, SOON), 0);
        if (i % 8 == 0)
            CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
        else
            co_yield_now();
    }
}

static void check_bytes(struct net_conn *a, struct net_conn *b)
{
    char buf[40];

    CHECK_EQ(co_go(write_slowly, a), 0);
    CHECK_EQ(net_read_full(b, buf, sizeof buf, SOON), 0);
    for (int i = 0; i < 40; i++)
        CHECK_EQ(buf[i], i);
}

static void one_byte_at_a_time(void *arg)
{
    (void)arg;
    on_both(check_bytes);
}

/* The buffer is the same one for each that is read and given back. */
static void lent_buffers_come_back(void *arg)
{
    struct net_conn *a, *b;
    const void *data, *first = NULL;
    int others = 0;

    (void)arg;
    make_pair(TCP, &a, &b);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(net_write(a, "ping", 4, SOON), 0);
        CHECK_EQ(net_next(b, &data, SOON), 4);
        CHECK(memcmp(data, "ping", 4) == 0);
        CHECK_EQ(net_write(b, data, 4, SOON), 0); /* while it is lent */
        CHECK_EQ(net_read_full(a, (char[4]){ 0 }, 4, SOON), 0);
        if (i < 2)
            first = data;
        else
            others += data != first;
    }
    CHECK(others <= 50); /* two take turns */
    net_close(a);
    net_close(b);
}

static void addresses(void *arg)
{
    struct net_conn *a, *b;
    char one[NET_ADDR_MAX], two[NET_ADDR_MAX];

    (void)arg;
    make_pair(TCP, &a, &b);
    net_peer(a, one, sizeof one);
    net_local(b, two, sizeof two);
    CHECK(strcmp(one, two) == 0);
    CHECK(strncmp(one, "127.0.0.1:", 10) == 0);
    net_peer(b, one, sizeof one);
    net_local(a, two, sizeof two);
    CHECK(strcmp(one, two) == 0);
    CHECK(net_fd(a) >= 0 && net_fd(a) != net_fd(b));
    net_close(a);
    net_close(b);
    net_close(NULL);

    make_pair(local_addr(), &a, &b);
    net_peer(a, one, sizeof one);
    CHECK(strcmp(one, local_addr()) == 0);
    net_peer(b, one, sizeof one);
    CHECK(strcmp(one, "unix:") == 0);
    net_close(a);
    net_close(b);
}

/* ---- Writing ---------------------------------------------------------------
 */

enum { BIG = 4 << 20 };

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 9));
}

static void read_pattern(void *arg)
{
    const void *data;
    size_t at = 0;
    ssize_t n;

    while ((n = net_next(arg, &data, SOON)) > 0)
        for (ssize_t i = 0; i < n; i++, at++)
            CHECK_EQ(((const unsigned char *)data)[i], pattern(at));
    CHECK_EQ(n, 0);
    CHECK_EQ(at, BIG);
}

static void check_with_reader(struct net_conn *a, struct net_conn *b,
                              void (*send)(struct net_conn *c,
                                           const unsigned char *buf))
{
    unsigned char *buf = malloc(BIG);
    struct co *reader = co_spawn(read_pattern, b, NULL);

    CHECK(buf != NULL && reader != NULL);
    for (size_t i = 0; i < BIG; i++)
        buf[i] = pattern(i);
    send(a, buf);
    CHECK_EQ(net_shutdown(a), 0);
    CHECK_EQ(co_join(reader, SOON), 0);
    free(buf);
}

static void send_big(struct net_conn *c, const unsigned char *buf)
{
    CHECK_EQ(net_write(c, buf, BIG, SOON), 0);
}

static void send_pieces(struct net_conn *c, const unsigned char *buf)
{
    enum { PIECES = 100 };
    struct iovec iov[PIECES];
    size_t at = 0;

    for (int i = 0; i < PIECES; i++) {
        size_t len = i % 7 == 3 ? 0 : (size_t)i * 37;

        if (i == PIECES - 2)
            len = BIG - at;
        if (i == PIECES - 1)
            len = 0;
        iov[i].iov_base = (void *)(buf + at);
        iov[i].iov_len = len;
        at += len;
    }
    CHECK_EQ(at, BIG);
    CHECK_EQ(net_writev(c, iov, PIECES, SOON), 0);
    CHECK_EQ(net_writev(c, iov, 0, SOON), 0);
    CHECK_EQ(net_writev(c, iov, -1, SOON), -1);
    CHECK_EQ(errno, EINVAL);
}

static void send_file(struct net_conn *c, const unsigned char *buf)
{
    char path[] = "/tmp/corten-conn-XXXXXX";
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(write(fd, "skip", 4), 4);
    for (size_t at = 0; at < BIG;) {
        ssize_t n = write(fd, buf + at, BIG - at);

        CHECK(n > 0);
        at += (size_t)n;
    }
    CHECK_EQ(net_sendfile(c, fd, 4, 1000, SOON), 0);
    CHECK_EQ(net_sendfile(c, fd, 1004, BIG - 1000, SOON), 0);
    CHECK_EQ(net_sendfile(c, fd, BIG + 4, 1, SOON), -1);
    CHECK_EQ(errno, ENODATA);
    CHECK_EQ(net_sendfile(c, -1, 0, 1, SOON), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(close(fd), 0);
}

static void big_write(struct net_conn *a, struct net_conn *b)
{
    check_with_reader(a, b, send_big);
}

static void big_writev(struct net_conn *a, struct net_conn *b)
{
    check_with_reader(a, b, send_pieces);
}

static void big_sendfile(struct net_conn *a, struct net_conn *b)
{
    check_with_reader(a, b, send_file);
}

static void writes(void *arg)
{
    (void)arg;
    on_both(big_write);
    on_both(big_writev);
    on_both(big_sendfile);
}

/* A device that sendfile() does not take is read and written. */
static void sends_what_is_no_file(void *arg)
{
    struct net_conn *a, *b;
    char buf[3000];
    int fd = open("/proc/self/status", O_RDONLY);

    (void)arg;
    CHECK(fd >= 0);
    make_pair(TCP, &a, &b);
    CHECK_EQ(net_sendfile(a, fd, 0, 100, SOON), 0);
    CHECK_EQ(net_read_full(b, buf, 100, SOON), 0);
    CHECK(memcmp(buf, "Name:", 5) == 0);
    CHECK_EQ(close(fd), 0);
    fd = open("/dev/zero", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(net_sendfile(a, fd, 0, sizeof buf, SOON), 0);
    CHECK_EQ(net_read_full(b, buf, sizeof buf, SOON), 0);
    CHECK_EQ(buf[2999], 0);
    CHECK_EQ(close(fd), 0);
    net_close(a);
    net_close(b);
}

/* Else the kernel might take megabytes from a to b that nobody reads. */
static void narrow(struct net_conn *a, struct net_conn *b)
{
    int bytes = 64 * 1024;

    CHECK_EQ(setsockopt(net_fd(a), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes),
             0);
    CHECK_EQ(setsockopt(net_fd(b), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes),
             0);
}

/* Fills what the sockets take, until a write breaks off. */
static void fill(struct net_conn *c)
{
    char *buf = calloc(1, BIG);
    int r = 0;

    CHECK(buf != NULL);
    while (r == 0)
        r = net_write(c, buf, BIG, co_after(10 * CO_MSEC));
    CHECK_EQ(errno, ETIMEDOUT);
    free(buf);
}

static void breaks_off(struct net_conn *a, struct net_conn *b)
{
    const void *data;

    fill(a);
    CHECK(net_next(b, &data, SOON) > 0);
    /* The peer would take this for the rest. */
    CHECK_EQ(net_write(a, "next", 4, SOON), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(net_writev(a, &(struct iovec){ "x", 1 }, 1, SOON), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(net_write(b, "back", 4, SOON), 0); /* the other way goes on */
    CHECK_EQ(net_read_full(a, (char[4]){ 0 }, 4, SOON), 0);
}

static void stalled_peer(void *arg)
{
    (void)arg;
    on_both(breaks_off);
}

/* SIGPIPE would end the test. */
static void check_pipe(struct net_conn *a, struct net_conn *b)
{
    char path[] = "/tmp/corten-conn-XXXXXX";
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(write(fd, "data", 4), 4);
    CHECK_EQ(net_shutdown(a), 0);
    CHECK_EQ(net_write(a, "x", 1, SOON), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(net_writev(a, &(struct iovec){ "x", 1 }, 1, SOON), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(net_sendfile(a, fd, 0, 4, SOON), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(close(fd), 0);
    (void)b;
}

static void no_signal(void *arg)
{
    (void)arg;
    on_both(check_pipe);
}

static void reset_by_peer(void *arg)
{
    struct linger none = { .l_onoff = 1, .l_linger = 0 };
    struct net_conn *a, *b;
    char peer[NET_ADDR_MAX], buf[4];
    const void *data;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        make_pair(TCP, &a, &b);
        CHECK_EQ(
            setsockopt(net_fd(a), SOL_SOCKET, SO_LINGER, &none, sizeof none),
            0);
        net_close(a);
        CHECK_EQ(i == 0 ? net_read(b, buf, sizeof buf, SOON)
                        : net_next(b, &data, SOON),
                 -1);
        CHECK_EQ(errno, ECONNRESET);
        CHECK_EQ(net_write(b, "x", 1, SOON), -1);
        CHECK_EQ(errno, EPIPE);
        net_peer(b, peer, sizeof peer); /* known even now */
        CHECK(strncmp(peer, "127.0.0.1:", 10) == 0);
        net_close(b);
    }
}

/* ---- Concurrent writers ----------------------------------------------------
 */

enum { WRITERS = 8, RECORD = 300 * 1000 };

struct writer {
    struct net_conn *c;
    char letter;
    int records;
    struct co *co;
};

static void write_records(void *arg)
{
    struct writer *w = arg;
    char *buf = malloc(RECORD);

    CHECK(buf != NULL);
    memset(buf, w->letter, RECORD);
    for (int i = 0; i < w->records; i++) {
        struct iovec iov[2] = { { buf, 100 }, { buf + 100, RECORD - 100 } };

        if (i % 2)
            CHECK_EQ(net_write(w->c, buf, RECORD, SOON), 0);
        else
            CHECK_EQ(net_writev(w->c, iov, 2, SOON), 0);
    }
    free(buf);
}

static void check_records(struct net_conn *c, int count)
{
    char *buf = malloc(RECORD);

    CHECK(buf != NULL);
    for (int i = 0; i < count; i++) {
        CHECK_EQ(net_read_full(c, buf, RECORD, SOON), 0);
        for (int j = 1; j < RECORD; j++)
            if (buf[j] != buf[0])
                CHECK_EQ(buf[j], buf[0]);
    }
    free(buf);
}

/* From both schedulers: no record is torn by another. */
static void check_whole(struct net_conn *a, struct net_conn *b)
{
    struct writer w[WRITERS];
    int each = (int)test_count(40);

    for (int i = 0; i < WRITERS; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % 2) };

        w[i] = (struct writer){ .c = a,
                                .letter = (char)('a' + i),
                                .records = each };
        w[i].co = co_spawn(write_records, &w[i], &attr);
        CHECK(w[i].co != NULL);
    }
    check_records(b, WRITERS * each);
    for (int i = 0; i < WRITERS; i++)
        CHECK_EQ(co_join(w[i].co, SOON), 0);
}

static void whole_writes(void *arg)
{
    (void)arg;
    on_both(check_whole);
}

struct late {
    struct net_conn *c;
    int64_t after;
    int err;
    struct co *co;
};

static void write_late(void *arg)
{
    struct late *l = arg;

    l->err = net_write(l->c, "late", 4, co_after(l->after)) < 0 ? errno : 0;
}

static void write_big(void *arg)
{
    struct late *l = arg;
    char *buf = calloc(1, BIG);

    CHECK(buf != NULL);
    l->err = net_write(l->c, buf, BIG, SOON) < 0 ? errno : 0;
    free(buf);
}

/* Those who give up waiting for their turn leave the queue in order. */
static void turns_time_out(void *arg)
{
    struct net_conn *a, *b;
    struct late big, l[6];
    char *buf = malloc(BIG);

    (void)arg;
    CHECK(buf != NULL);
    make_pair(TCP, &a, &b);
    narrow(a, b);
    big = (struct late){ .c = a };
    big.co = co_spawn(write_big, &big, NULL);
    CHECK(big.co != NULL);
    settle();
    for (int i = 0; i < 6; i++) {
        l[i] =
            (struct late){ .c = a, .after = i % 2 ? 20 * CO_SECOND : CO_MSEC };
        l[i].co = co_spawn(write_late, &l[i], NULL);
        CHECK(l[i].co != NULL);
    }
    for (int i = 0; i < 6; i += 2) {
        CHECK_EQ(co_join(l[i].co, SOON), 0);
        CHECK_EQ(l[i].err, ETIMEDOUT);
    }
    CHECK_EQ(net_read_full(b, buf, BIG, SOON), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(net_read_full(b, buf, 4, SOON), 0);
        CHECK(memcmp(buf, "late", 4) == 0);
    }
    CHECK_EQ(co_join(big.co, SOON), 0);
    CHECK_EQ(big.err, 0);
    for (int i = 1; i < 6; i += 2) {
        CHECK_EQ(co_join(l[i].co, SOON), 0);
        CHECK_EQ(l[i].err, 0);
    }
    CHECK_EQ(net_write(a, "done", 4, SOON), 0);
    CHECK_EQ(net_read_full(b, buf, 4, SOON), 0);
    net_close(a);
    net_close(b);
    free(buf);
}

static void write_briefly(void *arg)
{
    struct writer *w = arg;

    for (int i = 0; i < w->records; i++)
        (void)net_write(w->c, &w->letter, 1, i % 3 ? CO_NOWAIT : SOON);
}

static void swallow(void *arg)
{
    const void *data;

    while (net_next(arg, &data, SOON) > 0)
        ;
}

/* Turns that are posted and given up at the same time get lost nowhere. */
static void turns_race(void *arg)
{
    struct writer w[4];
    struct net_conn *a, *b;
    struct co *reader;

    (void)arg;
    make_pair(TCP, &a, &b);
    reader = co_spawn(swallow, b, NULL);
    CHECK(reader != NULL);
    for (int i = 0; i < 4; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % 2) };

        w[i] = (struct writer){ .c = a,
                                .letter = 'x',
                                .records = (int)test_count(100000) };
        w[i].co = co_spawn(write_briefly, &w[i], &attr);
        CHECK(w[i].co != NULL);
    }
    for (int i = 0; i < 4; i++)
        CHECK_EQ(co_join(w[i].co, co_after(60 * CO_SECOND)), 0);
    CHECK_EQ(net_write(a, "end", 3, SOON), 0);
    net_close(a);
    CHECK_EQ(co_join(reader, SOON), 0);
    net_close(b);
}

/* ---- Closing while in use --------------------------------------------------
 */

enum { READ, NEXT, WAIT, WRITE, SENDFILE, QUEUED, USES };

struct user {
    struct net_conn *c;
    int use;
    int err;
    struct co *co;
    atomic_bool *inside;
};

static int use(struct user *u)
{
    static char big[BIG];
    const void *data;
    int fd, r;

    switch (u->use) {
    case READ:
        return (int)net_read(u->c, (char[8]){ 0 }, 8, SOON);
    case NEXT:
        return (int)net_next(u->c, &data, SOON);
    case WAIT:
        return net_wait(u->c, SOON);
    case SENDFILE:
        fd = open("/dev/zero", O_RDONLY);
        CHECK(fd >= 0);
        r = net_sendfile(u->c, fd, 0, 64 << 20, SOON);
        CHECK_EQ(close(fd), 0);
        return r;
    default:
        return net_write(u->c, big, sizeof big, SOON);
    }
}

static void use_until_closed(void *arg)
{
    struct user *u = arg;

    atomic_store(u->inside, true);
    CHECK_EQ(use(u), -1);
    u->err = errno;
}

static void *close_on_thread(void *c)
{
    net_close(c);
    return NULL;
}

static void close_from(struct net_conn *c, bool thread)
{
    pthread_t t;

    if (!thread) {
        net_close(c);
        return;
    }
    CHECK_EQ(pthread_create(&t, NULL, close_on_thread, c), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
}

static void close_under(const char *addr, int what, unsigned sched, bool thread)
{
    struct co_attr attr = { .on = co_sched_at(sched) };
    atomic_bool inside[3] = { false };
    struct user u[3];
    struct net_conn *a, *b;
    int count = what == QUEUED ? 3 : 1;

    make_pair(addr, &a, &b);
    narrow(a, b);
    for (int i = 0; i < count; i++) {
        u[i] = (struct user){ .c = a, .use = what, .inside = &inside[i] };
        u[i].co = co_spawn(use_until_closed, &u[i], &attr);
        CHECK(u[i].co != NULL);
    }
    for (int i = 0; i < count; i++)
        while (!atomic_load(&inside[i]))
            co_yield_now();
    settle();
    CHECK_EQ(co_sleep_until(co_after(2 * CO_MSEC)), 0);
    close_from(a, thread);
    for (int i = 0; i < count; i++) {
        CHECK_EQ(co_join(u[i].co, SOON), 0);
        CHECK_EQ(u[i].err, EBADF);
    }
    net_close(b);
}

static void close_while_used(void *arg)
{
    (void)arg;
    for (int what = READ; what < USES; what++)
        for (unsigned sched = 0; sched < 2; sched++)
            for (int thread = 0; thread < 2; thread++)
                for (int i = 0; i < 2; i++)
                    close_under(kind(i), what, sched, thread);
}

static void read_two(void *arg)
{
    struct user *u = arg;

    CHECK_EQ(net_read_full(u->c, (char[2]){ 0 }, 2, SOON), -1);
    u->err = errno;
}

/* The close comes while the first byte has been taken, and the reader is about
 * to wait for the second one, or waits. */
static void close_races(void *arg)
{
    (void)arg;
    for (long i = 0; i < test_count(100000); i++) {
        struct co_attr attr = { .on = co_sched_at(1) };
        struct user u = { .err = 0 };
        struct net_conn *b;
        int left = 1;

        make_pair(local_addr(), &u.c, &b);
        CHECK_EQ(net_write(b, "x", 1, SOON), 0);
        u.co = co_spawn(read_two, &u, &attr);
        CHECK(u.co != NULL);
        while (left > 0)
            CHECK_EQ(ioctl(net_fd(b), SIOCOUTQ, &left), 0);
        for (int spin = (int)(i * 7919 % 3000); spin > 0; spin--)
            __asm__ volatile("" ::: "memory");
        net_close(u.c);
        CHECK_EQ(co_join(u.co, SOON), 0);
        CHECK_EQ(u.err, EBADF);
        net_close(b);
    }
}

static void cancelled_reader(void *arg)
{
    struct user *u = arg;

    CHECK_EQ(net_read(u->c, (char[8]){ 0 }, 8, CO_FOREVER), -1);
    u->err = errno;
}

static void cancel_while_reading(void *arg)
{
    struct user u = { .err = 0 };
    struct net_conn *b;

    (void)arg;
    make_pair(TCP, &u.c, &b);
    u.co = co_spawn(cancelled_reader, &u, NULL);
    CHECK(u.co != NULL);
    settle();
    co_cancel(u.co);
    CHECK_EQ(co_join(u.co, SOON), 0);
    CHECK_EQ(u.err, ECANCELED);
    CHECK_EQ(net_write(b, "still open", 10, SOON), 0);
    CHECK_EQ(net_read_full(u.c, (char[10]){ 0 }, 10, SOON), 0);
    net_close(u.c);
    net_close(b);
}

/* ---- Misuse -----------------------------------------------------------------
 */

static void read_in_vain(void *arg)
{
    (void)net_read(arg, (char[1]){ 0 }, 1, SOON);
}

static void two_readers(void *arg)
{
    struct net_conn *a, *b;

    (void)arg;
    make_pair(TCP, &a, &b);
    CHECK_EQ(co_go(read_in_vain, a), 0);
    settle();
    read_in_vain(a);
}

static void two_readers_abort(void)
{
    int status;
    pid_t child = test_fork();

    CHECK(child >= 0);
    if (child == 0) {
        (void)close(2);
        run_co(two_readers);
        _exit(0);
    }
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    RUN(two_readers_abort);
    RUN_CO(reads);
    RUN_CO(reads_full);
    RUN_CO(one_byte_at_a_time);
    RUN_CO(lent_buffers_come_back);
    RUN_CO(addresses);
    RUN_CO(writes);
    RUN_CO(sends_what_is_no_file);
    RUN_CO(stalled_peer);
    RUN_CO(no_signal);
    RUN_CO(reset_by_peer);
    RUN_CO(whole_writes);
    RUN_CO(turns_time_out);
    RUN_CO(turns_race);
    RUN_CO(close_while_used);
    RUN_CO(close_races);
    RUN_CO(cancel_while_reading);
    return 0;
}
