/* http_idle_test.c - what a connection holds that has served a request and
 * waits for the next one: no buffer, and of its stack what it stands on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "tests/web_kit.h"
#include <sys/mman.h>

#if defined(CO_ASAN) || defined(CO_TSAN)
enum { SHADOWED = 1 };
#else
enum { SHADOWED = 0 };
#endif

static char *deep; /* a page of a stack, that a handler used */

__attribute__((noinline)) static void dig(void)
{
    char hole[64 * 1024];

    memset(hole, 'x', sizeof hole);
    __asm__ volatile("" ::"r"(hole) : "memory");
    deep = (char *)(((uintptr_t)hole + 8192) & ~(uintptr_t)4095);
}

static int digs(struct http_request *req, struct http_response *res)
{
    (void)req;
    dig();
    CHECK_EQ(http_text(res, "done"), 0);
    return 200;
}

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_printf(res, "hello %d", 1), 0);
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/digs", digs, NULL, 0 },
    { "GET", "/", hello, NULL, 0 },
    { 0 },
};

static const struct http_config config = { .routes = routes };

static bool resident(char *page)
{
    unsigned char vec[1];

    CHECK_EQ(mincore(page, 4096, vec), 0);
    return vec[0] & 1;
}

static void stack_given_back(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (int i = 0; i < 2; i++) {
        int64_t until = SOON;

        CHECK_EQ(ask(k, "GET /digs HTTP/1.1\r\n" END), 200);
        CHECK(body_is(k, "done"));
        while (resident(deep)) {
            CHECK(co_now() < until);
            CHECK_EQ(co_sleep_until(co_after(10 * CO_MSEC)), 0);
        }
    }
    client_close(k);
    web_stop(&web);
}

static long rss(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long pages = 0;

    CHECK(f != NULL && fscanf(f, "%*d %ld", &pages) == 1);
    CHECK_EQ(fclose(f), 0);
    return pages * sysconf(_SC_PAGESIZE);
}

/* The clients' ends are in this process, too: a page more each is for them. */
static void no_buffer_held(void *arg)
{
    static const char request[] = "GET / HTTP/1.1\r\n" END;
    long count = test_count(2000), before = 0;
    struct net_conn **conns;
    struct web web;
    char buf[1024];

    (void)arg;
    count = count < 200 ? 200 : count;
    conns = calloc((size_t)count, sizeof *conns);
    CHECK(conns != NULL);
    web_start(&web, &config, NULL);
    for (long i = 0; i < count; i++) {
        conns[i] = net_dial(web.addr, SOON);
        CHECK(conns[i] != NULL);
        CHECK_EQ(net_write(conns[i], request, sizeof request - 1, SOON), 0);
        CHECK(net_read(conns[i], buf, sizeof buf, SOON) > 0);
        if (i == 50)
            before = rss();
    }
    fprintf(stderr, "    %ld bytes a connection\n",
            (rss() - before) / (count - 50));
    CHECK(SHADOWED || under_valgrind() || rss() - before < (count - 50) * 8192);
    for (long i = 0; i < count; i++)
        net_close(conns[i]);
    free(conns);
    web_stop(&web);
}

int main(void)
{
    RUN_CO(stack_given_back);
    RUN_CO(no_buffer_held);
    return 0;
}
