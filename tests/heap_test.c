/* heap_test.c - the heap against a plain table of keys.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/heap.h"
#include "tests/test.h"

static uint64_t random_state = 88172645463325252;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

/* What the head comments promise: parents come first, `where` is exact, and
 * eight children share a cache line. */
static void check_shape(const struct heap *h)
{
    uint32_t present = 0;

    for (uint32_t i = 0; i < h->count; i++) {
        const struct heap_entry *e = &h->entries[i];
        const struct heap_entry *parent = &h->entries[i > 0 ? (i - 1) / 8 : 0];

        CHECK_EQ(h->where[e->id], i + 1);
        CHECK((int32_t)(e->key - parent->key) >= 0);
        CHECK_EQ(((uintptr_t)e & 63) / sizeof *e, (i + 7) % 8);
    }
    for (uint32_t id = 0; id < h->limit; id++)
        present += heap_has(h, id);
    CHECK_EQ(present, h->count);
}

static void test_empty(void)
{
    struct heap h;

    CHECK(heap_open(&h, 1) == 0);
    CHECK_EQ(h.count, 0);
    CHECK(!heap_has(&h, 0));
    CHECK(!heap_has(&h, 12345)); /* beyond the limit is just not there */
    heap_drop(&h, 0);
    heap_set(&h, 0, 7);
    heap_set(&h, 0, 5);
    CHECK_EQ(h.count, 1);
    CHECK_EQ(heap_top(&h).key, 5);
    heap_pop(&h);
    CHECK(!heap_has(&h, 0));
    CHECK_EQ(h.count, 0);
    heap_close(&h);
    heap_close(&h);
}

static int compare_distance(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Sorts n keys, which begin at low and may wrap, through the heap. */
static void sort_through(uint32_t n, uint32_t low, uint32_t span)
{
    struct heap h;
    uint32_t *distance = malloc(n * sizeof *distance);

    CHECK(distance != NULL);
    CHECK(heap_open(&h, n) == 0);
    for (uint32_t id = 0; id < n; id++) {
        distance[id] = random_below(span);
        heap_set(&h, id, low + distance[id]);
    }
    check_shape(&h);
    qsort(distance, n, sizeof *distance, compare_distance);
    for (uint32_t i = 0; i < n; i++) {
        CHECK_EQ(heap_top(&h).key, low + distance[i]);
        heap_pop(&h);
    }
    CHECK_EQ(h.count, 0);
    check_shape(&h);
    heap_close(&h);
    free(distance);
}

static void test_sort(void)
{
    for (uint32_t n = 1; n < 80; n++) {
        sort_through(n, 0, 1000);
        sort_through(n, UINT32_MAX - 500, 1000);
        sort_through(n, 3, INT32_MAX);
    }
    uint32_t many = (uint32_t)test_count(1000000);

    sort_through(many, 0x7fffff00, INT32_MAX);
    sort_through(many, 0xfffffff0, 64); /* almost all equal */
}

enum { IDS = 300 };

struct table {
    bool present[IDS];
    uint32_t key[IDS];
};

static void check_top(const struct heap *h, const struct table *t, uint32_t low)
{
    uint32_t least = UINT32_MAX;

    for (uint32_t id = 0; id < IDS; id++) {
        CHECK_EQ(heap_has(h, id), t->present[id]);
        if (t->present[id] && t->key[id] - low < least)
            least = t->key[id] - low;
    }
    if (least == UINT32_MAX) {
        CHECK_EQ(h->count, 0);
    } else {
        struct heap_entry top = heap_top(h);

        CHECK_EQ(top.key, low + least);
        CHECK(t->present[top.id]);
        CHECK_EQ(t->key[top.id], top.key);
    }
}

/* Random calls while the keys wander round the whole circle of 32 bits several
 * times.  Popping moves low on, and no key is ever set more than 2^31 - 1
 * beyond it. */
static void test_random(void)
{
    static struct table t;
    struct heap h;
    uint32_t low = 0xf0000000;
    uint64_t travelled = 0;

    CHECK(heap_open(&h, IDS) == 0);
    for (long i = 0, n = test_count(1000000); i < n; i++) {
        uint32_t id = random_below(IDS);
        uint32_t what = random_below(8 + (uint32_t)(i / 2000 % 4));

        if (what < 3 || h.count == 0) {
            uint32_t span = random_below(2) ? INT32_MAX : 100;

            t.key[id] = low + random_below(span);
            t.present[id] = true;
            heap_set(&h, id, t.key[id]);
        } else if (what < 6) {
            t.present[id] = false;
            heap_drop(&h, id);
        } else {
            struct heap_entry top = heap_top(&h);

            travelled += top.key - low;
            low = top.key;
            t.present[top.id] = false;
            heap_pop(&h);
        }
        check_top(&h, &t, low);
        if (i % 500 == 0)
            check_shape(&h);
    }
    CHECK(travelled >> 32 > 2);
    heap_close(&h);
}

static void test_wide(void)
{
    struct heap h;

    /* 192 MiB of address space, of which four pages are touched. */
    if (heap_open(&h, 1u << 24) < 0) {
        CHECK_EQ(errno, ENOMEM);
        return;
    }
    heap_set(&h, (1u << 24) - 1, 1);
    heap_set(&h, 0, 0);
    CHECK_EQ(heap_top(&h).id, 0);
    heap_close(&h);
}

int main(void)
{
    RUN(test_empty);
    RUN(test_sort);
    RUN(test_random);
    RUN(test_wide);
    return 0;
}
