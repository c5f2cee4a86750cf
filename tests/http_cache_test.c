/* http_cache_test.c - which files stay, and that answers keep theirs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "net/http_cache.h"
#include "net/http_hash.h"
#include "tests/files_kit.h"
#include <stdatomic.h>

static struct http_entry *make(const char *key, size_t size, bool file)
{
    struct http_entry *e = calloc(1, sizeof *e + strlen(key) + 1);

    CHECK(e != NULL);
    e->key = strcpy((char *)(e + 1), key);
    e->key_len = (uint32_t)strlen(key);
    e->hash = http_hash(key, e->key_len);
    e->size = size;
    e->fd = -1;
    atomic_init(&e->refs, 1);
    if (file)
        e->fd = open("/dev/null", O_RDONLY);
    else
        e->body = malloc(size + 1);
    CHECK(e->fd >= 0 || e->body != NULL);
    return e;
}

static void put(struct http_cache *c, const char *key, size_t size, bool file)
{
    struct http_entry *e = make(key, size, file);

    http_cache_put(c, e);
    http_entry_release(e);
}

static struct http_entry *get(struct http_cache *c, const char *key)
{
    size_t len = strlen(key);

    return http_cache_get(c, http_hash(key, len), key, len);
}

static bool has(struct http_cache *c, const char *key)
{
    struct http_entry *e = get(c, key);

    if (e != NULL)
        http_entry_release(e);
    return e != NULL;
}

static const char *name(int i)
{
    static char text[32];

    (void)snprintf(text, sizeof text, "-file%d", i);
    return text;
}

static int count(struct http_cache *c, int from, int to)
{
    int n = 0;

    for (int i = from; i < to; i++)
        n += has(c, name(i));
    return n;
}

static void keeps_and_replaces(void)
{
    struct http_cache *c = http_cache_open(1 << 20, 10);
    struct http_entry *old, *other;

    CHECK(c != NULL);
    CHECK(!has(c, "-a"));
    put(c, "-a", 1, false);
    CHECK(has(c, "-a") && !has(c, "za") && !has(c, "-") && !has(c, "-aa"));
    old = get(c, "-a");
    put(c, "-a", 2, true); /* of the other kind */
    other = get(c, "-a");
    CHECK(other != old && other->size == 2);
    CHECK_EQ(old->size, 1);  /* somebody is still sending it */
    http_cache_drop(c, old); /* which is not there any more */
    CHECK(has(c, "-a"));
    http_cache_drop(c, other);
    CHECK(!has(c, "-a"));
    http_entry_release(old);
    http_entry_release(other);
    http_cache_close(c);
    http_cache_close(NULL);
}

/* Of bodies by bytes, of descriptors by their number; neither takes the other's
 * room. */
static void is_bounded(void)
{
    enum { BODIES = 1000, BYTES = 1000 };
    int fds = fds_open();
    struct http_cache *c = http_cache_open(100 * BYTES, 10);

    CHECK(c != NULL);
    for (int i = 0; i < BODIES; i++) {
        put(c, name(i), BYTES, false);
        put(c, name(BODIES + i), 1 << 30, true);
    }
    CHECK(count(c, 0, BODIES) > 50 && count(c, 0, BODIES) < 100);
    CHECK_EQ(count(c, BODIES, 2 * BODIES), 10);
    CHECK_EQ(fds_open(), fds + 10);
    CHECK(!http_cache_takes(c, 30 * BYTES));
    put(c, "-large", 30 * BYTES, false); /* more than its share */
    CHECK(!has(c, "-large"));
    http_cache_close(c);
    CHECK_EQ(fds_open(), fds);
}

static void keeps_what_is_used(void)
{
    struct http_cache *c = http_cache_open(100000, 4);

    CHECK(c != NULL);
    put(c, "-often", 1, true);
    for (int i = 0; i < 100; i++) {
        CHECK(has(c, "-often"));
        put(c, name(i), 1, true);
    }
    CHECK(has(c, name(99)) && !has(c, name(90)));
    http_cache_close(c);
}

static void keeps_nothing(void)
{
    struct http_cache *c = http_cache_open(1, 0);

    CHECK(c != NULL);
    put(c, "-a", 0, false);
    put(c, "-b", 0, true);
    CHECK(!has(c, "-a") && !has(c, "-b"));
    http_cache_close(c);
}

/* ---- Together --------------------------------------------------------------
 */

static struct http_cache *shared;
static atomic_int hits;

/* What was got is whole, whoever replaces it. */
static void worker(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    for (int i = 0; i < test_count(200000); i++) {
        char key[32];
        struct http_entry *e;

        (void)snprintf(key, sizeof key, "-file%d", rand_r(&seed) % 40);
        e = get(shared, key);
        if (e == NULL) {
            e = make(key, 500, rand_r(&seed) % 4 == 0);
            if (e->body != NULL)
                memset(e->body, key[5], 500);
            http_cache_put(shared, e);
        } else {
            atomic_fetch_add(&hits, 1);
            if (rand_r(&seed) % 20 == 0)
                http_cache_drop(shared, e);
        }
        if (i % 3 == 0)
            co_yield_now();
        CHECK(strcmp(e->key, key) == 0);
        if (e->body != NULL)
            CHECK(((char *)e->body)[499] == key[5]);
        http_entry_release(e);
    }
}

static void together(void *arg)
{
    struct co *workers[8];

    (void)arg;
    for (uintptr_t i = 0; i < 8; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % 2) };

        workers[i] = co_spawn(worker, (void *)i, &attr);
        CHECK(workers[i] != NULL);
    }
    for (int i = 0; i < 8; i++)
        CHECK_EQ(co_join(workers[i], CO_FOREVER), 0);
    CHECK(atomic_load(&hits) > 0);
}

int main(void)
{
    int fds = fds_open();

    keeps_and_replaces();
    is_bounded();
    keeps_what_is_used();
    keeps_nothing();
    shared = http_cache_open(20000, 5);
    CHECK(shared != NULL);
    CHECK_EQ(co_run(together, NULL, &(struct co_config){ .schedulers = 2 }), 0);
    http_cache_close(shared);
    CHECK_EQ(fds_open(), fds);
    return 0;
}
