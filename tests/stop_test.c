/* stop_test.c - SIGSTOP and SIGCONT: a process that is stopped while its
 * coroutines wait finds all of what came meanwhile, and what became due.
 *
 * The process is a child.  Each round it begins one wait of every sort and says
 * so; its parent stops it, does what the waits are for, and lets it go on only
 * when every deadline of the round has passed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/io_kit.h"
#include <sys/wait.h>

enum { SLEEPERS = 300, SPREAD_MS = 40, STOP_MS = 60 };

#define SOON() co_after(KIT_LONG)

/* Shared with the child: its sides, and the parent's. */
static int child_says[2], to_reader[2], to_late[2], to_offload[2];
static int listener, child_listener;
static struct sockaddr_in address, child_address;

/* ---- In the child: what waits
 * ------------------------------------------------- */

static atomic_int woken;
static struct co_chan *chan;

static void sleeps(void *arg)
{
    int64_t end = co_after(1 + kit_int(arg) % SPREAD_MS * CO_MSEC);

    CHECK_EQ(co_sleep_until(end), 0);
    CHECK(co_now() >= end);
    woken++;
}

static void *sleeps_on_thread(void *arg)
{
    sleeps(arg);
    return NULL;
}

static void sleeps_long(void *arg)
{
    CHECK(co_sleep_until(co_after(3600 * CO_SECOND)) < 0);
    CHECK_EQ(errno, ECANCELED); /* and not before */
    woken++;
    (void)arg;
}

static void reads(void *arg)
{
    char c;

    CHECK_EQ(co_read(to_reader[0], &c, 1, SOON()), 1);
    woken++;
    (void)arg;
}

/* The byte and the deadline come together: one of them, and no byte is lost. */
static void reads_in_time(void *arg)
{
    char c;

    if (co_read(to_late[0], &c, 1, co_after(SPREAD_MS * CO_MSEC)) < 0) {
        CHECK_EQ(errno, ETIMEDOUT);
        CHECK_EQ(co_read(to_late[0], &c, 1, SOON()), 1);
    }
    woken++;
    (void)arg;
}

static void blocking_read(void *arg)
{
    char c;

    CHECK_EQ(TEMP_FAILURE_RETRY(read(to_offload[0], &c, 1)), 1);
    (void)arg;
}

static void offloads(void *arg)
{
    CHECK_EQ(co_offload(blocking_read, NULL), 0);
    woken++;
    (void)arg;
}

static void connects(void *arg)
{
    int fd = co_socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    CHECK_EQ(
        co_connect(fd, (struct sockaddr *)&address, sizeof address, SOON()), 0);
    CHECK_EQ(co_close(fd), 0);
    woken++;
    (void)arg;
}

static void accepts(void *arg)
{
    int fd = co_accept(child_listener, NULL, NULL, SOON());

    CHECK(fd >= 0);
    CHECK_EQ(co_close(fd), 0);
    woken++;
    (void)arg;
}

static void receives(void *arg)
{
    int got;

    CHECK(co_chan_recv(chan, &got, co_after(SPREAD_MS * CO_MSEC)) < 0);
    CHECK_EQ(errno, ETIMEDOUT);
    woken++;
    (void)arg;
}

static void round_of_child(void)
{
    static co_fn *const others[] = { reads,      reads_in_time, offloads,
                                     accepts,    connects,      receives,
                                     sleeps_long };
    enum { OTHERS = sizeof others / sizeof *others };
    struct co *all[SLEEPERS + OTHERS];
    pthread_t thread;

    woken = 0;
    for (int i = 0; i < SLEEPERS + OTHERS; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % 2) };
        co_fn *fn = i < SLEEPERS ? sleeps : others[i - SLEEPERS];

        CHECK((all[i] = co_spawn(fn, kit_pointer(i), &attr)) != NULL);
    }
    CHECK_EQ(pthread_create(&thread, NULL, sleeps_on_thread, kit_pointer(7)),
             0);
    CHECK_EQ(write(child_says[1], "r", 1), 1); /* and now we are stopped */
    for (int i = 0; i < SLEEPERS + OTHERS - 1; i++)
        CHECK_EQ(co_join(all[i], SOON()), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(woken, SLEEPERS + OTHERS);
    co_cancel(all[SLEEPERS + OTHERS - 1]);
    CHECK_EQ(co_join(all[SLEEPERS + OTHERS - 1], SOON()), 0);
    CHECK_EQ(write(child_says[1], "d", 1), 1);
}

static int be_child(long rounds)
{
    CHECK_EQ(co_start(&(struct co_config){ .schedulers = 2 }), 0);
    CHECK((chan = co_chan_new(sizeof(int), 0)) != NULL);
    while (rounds-- > 0)
        round_of_child();
    co_chan_free(chan);
    CHECK_EQ(co_shutdown(SOON()), 0);
    return 0;
}

/* ---- The parent
 * --------------------------------------------------------------- */

static void expect(char what)
{
    char c;

    CHECK(test_readable(child_says[0], 20000));
    CHECK_EQ(read(child_says[0], &c, 1), 1);
    CHECK_EQ(c, what);
}

static int accept_one(void)
{
    CHECK(test_readable(listener, 20000));
    return TEMP_FAILURE_RETRY(accept(listener, NULL, NULL));
}

static void round_of_parent(pid_t child)
{
    int status, fd;

    expect('r');
    CHECK_EQ(kill(child, SIGSTOP), 0);
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(child, &status, WUNTRACED)), child);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(write(to_reader[1], "x", 1), 1);
    CHECK_EQ(write(to_late[1], "x", 1), 1);
    CHECK_EQ(write(to_offload[1], "x", 1), 1);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(test_connect(fd, (struct sockaddr *)&child_address,
                          sizeof child_address),
             0);
    CHECK_EQ(close(fd), 0);
    test_sleep_ms(STOP_MS);
    CHECK_EQ(kill(child, SIGCONT), 0);
    fd = accept_one();
    CHECK(fd >= 0);
    CHECK_EQ(close(fd), 0);
    expect('d');
}

int main(void)
{
    long rounds = test_count(100);
    int status;
    pid_t child;

    if (rounds < 3)
        rounds = 3;
    listener = kit_listen(false, 8);
    address = kit_name(listener);
    child_listener = kit_listen(false, 8);
    child_address = kit_name(child_listener);
    CHECK_EQ(pipe(child_says), 0);
    CHECK_EQ(pipe(to_reader), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, to_late), 0);
    CHECK_EQ(pipe(to_offload), 0);
    child = test_fork();
    CHECK(child >= 0);
    if (child == 0)
        exit(be_child(rounds));
    for (long i = 0; i < rounds; i++)
        round_of_parent(child);
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
    CHECK_EQ(status, 0);
    return 0;
}
