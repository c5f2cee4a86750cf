/* dump_stuck_test.c - a scheduler whose loop does not turn: reports say which
 * coroutine keeps it, and still describe the others; a signal has them printed
 * when nobody is left to ask.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "tests/dump_kit.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/wait.h>

static atomic_bool stop, spinning;
static struct co_mutex mutex;
static struct co_sem never;

static void spin(void *arg)
{
    (void)arg;
    co_mutex_lock(&mutex);
    atomic_store(&spinning, true);
    while (!atomic_load(&stop))
        ;
    co_mutex_unlock(&mutex);
}

static void park(void *arg)
{
    (void)arg;
    CHECK(co_sem_wait(&never, CO_FOREVER) == -1); /* cancelled at the end */
}

static void park_at_mutex(void *arg)
{
    (void)arg;
    co_mutex_lock(&mutex);
    co_mutex_unlock(&mutex);
}

static struct co *spawn_on(struct co_sched *s, co_fn *fn, const char *name)
{
    struct co_attr attr = { .name = name, .on = s };
    struct co *co = co_spawn(fn, NULL, &attr);

    CHECK(co != NULL);
    return co;
}

static void begin(void)
{
    atomic_store(&stop, false);
    atomic_store(&spinning, false);
    mutex = (struct co_mutex){ 0 };
    never = (struct co_sem){ 0 };
}

static void await_spinning(void)
{
    while (!atomic_load(&spinning))
        test_sleep_ms(1);
}

/* ---- Asked ------------------------------------------------------------------
 */

static void is_reported(void)
{
    struct co_config config = { .schedulers = 2 };
    struct co *parked, *spinner, *at_mutex;
    char *text, *line;

    begin();
    CHECK_EQ(co_start(&config), 0);
    parked = spawn_on(co_sched_at(1), park, "parked");
    /* It is parked once somebody spawned behind it runs. */
    spinner = spawn_on(co_sched_at(1), spin, "spinner");
    await_spinning();
    at_mutex = spawn_on(co_sched_at(0), park_at_mutex, "victim");
    text = dump_text_of(co_dump);
    while (strstr(text, ": mutex 0x") == NULL) {
        free(text);
        text = dump_text_of(co_dump);
    }

    CHECK((line = dump_line(text, "scheduler 1 is stuck")) != NULL);
    CHECK(strstr(line, "its loop has not turned for ") != NULL);
    CHECK(strstr(line, "\"spinner\", spawned at dump_stuck_test.c:") != NULL);
    CHECK(strstr(text, "scheduler 0 is stuck") == NULL || under_valgrind());
    dump_says(text, "spinner", " running");
    dump_says(text, "parked", ": semaphore 0x");
    dump_says(text, "victim", ": mutex 0x");
    dump_says(text, "victim", "\"spinner\"");
    if (dump_has_lines(text))
        dump_says(text, "parked", "in co_sem_wait < park dump_stuck_test.c:");
    free(line);
    free(text);
    text = dump_text_of(co_dump_json);
    CHECK(strstr(text, "{\"scheduler\":1,\"stuck\":true,") != NULL);
    free(text);

    atomic_store(&stop, true);
    CHECK_EQ(co_join(spinner, CO_FOREVER), 0);
    CHECK_EQ(co_join(at_mutex, CO_FOREVER), 0);
    text = dump_text_of(co_dump); /* it turns again */
    CHECK(strstr(text, "scheduler 1 is stuck") == NULL || under_valgrind());
    free(text);
    co_cancel(parked);
    CHECK_EQ(co_join(parked, CO_FOREVER), 0);
    CHECK_EQ(co_shutdown(co_after(10 * CO_SECOND)), 0);
}

/* ---- By a signal ------------------------------------------------------------
 */

static void root_spin(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1100; i++)
        CHECK_EQ(co_go(park, NULL), 0);
    co_yield_now();
    co_detach(spawn_on(co_sched_at(1), spin, "other"));
    await_spinning();
    for (;;) /* nobody turns his loop any more */
        test_sleep_ms(1);
}

static void stuck_child(int fd)
{
    struct co_config config = { .schedulers = 2, .dump_signal = SIGQUIT };

    CHECK_EQ(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    begin();
    (void)co_run(root_spin, NULL, &config);
    _exit(1);
}

/* Reads until word is there; the text so far. */
static char *read_until(int fd, const char *word)
{
    size_t size = 1 << 20, len = 0;
    char *text = malloc(size);

    CHECK(text != NULL);
    text[0] = '\0';
    while (strstr(text, word) == NULL) {
        ssize_t n;

        CHECK(test_readable(fd, 30 * 1000));
        n = TEMP_FAILURE_RETRY(read(fd, text + len, size - len - 1));
        CHECK(n > 0);
        len += (size_t)n;
        text[len] = '\0';
    }
    return text;
}

static void by_signal(void)
{
    int fds[2], status;
    pid_t pid;
    char *text;

    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    pid = test_fork();
    CHECK(pid >= 0);
    if (pid == 0)
        stuck_child(fds[1]);
    CHECK_EQ(close(fds[1]), 0);
    /* Until the handler is there, the signal kills. */
    do {
        FILE *f;
        char path[64], line[256];
        unsigned long long caught = 0;

        test_sleep_ms(20);
        CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
        (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        CHECK((f = fopen(path, "r")) != NULL);
        while (fgets(line, sizeof line, f) != NULL)
            (void)sscanf(line, "SigCgt: %llx", &caught);
        (void)fclose(f);
        if (caught & 1ull << (SIGQUIT - 1))
            break;
    } while (true);
    test_sleep_ms(300); /* let it get stuck: else it just says less */
    CHECK_EQ(kill(pid, SIGQUIT), 0);
    text = read_until(fds[0], " more are left out\n");
    CHECK(strstr(text, "scheduler 0 is stuck") != NULL);
    CHECK(strstr(text, "scheduler 1 is stuck") != NULL);
    CHECK(strstr(text, "\"root\", spawned at ") != NULL);
    CHECK(strstr(text, "\n1,100 in ") != NULL);
    CHECK(strstr(text, "\n102 more are left out\n") != NULL);
    free(text);
    CHECK_EQ(kill(pid, SIGQUIT), 0); /* and again */
    text = read_until(fds[0], " more are left out\n");
    free(text);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_EQ(close(fds[0]), 0);
}

static void on_quit(int sig) { (void)sig; }

static void is_put_back(void)
{
    struct co_config config = { .schedulers = 1, .dump_signal = SIGQUIT };
    struct sigaction act = { .sa_handler = on_quit }, now;

    CHECK_EQ(sigaction(SIGQUIT, &act, NULL), 0);
    CHECK_EQ(co_start(&config), 0);
    CHECK_EQ(sigaction(SIGQUIT, NULL, &now), 0);
    CHECK(now.sa_handler != on_quit);
    CHECK_EQ(co_shutdown(co_after(10 * CO_SECOND)), 0);
    CHECK_EQ(sigaction(SIGQUIT, NULL, &now), 0);
    CHECK(now.sa_handler == on_quit);
    config.dump_signal = SIGKILL;
    CHECK_EQ(co_start(&config), -1);
    CHECK_EQ(errno, EINVAL);
    config.dump_signal = SIGSEGV; /* would print for ever */
    CHECK_EQ(co_start(&config), -1);
    CHECK_EQ(errno, EINVAL);
    config.dump_signal = 0;
    CHECK_EQ(co_start(&config), 0);
    CHECK_EQ(co_shutdown(co_after(10 * CO_SECOND)), 0);
}

int main(void)
{
    RUN(is_reported);
#if !defined(CO_TSAN) /* which holds a signal back while threads compute */
    RUN(by_signal);
#else
    (void)by_signal;
#endif
    RUN(is_put_back);
    return 0;
}
