/* keys_test.c - coroutine-local storage and its destructors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/test.h"

static int plain_key, counted_key, again_key, waiting_key;
static int destroyed, again_rounds, waited;
static struct co *owner;

static void count(void *value)
{
    CHECK_EQ(*(int *)value, 7);
    CHECK(co_self() == owner);
    CHECK(co_key_get(counted_key) == NULL); /* taken out first */
    destroyed++;
}

static void set_again(void *value)
{
    again_rounds++;
    CHECK_EQ(co_key_set(again_key, value), 0);
}

static void wait_a_little(void *value)
{
    (void)value;
    co_yield_now();
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    waited++;
}

static void set_all(void *arg)
{
    static int seven = 7;

    (void)arg;
    owner = co_self();
    CHECK(co_key_get(plain_key) == NULL);
    CHECK(co_key_get(counted_key) == NULL);
    CHECK_EQ(co_key_set(plain_key, &seven), 0);
    CHECK_EQ(co_key_set(counted_key, &seven), 0);
    CHECK_EQ(co_key_set(again_key, &seven), 0);
    CHECK_EQ(co_key_set(waiting_key, &seven), 0);
    co_yield_now();
    CHECK(co_key_get(plain_key) == &seven);
    CHECK(co_key_get(counted_key) == &seven);
}

static void set_nothing(void *arg)
{
    (void)arg;
    CHECK(co_key_get(counted_key) == NULL); /* nothing of the one before */
    CHECK_EQ(co_key_set(counted_key, NULL), 0);
}

static void join(co_fn *fn)
{
    struct co *co = co_spawn(fn, NULL, NULL);

    CHECK(co != NULL);
    CHECK_EQ(co_join(co, CO_FOREVER), 0);
}

static void root_destroys(void *arg)
{
    (void)arg;
    join(set_all);
    CHECK_EQ(destroyed, 1);
    CHECK_EQ(again_rounds, 4);
    CHECK_EQ(waited, 1);
    join(set_nothing);
    CHECK_EQ(destroyed, 1);
}

static void destroys(void)
{
    struct co_config config = { .schedulers = 1 };

    plain_key = co_key_create(NULL);
    counted_key = co_key_create(count);
    again_key = co_key_create(set_again);
    waiting_key = co_key_create(wait_a_little);
    CHECK(plain_key >= 0 && counted_key > plain_key);
    CHECK(again_key > counted_key && waiting_key > again_key);
    CHECK_EQ(co_run(root_destroys, NULL, &config), 0);
}

static int apart_key;

static void own_value(void *arg)
{
    CHECK_EQ(co_key_set(apart_key, arg), 0);
    for (int i = 0; i < 10; i++) {
        co_yield_now();
        CHECK(co_key_get(apart_key) == arg);
    }
}

static void root_apart(void *arg)
{
    struct co *all[100];

    (void)arg;
    for (int i = 0; i < 100; i++) {
        struct co_attr attr = { .on = CO_ANY };

        all[i] = co_spawn(own_value, (void *)(intptr_t)(i + 1), &attr);
        CHECK(all[i] != NULL);
    }
    for (int i = 0; i < 100; i++)
        CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
}

static void values_are_apart(void)
{
    apart_key = co_key_create(NULL);
    CHECK(apart_key >= 0);
    CHECK_EQ(co_run(root_apart, NULL, NULL), 0);
}

static void root_bad(void *arg)
{
    (void)arg;
    CHECK(co_key_set(-1, &arg) == -1 && errno == EINVAL);
    CHECK(co_key_set(1000, &arg) == -1 && errno == EINVAL);
    CHECK(co_key_get(-1) == NULL && co_key_get(1000) == NULL);
}

static void runs_out(void)
{
    int key = 0;

    for (int i = 0; i < 1000 && key >= 0; i++)
        key = co_key_create(NULL);
    CHECK(key == -1 && errno == EAGAIN);
    CHECK(co_key_create(NULL) == -1 && errno == EAGAIN);
    CHECK_EQ(co_run(root_bad, NULL, NULL), 0);
}

int main(void)
{
    RUN(destroys);
    RUN(values_are_apart);
    RUN(runs_out);
    return 0;
}
