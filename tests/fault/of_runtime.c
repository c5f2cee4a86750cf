/* of_runtime.c - scenarios of start and stop, and of what is made once.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/kit.h"

static void nothing(void *arg) { (void)arg; }

static void start_with(const struct co_config *config)
{
    struct co *co;

    if (!WENT(co_start(config) == 0, ENOMEM, ))
        return;
    co = co_spawn(nothing, NULL, NULL);
    if (WENT(co != NULL, ENOMEM, ))
        CHECK_EQ(co_join(co, SOON), 0);
    check_health();
    inject_on();
    CHECK_EQ(co_shutdown(SOON), 0);
}

static void start(void) { start_with(&(struct co_config){ .schedulers = 2 }); }

static void start_pinned(void)
{
    start_with(&(struct co_config){ .schedulers = 2, .pin = true });
}

/* As many schedulers as there are cpus, which must be found out. */
static void start_default(void) { start_with(NULL); }

static bool root_ran;

static void root(void *arg)
{
    (void)arg;
    root_ran = true;
    if (WENT(co_go(nothing, NULL) == 0, ENOMEM, ))
        co_yield_now();
}

static void run(void)
{
    struct co_config config = { .schedulers = 2, .pin = true };

    root_ran = false;
    if (WENT(co_run(root, NULL, &config) == 0, ENOMEM, ))
        CHECK(root_ran);
}

const struct scenario scenarios_runtime[] = {
    { "start", start, 0 },
    { "start_first", start, FIRST(pthread_atfork) },
    { "start_pinned", start_pinned, 0 },
    { "start_default", start_default, 0 },
    { "run", run, 0 },
    { NULL, NULL, 0 },
};
