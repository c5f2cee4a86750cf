/* resolve_test.c - names: what they can fail with, and that nobody waits for a
 * name server longer than he said.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "net/resolve.h"
#include "tests/names.h"
#include "tests/net_tools.h"

static int ask(const char *host, struct addr *out, int64_t deadline)
{
    struct addr_name name = { .port = 80 };

    (void)snprintf(name.host, sizeof name.host, "%s", host);
    return resolve(&name, out, deadline);
}

static void answers(void *arg)
{
    struct addr out[RESOLVE_MAX];
    char text[NET_ADDR_MAX];

    (void)arg;
    CHECK_EQ(ask("plain", out, SOON), 1);
    addr_format(&out[0], text, sizeof text);
    CHECK(strcmp(text, "127.0.0.1:80") == 0);
    CHECK_EQ(ask("second", out, SOON), 2);
    addr_format(&out[0], text, sizeof text);
    CHECK(strcmp(text, "127.0.0.2:80") == 0);
    CHECK_EQ(ask("many", out, SOON), RESOLVE_MAX);
    addr_format(&out[RESOLVE_MAX - 1], text, sizeof text);
    CHECK(strcmp(text, "127.0.1.16:80") == 0);
}

static void failures(void *arg)
{
    static const struct {
        const char *name;
        int err;
    } table[] = { { "gone", ENOENT },
                  { "later", EAGAIN },
                  { "broken", EIO },
                  { "system", EMFILE },
                  { "empty", ENOENT } };
    struct addr out[RESOLVE_MAX];

    (void)arg;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        errno = 0;
        CHECK_EQ(ask(table[i].name, out, SOON), -1);
        CHECK_EQ(errno, table[i].err);
    }
}

static void texts(void *arg)
{
    struct addr out[RESOLVE_MAX];
    bool all = true;
    int before = atomic_load(&names_asked);

    (void)arg;
    CHECK_EQ(resolve_text("1.2.3.4:5", out, &all, SOON), 1);
    CHECK(!all);
    CHECK_EQ(resolve_text(":5", out, &all, SOON), 1);
    CHECK(all);
    CHECK_EQ(resolve_text(":5", out, NULL, SOON), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(resolve_text("what is this", out, &all, SOON), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(atomic_load(&names_asked), before); /* numbers ask nobody */
    CHECK_EQ(resolve_text("second:5", out, &all, SOON), 2);
}

static void wait_in_vain(void *arg)
{
    struct addr out[RESOLVE_MAX];
    int *err = arg;

    CHECK_EQ(ask("slow", out, SOON), -1);
    *err = errno;
}

/* The look-up goes on and frees what it needs by itself. */
static void gives_up(void *arg)
{
    struct addr out[RESOLVE_MAX];
    int err = 0, before = atomic_load(&names_waiting);
    struct co *co;

    (void)arg;
    CHECK_EQ(ask("slow", out, co_after(20 * CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(ask("slow", out, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);

    co = co_spawn(wait_in_vain, &err, NULL);
    CHECK(co != NULL);
    while (atomic_load(&names_waiting) == before)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    co_cancel(co);
    CHECK_EQ(co_join(co, SOON), 0);
    CHECK_EQ(err, ECANCELED);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(sem_post(&names_slow), 0);
}

static void without_runtime(void)
{
    struct addr out[RESOLVE_MAX];

    CHECK_EQ(ask("second", out, SOON), 2);
    CHECK_EQ(ask("gone", out, SOON), -1);
    CHECK_EQ(errno, ENOENT);
}

static void on_thread(void)
{
    struct addr out[RESOLVE_MAX];

    CHECK_EQ(co_start(NULL), 0);
    CHECK_EQ(ask("second", out, SOON), 2);
    CHECK_EQ(ask("slow", out, co_after(20 * CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(sem_post(&names_slow), 0);
    CHECK_EQ(co_shutdown(SOON), 0);
}

int main(void)
{
    CHECK_EQ(sem_init(&names_slow, 0, 0), 0);
    RUN(without_runtime);
    RUN_CO(answers);
    RUN_CO(failures);
    RUN_CO(texts);
    RUN_CO(gives_up);
    RUN(on_thread);
    return 0;
}
