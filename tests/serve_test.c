/* serve_test.c - servers: who gets which connection, running short, stopping.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/net_tools.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

/* ---- Every balance
 * -----------------------------------------------------------
 */

enum { CONNS = 40 };

static atomic_int living[2]; /* handlers, by scheduler */

static int where(void) { return co_sched_self() == co_sched_at(1); }

static void counted_echo(struct net_conn *c, void *arg)
{
    atomic_fetch_add(&living[where()], 1);
    echo(c, arg);
    atomic_fetch_sub(&living[where()], 1);
}

static void check_balance(const char *addr, int balance)
{
    struct net_listen_options o = { .balance = balance };
    struct net_conn *c[CONNS];
    struct server s;

    server_start(&s, addr, &o, counted_echo, NULL);
    for (int i = 0; i < CONNS; i++) {
        c[i] = net_dial(s.addr, SOON);
        CHECK(c[i] != NULL);
        check_echo(c[i], "hello");
    }
    CHECK_EQ(atomic_load(&living[0]) + atomic_load(&living[1]), CONNS);
    if (balance != NET_PER_SCHEDULER || strncmp(addr, "unix:", 5) == 0)
        CHECK_EQ(atomic_load(&living[0]), CONNS / 2);
    else
        CHECK(atomic_load(&living[0]) > 0 && atomic_load(&living[1]) > 0);
    for (int i = 0; i < CONNS; i++)
        net_close(c[i]);
    server_stop(&s);
    CHECK_EQ(atomic_load(&living[0]) + atomic_load(&living[1]), 0);
    CHECK(net_dial(s.addr, SOON) == NULL);
    CHECK_EQ(errno, ECONNREFUSED);
}

static void balances(void *arg)
{
    (void)arg;
    for (int balance = NET_PER_SCHEDULER; balance <= NET_LEAST_CONNS;
         balance++) {
        check_balance(TCP, balance);
        check_balance(local_addr(), balance);
    }
}

static void wait_living(int first, int second)
{
    for (int i = 0; i < 10000; i++) {
        if (atomic_load(&living[0]) == first &&
            atomic_load(&living[1]) == second)
            return;
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    }
    CHECK_EQ(atomic_load(&living[0]), first);
    CHECK_EQ(atomic_load(&living[1]), second);
}

/* After all of one scheduler's connections ended, the next ones go there. */
static void least_conns_evens_out(void *arg)
{
    struct net_listen_options o = { .balance = NET_LEAST_CONNS };
    struct net_conn *c[20];
    struct server s;
    bool on_first[20];

    (void)arg;
    server_start(&s, TCP, &o, counted_echo, NULL);
    for (int i = 0; i < 20; i++) {
        int before = atomic_load(&living[0]);

        c[i] = net_dial(s.addr, SOON);
        CHECK(c[i] != NULL);
        check_echo(c[i], "x");
        on_first[i] = atomic_load(&living[0]) > before;
    }
    wait_living(10, 10);
    for (int i = 0; i < 20; i++)
        if (on_first[i])
            net_close(c[i]);
    wait_living(0, 10);
    /* Its count goes down a moment after the handler said so. */
    CHECK_EQ(co_sleep_until(co_after(20 * CO_MSEC)), 0);
    for (int i = 0; i < 20; i++)
        if (on_first[i]) {
            c[i] = net_dial(s.addr, SOON);
            CHECK(c[i] != NULL);
            check_echo(c[i], "x");
        }
    wait_living(10, 10);
    for (int i = 0; i < 20; i++)
        net_close(c[i]);
    server_stop(&s);
}

/* ---- Failing
 * ------------------------------------------------------------------
 */

static void failures(void *arg)
{
    struct net_listener *l;
    char addr[NET_ADDR_MAX];

    (void)arg;
    errno = EXDEV;
    CHECK_EQ(net_serve(NULL, echo, NULL), -1);
    CHECK_EQ(errno, EXDEV);
    CHECK_EQ(net_serve(net_listen("nonsense", NULL), echo, NULL), -1);
    CHECK_EQ(errno, EINVAL);

    /* The time that its caller gave it. */
    l = net_listen(TCP, NULL);
    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    {
        int64_t old = co_limit_deadline(co_after(10 * CO_MSEC));

        CHECK_EQ(net_serve(l, echo, NULL), -1);
        CHECK_EQ(errno, ETIMEDOUT);
        co_restore_deadline(old);
    }
    CHECK(net_dial(addr, SOON) == NULL); /* closed on that path, too */
    CHECK_EQ(errno, ECONNREFUSED);
}

static void second_server(void *arg)
{
    struct server s;
    struct net_conn *c;

    (void)arg;
    server_start(&s, TCP, NULL, echo, NULL);
    c = net_dial(s.addr, SOON);
    CHECK(c != NULL);
    check_echo(c, "it serves now, on both sockets");
    CHECK(net_listen(s.addr, NULL) == NULL);
    CHECK_EQ(errno, EADDRINUSE);
    net_close(c);
    server_stop(&s);
}

static void without_runtime(void)
{
    struct net_listener *l = net_listen(TCP, NULL);
    char addr[NET_ADDR_MAX];

    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    CHECK_EQ(net_serve(l, echo, NULL), -1);
    CHECK_EQ(errno, ESHUTDOWN);
    CHECK(net_dial(addr, SOON) == NULL);
    CHECK_EQ(errno, ECONNREFUSED);
}

static void *serve_on_thread(void *l)
{
    CHECK_EQ(net_serve(l, echo, NULL), 0);
    return NULL;
}

static void on_plain_thread(void)
{
    struct net_listener *l;
    char addr[NET_ADDR_MAX];
    struct net_conn *c;
    pthread_t thread;

    CHECK_EQ(co_start(&(struct co_config){ .schedulers = 2 }), 0);
    l = net_listen(TCP, NULL);
    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    CHECK_EQ(pthread_create(&thread, NULL, serve_on_thread, l), 0);
    c = net_dial(addr, SOON);
    CHECK(c != NULL);
    check_echo(c, "from one thread to another");
    CHECK_EQ(co_shutdown(SOON), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    net_close(c);
}

/* ---- Handlers
 * ------------------------------------------------------------------
 */

static void unruly(struct net_conn *c, void *arg)
{
    (void)arg;
    (void)co_limit_deadline(CO_NOWAIT);
    (void)co_hold_cancel(true);
    net_close(c); /* sooner than it would be */
    CHECK_EQ(net_write(c, "x", 1, SOON), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(net_read(c, (char[1]){ 0 }, 1, SOON), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(net_shutdown(c), -1);
    CHECK_EQ(errno, EBADF);
    net_close(c);
}

static void closes_by_itself(void *arg)
{
    struct server s;

    (void)arg;
    server_start(&s, TCP, NULL, unruly, NULL);
    for (int i = 0; i < 10; i++) {
        struct net_conn *c = net_dial(s.addr, SOON);

        CHECK(c != NULL);
        CHECK_EQ(net_read(c, (char[1]){ 0 }, 1, SOON), 0);
        net_close(c);
    }
    server_stop(&s);
}

static atomic_int left_behind;

static void read_on(void *arg)
{
    CHECK_EQ(net_read(arg, (char[1]){ 0 }, 1, SOON), -1);
    CHECK_EQ(errno, EBADF);
    atomic_fetch_sub(&left_behind, 1);
}

/* Returns while another coroutine is inside a call on c. */
static void leaves_reader(struct net_conn *c, void *arg)
{
    (void)arg;
    atomic_fetch_add(&left_behind, 1);
    CHECK_EQ(co_go(read_on, c), 0);
    CHECK_EQ(net_write(c, "a", 1, SOON), 0);
    co_yield_now();
    co_yield_now();
}

static void handler_ends_first(void *arg)
{
    struct server s;

    (void)arg;
    server_start(&s, TCP, NULL, leaves_reader, NULL);
    for (int i = 0; i < 10; i++) {
        struct net_conn *c = net_dial(s.addr, SOON);

        CHECK(c != NULL);
        CHECK_EQ(net_read(c, (char[1]){ 0 }, 1, SOON), 1);
        CHECK_EQ(net_read(c, (char[1]){ 0 }, 1, SOON), 0);
        net_close(c);
    }
    server_stop(&s);
    for (int i = 0; i < 10000 && atomic_load(&left_behind) > 0; i++)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(atomic_load(&left_behind), 0);
}

/* ---- Running short
 * --------------------------------------------------------------
 */

static atomic_int at_once, most;

static void count_at_once(struct net_conn *c, void *arg)
{
    int now = atomic_fetch_add(&at_once, 1) + 1;
    int seen = atomic_load(&most);

    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
        ;
    echo(c, arg);
    atomic_fetch_sub(&at_once, 1);
}

static void check_max(const char *addr, int balance)
{
    struct net_listen_options o = { .max_conns = 3, .balance = balance };
    struct net_conn *c[12];
    struct server s;

    atomic_store(&most, 0);
    server_start(&s, addr, &o, count_at_once, NULL);
    for (int i = 0; i < 12; i++) {
        c[i] = net_dial(s.addr, SOON);
        CHECK(c[i] != NULL);
        CHECK_EQ(net_write(c[i], "wait", 4, SOON), 0);
    }
    for (int round = 0; round < 12; round++) { /* three at a time get through */
        int done = -1;

        while (done < 0) {
            for (int i = 0; i < 12 && done < 0; i++)
                if (c[i] != NULL && net_wait(c[i], CO_NOWAIT) == 0)
                    done = i;
            if (done < 0)
                CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
        }
        CHECK_EQ(net_read_full(c[done], (char[4]){ 0 }, 4, SOON), 0);
        net_close(c[done]);
        c[done] = NULL;
    }
    CHECK(atomic_load(&most) <= 3);
    server_stop(&s);
}

static void max_conns(void *arg)
{
    (void)arg;
    check_max(TCP, NET_PER_SCHEDULER);
    check_max(TCP, NET_ROUND_ROBIN);
    check_max(local_addr(), NET_LEAST_CONNS);
}

static double cpu_seconds(void)
{
    struct rusage u;

    CHECK_EQ(getrusage(RUSAGE_SELF, &u), 0);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Takes all descriptors that are left; how many. */
static int take_fds(int *fds, int max)
{
    int n = 0;

    while (n < max && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    CHECK(n < max);
    CHECK_EQ(errno, EMFILE);
    return n;
}

static void connect_raw(int fd, const char *addr)
{
    struct sockaddr_in in = { .sin_family = AF_INET };

    in.sin_port = htons((uint16_t)atoi(strrchr(addr, ':') + 1));
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(test_connect(fd, (struct sockaddr *)&in, sizeof in), 0);
}

/* No descriptors left: it neither spins nor ends, and goes on afterwards. */
static void out_of_fds(void *arg)
{
    enum { CLIENTS = 3, MAX = 256 };
    struct rlimit old, few;
    struct net_conn *before;
    struct server s;
    int client[CLIENTS], taken[MAX], n;
    double cpu;

    (void)arg;
    if (under_valgrind()) {
        fprintf(stderr, "    skipped: valgrind lets the kernel accept, then "
                        "closes it and says EMFILE\n");
        return;
    }
    server_start(&s, TCP, NULL, echo, NULL);
    before = net_dial(s.addr, SOON);
    CHECK(before != NULL);
    check_echo(before, "first");
    for (int i = 0; i < CLIENTS; i++)
        CHECK((client[i] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = (rlim_t)client[CLIENTS - 1] + 8;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    n = take_fds(taken, MAX);
    for (int i = 0; i < CLIENTS; i++)
        connect_raw(client[i], s.addr);
    cpu = cpu_seconds();
    CHECK_EQ(co_sleep_until(co_after(300 * CO_MSEC)), 0);
    check_echo(before, "not disturbed");
    CHECK(cpu_seconds() - cpu < 0.15);
    while (n > 0)
        CHECK_EQ(close(taken[--n]), 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
    for (int i = 0; i < CLIENTS; i++) {
        char byte = 'x';

        CHECK_EQ(co_write(client[i], "a", 1, SOON), 1);
        CHECK_EQ(co_read(client[i], &byte, 1, SOON), 1);
        CHECK_EQ(byte, 'a');
        CHECK_EQ(co_close(client[i]), 0);
    }
    net_close(before);
    server_stop(&s);
}

/* No coroutines left: as above. */
static void out_of_coroutines(void *arg)
{
    struct net_conn *c[12];
    struct server s;

    (void)arg;
    server_start(&s, TCP, NULL, echo, NULL);
    for (int i = 0; i < 12; i++) {
        c[i] = net_dial(s.addr, SOON);
        CHECK(c[i] != NULL);
        CHECK_EQ(net_write(c[i], "ping", 4, SOON), 0);
    }
    CHECK_EQ(co_sleep_until(co_after(20 * CO_MSEC)), 0);
    for (int done = 0; done < 12;) {
        for (int i = 0; i < 12; i++)
            if (c[i] != NULL && net_wait(c[i], CO_NOWAIT) == 0) {
                CHECK_EQ(net_read_full(c[i], (char[4]){ 0 }, 4, SOON), 0);
                net_close(c[i]);
                c[i] = NULL;
                done++;
            }
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    }
    server_stop(&s);
}

static void few_coroutines(void)
{
    struct co_config few = { .schedulers = 2, .max_coroutines = 8 };

    CHECK_EQ(co_run(out_of_coroutines, NULL, &few), 0);
}

/* They connect and say nothing. */
static void silent_ones(void *arg)
{
    int count = (int)test_count(8000);
    struct net_conn **c = calloc((size_t)count, sizeof *c), *loud;
    struct server s;

    (void)arg;
    CHECK(c != NULL);
    server_start(&s, TCP, NULL, counted_echo, NULL);
    for (int i = 0; i < count; i++) {
        c[i] = net_dial(s.addr, SOON);
        CHECK(c[i] != NULL);
    }
    loud = net_dial(s.addr, SOON);
    CHECK(loud != NULL);
    check_echo(loud, "nobody else is disturbed");
    for (int i = 0; i < 10000; i++) {
        if (atomic_load(&living[0]) + atomic_load(&living[1]) == count + 1)
            break;
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    }
    CHECK_EQ(atomic_load(&living[0]) + atomic_load(&living[1]), count + 1);
    for (int i = 0; i < count; i += 2)
        net_close(c[i]);
    check_echo(loud, "still not");
    net_close(loud);
    for (int i = 1; i < count; i += 2)
        net_close(c[i]);
    server_stop(&s);
    free(c);
}

/* ---- Stopping
 * --------------------------------------------------------------------
 */

static atomic_int finished, cut_off;

/* Takes as many ms as the first byte says. */
static void work(struct net_conn *c, void *arg)
{
    unsigned char ms;

    (void)arg;
    if (net_read_full(c, &ms, 1, CO_FOREVER) < 0 ||
        co_sleep_until(co_after(ms * CO_MSEC)) < 0 ||
        net_write(c, "done", 4, CO_FOREVER) < 0) {
        CHECK(errno == ECANCELED || errno == EPIPE || errno == ECONNRESET);
        atomic_fetch_add(&cut_off, 1);
    } else {
        atomic_fetch_add(&finished, 1);
    }
}

/* Some finish within the grace time, the others are cancelled. */
static void grace(void *arg)
{
    struct net_listen_options o = { .grace = 200 * CO_MSEC };
    struct net_conn *quick, *slow, *silent;
    struct server s;

    (void)arg;
    atomic_store(&finished, 0);
    atomic_store(&cut_off, 0);
    for (int balance = NET_PER_SCHEDULER; balance <= NET_ROUND_ROBIN;
         balance++) {
        o.balance = balance;
        server_start(&s, TCP, &o, work, NULL);
        quick = net_dial(s.addr, SOON);
        slow = net_dial(s.addr, SOON);
        silent = net_dial(s.addr, SOON);
        CHECK(quick != NULL && slow != NULL && silent != NULL);
        CHECK_EQ(net_write(quick, "\x0a", 1, SOON), 0);
        CHECK_EQ(net_write(slow, "\xff", 1, SOON), 0);
        co_cancel(s.co);
        /* Accepted until the queue is empty, then refused. */
        CHECK_EQ(net_read_full(quick, (char[4]){ 0 }, 4, SOON), 0);
        CHECK(net_dial(s.addr, SOON) == NULL);
        CHECK_EQ(errno, ECONNREFUSED);
        CHECK_EQ(net_read(slow, (char[4]){ 0 }, 4, SOON), 0);
        CHECK_EQ(net_read(silent, (char[4]){ 0 }, 4, SOON), 0);
        CHECK_EQ(co_join(s.co, SOON), 0);
        CHECK_EQ(s.result, 0);
        net_close(quick);
        net_close(slow);
        net_close(silent);
    }
    CHECK_EQ(atomic_load(&finished), 2);
    CHECK_EQ(atomic_load(&cut_off), 4);
}

/* A stop before the server has run at all, and right after connecting. */
static void stop_at_once(void *arg)
{
    struct server s;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct net_listen_options o = { .balance = i % 3, .grace = 1 };
        struct net_conn *c = NULL;

        server_start(&s, i % 4 < 2 ? TCP : local_addr(), &o, echo, NULL);
        for (int j = 0; j < i; j++)
            co_yield_now();
        if (i % 2)
            c = net_dial(s.addr, SOON);
        server_stop(&s);
        net_close(c);
    }
}

/* SIGINT, as Ctrl-C sends it. */
static void signalled(void *arg)
{
    struct net_listener *l = net_listen(TCP, NULL);

    (void)arg;
    CHECK(l != NULL);
    CHECK_EQ(kill(getpid(), SIGINT), 0);
    CHECK_EQ(net_serve(l, echo, NULL), 0);
}

int main(void)
{
    RUN_CO(balances);
    RUN_CO(least_conns_evens_out);
    RUN_CO(failures);
    RUN_CO(second_server);
    RUN(without_runtime);
    RUN(on_plain_thread);
    RUN_CO(closes_by_itself);
    RUN_CO(handler_ends_first);
    RUN_CO(max_conns);
    RUN_CO(out_of_fds);
    RUN(few_coroutines);
    RUN_CO(silent_ones);
    RUN_CO(grace);
    RUN_CO(stop_at_once);
    RUN_CO(signalled);
    return 0;
}
