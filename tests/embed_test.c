/* embed_test.c - a scheduler driven by a loop that is poll(2) and nothing else.
 *
 * The host of these tests steps only when the descriptor says so: what is
 * forgotten to be told hangs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/embed.h"
#include "tests/test.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static struct co_sched *sched;
static long wakes; /* how often the descriptor was readable */

static bool readable(int timeout_ms)
{
    return test_readable(co_embed_fd(sched), timeout_ms);
}

/* The host's loop, until *done or nothing has happened for so long. */
static bool drive(const atomic_bool *done, int timeout_ms)
{
    while (!*done) {
        if (!readable(timeout_ms))
            return false;
        wakes++;
        CHECK(co_embed_step(sched) >= 0);
    }
    return true;
}

static atomic_bool done;

static void set_done(void *arg)
{
    (void)arg;
    done = true;
}

static void open_it(unsigned threads)
{
    struct co_config config = { .schedulers = threads };

    sched = co_embed_open(&config);
    CHECK(sched != NULL);
    done = false;
    wakes = 0;
}

static void close_it(void)
{
    CHECK_EQ(co_embed_close(sched), 0);
    sched = NULL;
}

/* ---- Who makes work ---------------------------------------------------------
 */

static void host_spawns(void)
{
    open_it(0);
    CHECK(co_sched_at(0) == sched && co_sched_at(1) == NULL);
    CHECK(co_sched_self() == NULL); /* between steps: a plain thread */
    CHECK_EQ(co_embed_step(sched), 0);
    CHECK_EQ(co_go(set_done, NULL), 0);
    CHECK(!done);
    CHECK(drive(&done, 5000));
    CHECK_EQ(co_embed_step(sched), 0); /* nobody is alive */
    close_it();
    CHECK(co_sched_at(0) == NULL);
    CHECK(co_go(set_done, NULL) == -1 && errno == ESHUTDOWN);
}

static struct co_chan *in, *out;

static void doubles(void *arg)
{
    int n;

    (void)arg;
    CHECK(co_sched_self() == sched);
    while (co_chan_recv(in, &n, CO_FOREVER) == 0) {
        n *= 2;
        CHECK_EQ(co_chan_send(out, &n, CO_FOREVER), 0);
    }
    CHECK_EQ(errno, EPIPE);
    done = true;
}

static void host_sends(void)
{
    open_it(0);
    in = co_chan_new(sizeof(int), 1);
    out = co_chan_new(sizeof(int), 1);
    CHECK_EQ(co_go(doubles, NULL), 0);
    for (int i = 0; i < 1000; i++) {
        int n = i;

        CHECK_EQ(co_chan_send(in, &n, CO_NOWAIT), 0);
        while (co_chan_recv(out, &n, CO_NOWAIT) < 0) {
            CHECK_EQ(errno, ETIMEDOUT);
            CHECK(readable(5000));
            CHECK_EQ(co_embed_step(sched), 1);
        }
        CHECK_EQ(n, 2 * i);
    }
    co_chan_close(in);
    CHECK(drive(&done, 5000));
    close_it();
    co_chan_free(in);
    co_chan_free(out);
}

static void waits_for_cancel(void *arg)
{
    (void)arg;
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
    done = true;
}

static void host_cancels(void)
{
    struct co *co;

    open_it(0);
    co = co_spawn(waits_for_cancel, NULL, NULL);
    CHECK(co != NULL);
    while (readable(0))
        CHECK_EQ(co_embed_step(sched), 1);
    co_cancel(co);
    CHECK(drive(&done, 5000));
    CHECK_EQ(co_join(co, CO_NOWAIT), 0);
    close_it();
}

static void *spawns_there(void *arg)
{
    struct co_attr attr = { .on = sched };
    struct co *co;

    (void)arg;
    for (int i = 0; i < 100; i++) {
        co = co_spawn(doubles, NULL, &attr);
        CHECK(co != NULL);
        CHECK_EQ(co_join(co, CO_FOREVER), 0);
    }
    CHECK_EQ(co_go(set_done, NULL), 0); /* CO_ANY: there is no other */
    return NULL;
}

static void other_threads_spawn(void)
{
    pthread_t thread;
    atomic_bool over = false;

    open_it(0);
    in = co_chan_new(sizeof(int), 1);
    co_chan_close(in);
    CHECK_EQ(pthread_create(&thread, NULL, spawns_there, NULL), 0);
    for (int i = 0; i < 100 && !over; i++) { /* done is set each time */
        CHECK(drive(&done, 5000));
        done = false;
        over = i == 99;
    }
    CHECK(drive(&done, 5000));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    close_it();
    co_chan_free(in);
}

/* ---- What a step does
 * --------------------------------------------------------- */

static void yields(void *arg)
{
    long *turns = arg;

    for (;;) {
        ++*turns;
        if (co_sleep_until(CO_NOWAIT) < 0)
            break;
        co_yield_now();
    }
}

/* However much is ready, a step is one round at most, and the rest is left to
 * the next one. */
static void steps_are_short(void)
{
    enum { MANY = 200, FEW = 3 };
    long turns[MANY] = { 0 }, before, after;

    open_it(0);
    for (int i = 0; i < FEW; i++)
        CHECK_EQ(co_go(yields, &turns[i]), 0);
    CHECK_EQ(co_embed_step(sched), FEW);
    for (int i = 0; i < 100; i++) {
        CHECK(readable(0));
        before = turns[0] + turns[1] + turns[2];
        CHECK_EQ(co_embed_step(sched), FEW);
        CHECK_EQ(turns[0] + turns[1] + turns[2], before + FEW);
    }
    for (int i = FEW; i < MANY; i++)
        CHECK_EQ(co_go(yields, &turns[i]), 0);
    for (int i = 0; i < 100; i++) {
        CHECK(readable(0));
        CHECK_EQ(co_embed_step(sched), MANY);
    }
    after = turns[0];
    for (int i = 0; i < MANY; i++)
        if (turns[i] < after)
            after = turns[i];
    CHECK(after > 5); /* all had their turns */
    close_it();
}

static void waits_for_fd(void *arg)
{
    char c;

    CHECK_EQ(co_read(*(int *)arg, &c, 1, CO_FOREVER), 1);
    done = true;
}

static void sleeps(void *arg)
{
    if (co_sleep_until(co_after(*(int64_t *)arg)) < 0)
        CHECK_EQ(errno, ECANCELED);
    done = true;
}

static void descriptors_and_timers(void)
{
    int64_t ms = 20 * CO_MSEC, before;
    int fds[2];

    open_it(0);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(co_go(waits_for_fd, &fds[0]), 0);
    CHECK(!drive(&done, 50));
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK(drive(&done, 5000));
    close(fds[0]);
    close(fds[1]);

    done = false;
    before = co_now();
    CHECK_EQ(co_go(sleeps, &ms), 0);
    CHECK(drive(&done, 5000));
    CHECK(co_now() - before >= ms);
    close_it();
}

/* Parked on a channel, a descriptor and a far timer: once what is tidied up
 * after a second is done, the descriptor stays quiet. */
static void idle_means_no_wakes(void)
{
    int64_t hour = 3600 * CO_SECOND;
    int fds[2];

    open_it(0);
    CHECK_EQ(pipe(fds), 0);
    in = co_chan_new(sizeof(int), 0);
    out = co_chan_new(sizeof(int), 0);
    CHECK_EQ(co_go(doubles, NULL), 0);
    CHECK_EQ(co_go(waits_for_fd, &fds[0]), 0);
    CHECK_EQ(co_go(sleeps, &hour), 0);
    (void)drive(&done, 3000);
    wakes = 0;
    (void)drive(&done, 1000);
    CHECK_EQ(wakes, 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK(drive(&done, 5000));
    CHECK_EQ(wakes, 1); /* and one is enough */
    co_chan_close(in);
    done = false;
    CHECK(drive(&done, 5000));
    close(fds[0]);
    close(fds[1]);
    close_it(); /* the sleeper is cancelled */
    co_chan_free(in);
    co_chan_free(out);
}

/* ---- Misuse -----------------------------------------------------------------
 */

static void steps_itself(void *arg)
{
    (void)arg;
    CHECK(co_embed_step(sched) == -1 && errno == EDEADLK);
    CHECK(co_embed_open(NULL) == NULL && errno == EALREADY);
    done = true;
}

static void *steps_elsewhere(void *arg)
{
    (void)arg;
    CHECK(co_embed_step(sched) == -1 && errno == EPERM);
    return NULL;
}

static void waiting_is_refused(void)
{
    struct co_sem sem = { 0 };
    struct co_group group = { .running = 1 };
    struct co_mutex mutex = { 0 };
    struct co_cond cond = { 0 };
    struct co_chan *chan = co_chan_new(1, 0);
    struct co_case cases[] = { CO_RECV(chan, &(char){ 0 }) };
    struct co *co;
    pthread_t thread;
    int fds[2];
    char c;

    open_it(0);
    CHECK(co_embed_open(NULL) == NULL && errno == EALREADY);
    CHECK(co_start(NULL) == -1 && errno == EALREADY);
    CHECK(co_shutdown(CO_FOREVER) == -1 && errno == EBUSY);
    co = co_spawn(steps_itself, NULL, NULL);
    CHECK(co != NULL);
    CHECK(co_join(co, CO_FOREVER) == -1 && errno == EDEADLK);
    CHECK(co_join(co, CO_NOWAIT) == -1 && errno == ETIMEDOUT);
    CHECK(co_sem_wait(&sem, CO_FOREVER) == -1 && errno == EDEADLK);
    CHECK(co_sem_wait(&sem, INT64_MIN) == -1 && errno == ETIMEDOUT);
    CHECK(co_group_wait(&group, co_after(CO_SECOND)) == -1 && errno == EDEADLK);
    CHECK(co_chan_recv(chan, &c, CO_FOREVER) == -1 && errno == EDEADLK);
    CHECK(co_chan_recv(NULL, &c, CO_FOREVER) == -1 && errno == EDEADLK);
    CHECK(co_select(cases, 1, CO_FOREVER) == -1 && errno == EDEADLK);
    CHECK(co_sleep_until(co_after(CO_MSEC)) == -1 && errno == EDEADLK);
    CHECK_EQ(co_sleep_until(CO_NOWAIT), 0);
    co_mutex_lock(&mutex); /* free: no wait */
    CHECK(co_cond_wait(&cond, &mutex, CO_FOREVER) == -1 && errno == EDEADLK);
    co_mutex_unlock(&mutex);
    CHECK_EQ(pipe(fds), 0);
    CHECK(co_read(fds[0], &c, 1, CO_FOREVER) == -1 && errno == EDEADLK);
    CHECK(co_fd_wait(fds[0], CO_READ, CO_FOREVER) == -1 && errno == EDEADLK);
    CHECK_EQ(co_write(fds[1], "x", 1, CO_FOREVER), 1); /* no wait */
    CHECK_EQ(co_read(fds[0], &c, 1, CO_FOREVER), 1);
    close(fds[0]);
    close(fds[1]);
    CHECK(drive(&done, 5000));
    CHECK_EQ(co_join(co, CO_NOWAIT), 0);
    CHECK_EQ(pthread_create(&thread, NULL, steps_elsewhere, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    close_it();
    co_chan_free(chan);
    /* Waiting works again. */
    CHECK(co_sem_wait(&sem, co_after(CO_MSEC)) == -1 && errno == ETIMEDOUT);
}

static struct co_mutex held;

static void holds_mutex(void *arg)
{
    (void)arg;
    co_mutex_lock(&held);
    done = true;
    (void)co_sleep_until(CO_FOREVER);
    co_mutex_unlock(&held);
}

static void mutex_of_a_coroutine(void)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = test_fork(); /* it aborts */
    CHECK(pid >= 0);
    if (pid == 0) {
        open_it(0);
        CHECK_EQ(co_go(holds_mutex, NULL), 0);
        CHECK(drive(&done, 5000));
        CHECK(!co_mutex_trylock(&held));
        fprintf(stderr, "    (the next line is wanted)\n");
        co_mutex_lock(&held);
        _exit(0);
    }
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* ---- With threads -----------------------------------------------------------
 */

static void ping(void *arg)
{
    int n = 0;

    (void)arg;
    while (co_chan_recv(in, &n, CO_FOREVER) == 0 &&
           co_chan_send(out, &n, CO_FOREVER) == 0)
        ;
}

static void pong(void *arg)
{
    int n = 0;
    long rounds = test_count(20000);

    (void)arg;
    for (long i = 0; i < rounds; i++) {
        CHECK_EQ(co_chan_send(in, &n, CO_FOREVER), 0);
        CHECK_EQ(co_chan_recv(out, &n, CO_FOREVER), 0);
    }
    co_chan_close(in);
    done = true;
}

static void talks_to_threads(void)
{
    struct co_attr attr = { 0 };
    struct co *co;

    open_it(2);
    attr.on = co_sched_at(1);
    CHECK(attr.on != NULL && attr.on != sched);
    CHECK(co_sched_at(2) != NULL && co_sched_at(3) == NULL);
    in = co_chan_new(sizeof(int), 0);
    out = co_chan_new(sizeof(int), 0);
    co = co_spawn(ping, NULL, &attr);
    CHECK(co != NULL);
    CHECK_EQ(co_go(pong, NULL), 0);
    CHECK(drive(&done, 10000));
    while (co_join(co, CO_NOWAIT) < 0)
        ;
    close_it();
    co_chan_free(in);
    co_chan_free(out);
}

static void nothing(void *arg) { (void)arg; }

static atomic_bool shut_down;

static void *shuts_down(void *arg)
{
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    shut_down = true;
    CHECK_EQ(co_go(nothing, arg), 0); /* so that the host looks */
    return NULL;
}

/* One more of a runtime that is up; opened and closed often, it leaves no
 * traces, and the last to go takes nothing down. */
static void joins_a_runtime(void)
{
    struct co_config config = { .schedulers = 2 };
    long rounds = test_count(1000);
    pthread_t thread;

    CHECK_EQ(co_start(&config), 0);
    for (long i = 0; i < rounds; i++) {
        open_it(7); /* only for a runtime of its own */
        CHECK(co_sched_at(2) == sched && co_sched_at(3) == NULL);
        CHECK_EQ(co_go(set_done, NULL), 0);
        CHECK(drive(&done, 5000));
        CHECK_EQ(co_go(holds_mutex, NULL), 0); /* left over */
        close_it();
        CHECK(co_sched_at(2) == NULL);
        CHECK_EQ(co_join(co_spawn(nothing, NULL, NULL), CO_FOREVER), 0);
    }
    /* The runtime ends while one is open: that one keeps it until its end. */
    open_it(0);
    CHECK_EQ(co_go(holds_mutex, NULL), 0);
    CHECK(co_shutdown(CO_FOREVER) == -1 && errno == EDEADLK);
    done = false;
    CHECK_EQ(pthread_create(&thread, NULL, shuts_down, NULL), 0);
    CHECK(drive(&shut_down, 5000));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(co_embed_step(sched), 0);
    CHECK(co_start(NULL) == -1 && errno == EALREADY);
    close_it();
    CHECK(co_sched_at(0) == NULL);
    CHECK_EQ(co_start(&config), 0);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
}

static atomic_int hosts_ready;

static void *hosts_another(void *arg)
{
    struct co_sched *s = co_embed_open(NULL);
    atomic_bool *over = arg;

    CHECK(s != NULL);
    hosts_ready++;
    while (!*over) {
        struct pollfd fd = { .fd = co_embed_fd(s), .events = POLLIN };

        CHECK(co_embed_step(s) >= 0);
        (void)poll(&fd, 1, 10);
    }
    CHECK_EQ(co_embed_close(s), 0);
    return NULL;
}

static void many_hosts(void)
{
    pthread_t threads[4];
    atomic_bool over = false;

    for (long i = test_count(50); i > 0; i--) {
        over = false;
        hosts_ready = 0;
        for (int k = 0; k < 4; k++)
            CHECK_EQ(pthread_create(&threads[k], NULL, hosts_another, &over),
                     0);
        while (hosts_ready < 4)
            (void)co_go(nothing, NULL);
        for (int k = 0; k < 100; k++)
            CHECK_EQ(co_go(nothing, NULL), 0);
        over = true;
        for (int k = 0; k < 4; k++)
            CHECK_EQ(pthread_join(threads[k], NULL), 0);
        CHECK(co_sched_at(0) == NULL);
    }
}

/* ---- The end ----------------------------------------------------------------
 */

static atomic_bool let_go;

static void deaf(void *arg)
{
    (void)arg;
    (void)co_hold_cancel(true);
    while (!let_go)
        (void)co_sleep_until(co_after(CO_MSEC));
}

static void close_has_a_limit(void)
{
    struct co_config config = { .grace = 20 * CO_MSEC };

    let_go = false;
    sched = co_embed_open(&config);
    CHECK(sched != NULL);
    CHECK_EQ(co_go(deaf, NULL), 0);
    CHECK(co_embed_close(sched) == -1 && errno == ETIMEDOUT);
    CHECK(co_embed_step(sched) >= 0); /* still open */
    let_go = true;
    close_it();
}

static void refuses_bad_configs(void)
{
    CHECK(co_embed_open(&(struct co_config){ .grace = -1 }) == NULL &&
          errno == EINVAL);
    CHECK(co_embed_open(&(struct co_config){ .schedulers = 1000 }) == NULL &&
          errno == EINVAL);
    CHECK(co_embed_open(&(struct co_config){ .stack_size = 1 }) == NULL &&
          errno == EINVAL);
    CHECK(co_sched_at(0) == NULL);
}

int main(void)
{
    RUN(host_spawns);
    RUN(host_sends);
    RUN(host_cancels);
    RUN(other_threads_spawn);
    RUN(steps_are_short);
    RUN(descriptors_and_timers);
    RUN(idle_means_no_wakes);
    RUN(waiting_is_refused);
    RUN(mutex_of_a_coroutine);
    RUN(talks_to_threads);
    RUN(joins_a_runtime);
    RUN(many_hosts);
    RUN(close_has_a_limit);
    RUN(refuses_bad_configs);
    return 0;
}
