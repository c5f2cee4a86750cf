/* buffer_test.c - pooled buffers, and the landing that all readers of a thread
 * share.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/buffer.h"
#include "tests/net_tools.h"
#include <pthread.h>

enum { READERS = 20 };

static void gets_and_puts(void)
{
    enum { MANY = 200 };
    void *b[MANY];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            b[i] = buffer_get();
            CHECK(b[i] != NULL);
            memset(b[i], i, BUFFER_BYTES);
        }
        for (int i = 0; i < MANY; i++) {
            CHECK_EQ(((unsigned char *)b[i])[BUFFER_BYTES - 1], i);
            buffer_put(b[i]);
        }
    }
    b[0] = buffer_get(); /* the warmest one comes first */
    buffer_put(b[0]);
    CHECK(buffer_get() == b[0]);
    buffer_put(b[0]);
}

static void *thread_main(void *arg)
{
    void *const *landing = buffer_landing();

    CHECK(landing != NULL && *landing != NULL);
    buffer_put(arg);
    buffer_put(buffer_take());
    return NULL;
}

/* What a thread keeps goes with it: a sanitizer would tell. */
static void threads_come_and_go(void)
{
    for (int i = 0; i < 10; i++) {
        void *b = buffer_get();
        pthread_t thread;

        CHECK(b != NULL);
        CHECK_EQ(pthread_create(&thread, NULL, thread_main, b), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
}

static void landing_is_replaced(void)
{
    void *const *landing = buffer_landing();
    void *first, *second;

    CHECK(landing != NULL);
    first = buffer_take();
    CHECK(first != NULL);
    CHECK(*landing != NULL);
    CHECK(*landing != first);
    second = buffer_take();
    CHECK(second != first);
    CHECK(buffer_landing() == landing);
    buffer_put(first);
    buffer_put(second);
}

struct reader {
    struct net_conn *near, *far;
    struct co *co;
    char last;
    const char *lent;
};

static void read_letters(void *arg)
{
    struct reader *r = arg;
    const void *data;
    ssize_t n;

    while ((n = net_next(r->near, &data, SOON)) > 0) {
        r->lent = data;
        r->last = r->lent[n - 1];
    }
    CHECK_EQ(n, 0);
}

static void start_readers(struct reader *r, int count)
{
    for (int i = 0; i < count; i++) {
        make_pair(TCP, &r[i].near, &r[i].far);
        r[i].last = '-';
        r[i].co = co_spawn(read_letters, &r[i], NULL);
        CHECK(r[i].co != NULL);
    }
    settle();
}

static void send_letter(struct reader *r, char letter)
{
    CHECK_EQ(net_write(r->far, &letter, 1, SOON), 0);
    for (int i = 0; i < 10000 && r->last != letter; i++)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(r->last, letter);
}

static void end_readers(struct reader *r, int count)
{
    for (int i = 0; i < count; i++) {
        net_close(r[i].far);
        CHECK_EQ(co_join(r[i].co, SOON), 0);
        net_close(r[i].near);
    }
}

/* All wait with one buffer; what is lent to one is nobody else's. */
static void readers_share_it(void *arg)
{
    struct reader r[READERS] = { { .last = 0 } };

    (void)arg;
    start_readers(r, READERS);
    for (int i = 0; i < READERS; i++)
        send_letter(&r[i], (char)('a' + i));
    for (int i = 0; i < READERS; i++)
        CHECK_EQ(r[i].last, 'a' + i);
    end_readers(r, READERS);
}

struct held {
    struct net_conn *near, *far;
    const char *data;
    ssize_t n;
    int *ready;
};

static void read_once(void *arg)
{
    struct held *h = arg;
    const void *data;

    h->n = net_next(h->near, &data, SOON);
    h->data = data;
    ++*h->ready;
}

/* Each holds what it was lent while the others get theirs. */
static void lent_ones_are_apart(void *arg)
{
    struct held h[READERS];
    int ready = 0;

    (void)arg;
    for (int i = 0; i < READERS; i++) {
        make_pair(kind(i % 2), &h[i].near, &h[i].far);
        h[i].ready = &ready;
        CHECK_EQ(co_go(read_once, &h[i]), 0);
    }
    settle();
    for (int i = 0; i < READERS; i++)
        CHECK_EQ(net_write(h[i].far, &(char){ (char)('a' + i) }, 1, SOON), 0);
    for (int i = 0; i < 10000 && ready < READERS; i++)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(ready, READERS);
    for (int i = 0; i < READERS; i++) {
        CHECK_EQ(h[i].n, 1);
        CHECK_EQ(h[i].data[0], 'a' + i);
    }
    for (int i = 0; i < READERS; i++) {
        net_close(h[i].near);
        net_close(h[i].far);
    }
}

/* As if memory had been out when the landing was to be replaced: nothing that
 * was sent is lost. */
static void out_of_memory(void *arg)
{
    (void)arg;
    if (under_valgrind()) {
        fprintf(stderr, "    skipped: valgrind reports the EFAULT\n");
        return;
    }
    for (int i = 0; i < 2; i++) {
        struct held h = { .ready = &(int){ 0 } };
        void **landing;

        make_pair(kind(i), &h.near, &h.far);
        CHECK_EQ(co_go(read_once, &h), 0);
        settle();
        landing = (void **)buffer_landing();
        buffer_put(*landing);
        *landing = NULL;
        CHECK_EQ(net_write(h.far, "x", 1, SOON), 0);
        for (int j = 0; j < 10000 && *h.ready == 0; j++)
            CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
        CHECK_EQ(h.n, 1);
        CHECK_EQ(h.data[0], 'x');
        net_close(h.near);
        net_close(h.far);
    }
}

/* What was lent stays the taker's while more is read. */
static void taken(void *arg)
{
    struct net_conn *a, *b;
    const void *data;
    char *mine, *other;

    (void)arg;
    make_pair(TCP, &a, &b);
    CHECK(net_take(b) == NULL);
    CHECK_EQ(net_write(a, "first", 5, SOON), 0);
    CHECK_EQ(net_next(b, &data, SOON), 5);
    mine = net_take(b);
    CHECK(mine == data && net_take(b) == NULL);
    CHECK_EQ(net_write(a, "second", 6, SOON), 0);
    CHECK_EQ(net_read(b, mine + 5, NET_BUFFER_BYTES - 5, SOON), 6);
    CHECK(memcmp(mine, "firstsecond", 11) == 0);
    other = net_buffer_get();
    CHECK(other != NULL && other != mine);
    memset(other, 1, NET_BUFFER_BYTES);
    net_buffer_put(other);
    net_buffer_put(mine);
    net_buffer_put(NULL);
    net_close(a);
    net_close(b);
}

int main(void)
{
    RUN(gets_and_puts);
    RUN(threads_come_and_go);
    RUN(landing_is_replaced);
    RUN_CO(readers_share_it);
    RUN_CO(lent_ones_are_apart);
    RUN_CO(out_of_memory);
    RUN_CO(taken);
    return 0;
}
