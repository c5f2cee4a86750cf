/* redis_memory_test.c - each allocation in turn fails, hiredis's included, once
 * or from then on: ENOMEM comes back, and afterwards all is as before.
 *
 * The program's own malloc() takes the place of libc's for the libraries, too.
 * That is what sanitizers and valgrind do, so there this test does not apply.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/redis_kit.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifdef SANITIZED

int main(void)
{
    printf("skipped: malloc() is the sanitizer's\n");
    return 77;
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

/* Of the only thread that allocates meanwhile. */
static bool armed, once, hit;
static long left;

static bool refused(void)
{
    if (!armed || left-- > 0)
        return false;
    armed = !once;
    hit = true;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size) { return refused() ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size)
{
    return refused() ? NULL : __libc_calloc(n, size);
}
void *realloc(void *old, size_t size)
{
    return refused() ? NULL : __libc_realloc(old, size);
}

/* NULL only for want of memory. */
static void *good(void *result)
{
    if (result == NULL) {
        if (errno != ENOMEM)
            fprintf(stderr, "    at %ld: %s\n", left, strerror(errno));
        CHECK_EQ(errno, ENOMEM);
        CHECK(hit);
    }
    return result;
}

static void by_pool(void)
{
    struct net_redis_config config = plain(1);
    struct net_pool *p = good(net_redis_pool(&config));
    redisContext *c = p == NULL ? NULL : good(net_pool_get(p, SOON));

    if (c != NULL) {
        freeReplyObject(good(net_redis_command(c, SOON, "SET n %f", 1.5)));
        net_pool_put(p, c);
        c = good(net_pool_get(p, SOON));
    }
    if (c != NULL) {
        freeReplyObject(good(
            net_redis_command(c, SOON, "EVAL %s 0", "return {1,{'a',{'b'}}}")));
        net_pool_put(p, c);
    }
    armed = false;
    if (p != NULL) {
        c = get(p);
        says(net_redis_command(c, SOON, "ECHO %s", "x"), "x");
        net_pool_put(p, c);
    }
    net_pool_free(p);
}

static void by_one(void)
{
    struct net_redis_config config = plain(0);
    struct net_redis *r = good(net_redis_new(&config));

    for (int i = 0; r != NULL && i < 3; i++) {
        freeReplyObject(good(net_redis_ask(r, SOON, "SET n %f", 1.5)));
        freeReplyObject(good(net_redis_ask(r, SOON, "LRANGE none 0 %d", 9)));
    }
    armed = false;
    if (r != NULL)
        says(net_redis_ask(r, SOON, "ECHO %s", "x"), "x");
    net_redis_free(r);
}

static void each(void (*scenario)(void), const char *name)
{
    for (int i = 0; i < 2; i++) {
        long n = 0;

        do {
            once = i == 0;
            hit = false;
            left = n++;
            armed = true;
            scenario();
        } while (hit);
        fprintf(stderr, "  %s: %ld allocations\n", name, n - 1);
        CHECK(n > 10);
    }
}

static void root(void *arg)
{
    (void)arg;
    by_pool(); /* what is made once */
    by_one();
    each(by_pool, "pool");
    each(by_one, "shared");
}

int main(void)
{
    if (getenv("SERVERS") == NULL) {
        printf("skipped: tests/servers.py runs this\n");
        return 77;
    }
    if (under_valgrind()) {
        printf("skipped: malloc() is valgrind's\n");
        return 77;
    }
    CHECK_EQ(co_run(root, NULL, &(struct co_config){ .schedulers = 1 }), 0);
    return 0;
}

#endif
