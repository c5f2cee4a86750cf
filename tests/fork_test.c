/* fork_test.c - what a child of fork(2) finds, whatever its parent was doing.
 *
 * Each child does all that could hang in it, and says how that went by its
 * status; the parent's runtime must not notice.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "co/embed.h"
#include "tests/test.h"
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* TSan would end a child that starts threads. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

static void nothing(void *arg) { (void)arg; }

static int count_runs;

static void counts(void *arg)
{
    (void)arg;
    count_runs++;
}

static void root_of_child(void *arg)
{
    int *fds = arg;
    char c;

    CHECK(co_self() != NULL);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(co_go(counts, NULL), 0);
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(count_runs, 100);
    CHECK(co_read(fds[0], &c, 1, co_after(CO_MSEC)) == -1 &&
          errno == ETIMEDOUT);
    CHECK_EQ(co_write(fds[1], "x", 1, CO_FOREVER), 1);
    CHECK_EQ(co_read(fds[0], &c, 1, CO_FOREVER), 1);
    CHECK_EQ(co_offload(counts, NULL), 0);
    CHECK_EQ(count_runs, 101);
}

static struct co_sched *host; /* the parent's */

/* All that a child may do.  handle is one of the parent's, or NULL. */
static void live_in_child(struct co *handle)
{
    struct co_config config = { .schedulers = 2 };
    struct co_chan *ch;
    int fds[2], n = 1;
    char c;

    alarm(20);
    CHECK(co_self() == NULL && co_sched_self() == NULL);
    CHECK(co_sched_at(0) == NULL && co_sched_idlest() == NULL);
    CHECK(co_go(nothing, NULL) == -1 && errno == ESHUTDOWN);
    CHECK(co_spawn(nothing, NULL, NULL) == NULL && errno == ESHUTDOWN);
    CHECK(co_shutdown(CO_FOREVER) == -1 && errno == ESHUTDOWN);
    co_stop();
    CHECK(host == NULL || (co_embed_close(host) == -1 && errno == ESHUTDOWN));
    if (handle != NULL) {
        CHECK(co_join(handle, CO_FOREVER) == -1 && errno == ESHUTDOWN);
        co_cancel(handle);
        co_detach(handle);
    }
#ifdef CO_ASAN
    return; /* clang 14's malloc() may hang in the child of a busy process */
#endif
    /* Waits are a thread's. */
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK((ch = co_chan_new(sizeof(int), 1)) != NULL);
    CHECK_EQ(co_chan_send(ch, &n, CO_FOREVER), 0);
    CHECK_EQ(co_chan_recv(ch, &n, CO_FOREVER), 0);
    CHECK(co_chan_recv(ch, &n, co_after(CO_MSEC)) == -1 && errno == ETIMEDOUT);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK(co_read(fds[0], &c, 1, co_after(CO_MSEC)) == -1 &&
          errno == ETIMEDOUT);
    CHECK_EQ(co_write(fds[1], "x", 1, CO_FOREVER), 1);
    CHECK_EQ(co_read(fds[0], &c, 1, CO_FOREVER), 1);
    co_chan_free(ch);
    /* A runtime of its own, twice. */
    for (int i = 0; i < 2; i++) {
        count_runs = 0;
        CHECK_EQ(co_run(root_of_child, fds, &config), 0);
    }
    CHECK_EQ(co_close(fds[0]), 0);
    CHECK_EQ(co_close(fds[1]), 0);
}

static void child_is_well(pid_t pid)
{
    int status = -1;

    CHECK(pid > 0);
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
    CHECK_EQ(status, 0);
}

static void fork_and_live(struct co *handle)
{
    pid_t pid;

    fflush(NULL);
    pid = test_fork();
    if (pid == 0) {
        live_in_child(handle);
        /* Valgrind would look for leaks in all that the parent was using. */
        if (under_valgrind())
            (void)execl("/bin/true", "true", NULL);
        _exit(0);
    }
    child_is_well(pid);
}

/* ---- From where -------------------------------------------------------------
 */

static void sleeps(void *arg)
{
    (void)arg;
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
}

static void in_offload(void *arg) { fork_and_live(arg); }

static void root_forks(void *arg)
{
    struct co_attr there = { .on = co_sched_at(1) };
    struct co *sleeper, *forker;

    sleeper = co_spawn(sleeps, NULL, NULL);
    CHECK(sleeper != NULL);
    co_yield_now();
    fork_and_live(sleeper);
    CHECK_EQ(co_offload(in_offload, sleeper), 0);
    forker = co_spawn(in_offload, sleeper, &there); /* on another thread */
    CHECK(forker != NULL);
    CHECK_EQ(co_join(forker, CO_FOREVER), 0);
    co_cancel(sleeper);
    CHECK_EQ(co_join(sleeper, CO_FOREVER), 0);
    *(bool *)arg = true;
}

static void from_coroutines(void)
{
    struct co_config config = { .schedulers = 2 };
    bool came_back = false;

    CHECK_EQ(co_run(root_forks, &came_back, &config), 0);
    CHECK(came_back);
}

static void from_a_plain_thread(void)
{
    struct co *co;

    fork_and_live(NULL); /* before there was a runtime */
    CHECK_EQ(co_start(NULL), 0);
    co = co_spawn(nothing, NULL, NULL);
    CHECK(co != NULL);
    fork_and_live(co);
    CHECK_EQ(co_join(co, CO_FOREVER), 0);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    fork_and_live(NULL); /* after it */
}

static void hosted_fork(void *arg)
{
    fork_and_live(NULL);
    *(bool *)arg = true;
}

static void from_a_host(void)
{
    struct co_sched *s = co_embed_open(NULL);
    bool came_back = false;

    CHECK(s != NULL);
    host = s;
    fork_and_live(NULL);
    CHECK_EQ(co_go(hosted_fork, &came_back), 0);
    CHECK(co_embed_step(s) >= 0);
    CHECK(came_back);
    host = NULL;
    CHECK_EQ(co_embed_close(s), 0);
}

/* Not even what a plain thread has for its waits is shared with the child. */
static void shares_no_eventfd(void)
{
    int fds[2];
    pid_t pid;
    char c;

    CHECK_EQ(co_start(NULL), 0);
    CHECK_EQ(pipe(fds), 0);
    CHECK(co_read(fds[0], &c, 1, co_after(CO_MSEC)) == -1 &&
          errno == ETIMEDOUT);
    fflush(NULL);
    pid = test_fork();
    if (pid == 0)
        _exit(system("ls -l /proc/$PPID/fd | grep -e anon_inode >&2") == 0);
    child_is_well(pid);
    close(fds[0]);
    close(fds[1]);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
}

/* ---- A coroutine that returns in the child
 * -----------------------------------
 */

static void root_returns_twice(void *arg)
{
    pid_t *pid = arg;

    fflush(NULL);
    *pid = test_fork();
}

static void returns_in_child(void)
{
    pid_t pid = -1;
    struct co *co;

    CHECK_EQ(co_run(root_returns_twice, &pid, NULL), 0);
    child_is_well(pid);
    CHECK_EQ(co_start(NULL), 0);
    co = co_spawn(root_returns_twice, &pid, NULL);
    CHECK(co != NULL);
    CHECK_EQ(co_join(co, CO_FOREVER), 0);
    child_is_well(pid);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
}

/* ---- The parent's descriptors
 * ------------------------------------------------
 */

static void root_keeps_fds(void *arg)
{
    int fds[2];
    char c;
    pid_t pid;

    (void)arg;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    /* Registered by a wait. */
    CHECK(co_read(fds[0], &c, 1, co_after(CO_MSEC)) == -1 &&
          errno == ETIMEDOUT);
    fflush(NULL);
    pid = test_fork();
    if (pid == 0) {
        CHECK_EQ(co_close(fds[0]), 0);
        CHECK_EQ(co_close(fds[1]), 0);
        live_in_child(NULL);
        _exit(0);
    }
    child_is_well(pid);
    CHECK(co_read(fds[0], &c, 1, co_after(CO_MSEC)) == -1 &&
          errno == ETIMEDOUT);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(co_read(fds[0], &c, 1, co_after(10 * CO_SECOND)), 1);
    CHECK_EQ(co_close(fds[0]), 0);
    CHECK_EQ(co_close(fds[1]), 0);
}

static void parent_keeps_its_fds(void)
{
    CHECK_EQ(co_run(root_keeps_fds, NULL, NULL), 0);
}

static void root_execs(void *arg)
{
    pid_t pid;

    fflush(NULL);
    pid = test_fork();
    if (pid == 0) {
        char *args[] = { "sh", "-c",
                         /* none of the runtime's descriptors is left to it */
                         "ls -l /proc/self/fd | grep -q -e eventpoll "
                         "-e eventfd -e timerfd && exit 1; exit 0",
                         NULL };

        (void)execv("/bin/sh", args);
        _exit(127);
    }
    child_is_well(pid);
    *(bool *)arg = true;
}

static void exec_in_child(void)
{
    bool came_back = false;

    CHECK_EQ(co_run(root_execs, &came_back, NULL), 0);
    CHECK(came_back);
}

/* ---- While everything happens
 * -------------------------------------------------
 */

static atomic_bool over;
static struct co_chan *busy_chan;
static int door; /* listens, in blocking mode: nobody comes */

static void open_door(void)
{
    struct sockaddr_un any = { .sun_family = AF_UNIX };

    CHECK((door = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
    CHECK_EQ(bind(door, (struct sockaddr *)&any, sizeof any.sun_family), 0);
    CHECK_EQ(listen(door, 1), 0);
}

static void knock(void)
{
    CHECK_EQ(co_accept(door, NULL, NULL, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
}

static void churn(void *arg)
{
    struct co_attr any = { .on = CO_ANY };
    int n = 0, fds[2];
    char c;

    (void)arg;
    while (!over) {
        struct co *co = co_spawn(nothing, NULL, &any);

        CHECK(co != NULL);
        CHECK_EQ(co_join(co, CO_FOREVER), 0);
        CHECK_EQ(co_chan_send(busy_chan, &n, CO_FOREVER), 0);
        CHECK_EQ(co_chan_recv(busy_chan, &n, CO_FOREVER), 0);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        CHECK(co_read(fds[0], &c, 1, co_after(100 * CO_USEC)) == -1);
        CHECK_EQ(co_close(fds[0]), 0);
        CHECK_EQ(co_close(fds[1]), 0);
        for (int i = 0; i < 10; i++)
            knock();
        CHECK_EQ(co_offload(nothing, NULL), 0);
    }
}

static void *churn_outside(void *arg)
{
    churn(arg);
    return NULL;
}

static void in_the_middle_of_it(void)
{
    struct co_config config = { .schedulers = 3 };
    struct co_group group = { 0 };
    pthread_t threads[2];

    over = false;
    open_door();
    busy_chan = co_chan_new(sizeof(int), 16);
    CHECK_EQ(co_start(&config), 0);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(co_group_go(&group, churn, NULL), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, churn_outside, NULL), 0);
    for (long i = test_count(200); i > 0; i--)
        fork_and_live(NULL);
    over = true;
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(co_group_wait(&group, CO_FOREVER), 0);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    CHECK_EQ(close(door), 0);
    co_chan_free(busy_chan);
}

static void *start_and_shut_down(void *arg)
{
    (void)arg;
    while (!over) {
        CHECK_EQ(co_start(NULL), 0);
        CHECK_EQ(co_go(nothing, NULL), 0);
        CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    }
    return NULL;
}

static void while_starting_and_stopping(void)
{
    pthread_t thread;

    over = false;
    CHECK_EQ(pthread_create(&thread, NULL, start_and_shut_down, NULL), 0);
    for (long i = test_count(200); i > 0; i--)
        fork_and_live(NULL);
    over = true;
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

int main(void)
{
    RUN(from_a_plain_thread);
    RUN(from_coroutines);
    RUN(from_a_host);
    RUN(shares_no_eventfd);
    RUN(returns_in_child);
    RUN(parent_keeps_its_fds);
    RUN(exec_in_child);
    RUN(in_the_middle_of_it);
    RUN(while_starting_and_stopping);
    return 0;
}
