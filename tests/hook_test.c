/* hook_test.c - the hooks are bound, off when they should be, and coroutines
 * overlap in libc's own calls.  What each call does: hook_probes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "co/hook.h"
#include "tests/test.h"
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static void report(const char *name, const char *object, void *arg)
{
    (void)arg;
    fprintf(stderr, "    %s is that of %s\n", name, object);
}

static void all_are_bound(void)
{
    CHECK_EQ(co_hook_selftest(report, NULL), 0);
    CHECK(co_hook_enabled());
    CHECK_EQ(strcmp(co_hook_name(0), "read"), 0);
    CHECK(co_hook_name(100000) == NULL);
}

static void sleeper(void *arg)
{
    (void)arg;
    CHECK_EQ(usleep(50000), 0);
}

static void root_sleeps(void *arg)
{
    struct co_group g = { 0 };
    int64_t begin = co_now();

    for (int i = 0; i < 100; i++)
        CHECK_EQ(co_group_go(&g, sleeper, NULL), 0);
    CHECK_EQ(co_group_wait(&g, CO_FOREVER), 0);
    CHECK(co_now() - begin < 2 * CO_SECOND); /* one by one: 5 s */
    *(bool *)arg = true;
}

static void sleeps_overlap(void)
{
    bool ran = false;

    CHECK_EQ(co_run(root_sleeps, &ran, &(struct co_config){ .schedulers = 1 }),
             0);
    CHECK(ran);
}

static void answers(void *arg)
{
    int fd = *(int *)arg;
    char c;

    while (read(fd, &c, 1) == 1)
        CHECK_EQ(write(fd, &c, 1), 1);
    close(fd);
}

static void root_echoes(void *arg)
{
    int fds[2];
    char c = 'x';

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(co_go(answers, &fds[1]), 0);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(send(fds[0], &c, 1, 0), 1);
        CHECK_EQ(recv(fds[0], &c, 1, 0), 1);
    }
    CHECK_EQ(close(fds[0]), 0);
    *(bool *)arg = true;
}

static void reads_and_writes(void)
{
    bool ran = false;

    CHECK_EQ(co_run(root_echoes, &ran, &(struct co_config){ .schedulers = 1 }),
             0);
    CHECK(ran);
}

/* ---- Limits and cancels -----------------------------------------------------
 */

static void root_limited(void *arg)
{
    struct pollfd p = { .events = POLLIN };
    int64_t old = co_limit_deadline(co_after(20 * CO_MSEC));
    int fds[2];
    char c;

    CHECK_EQ(pipe(fds), 0);
    p.fd = fds[0];
    CHECK(read(fds[0], &c, 1) == -1 && errno == ETIMEDOUT);
    CHECK(TEMP_FAILURE_RETRY(poll(&p, 1, -1)) == -1 && errno == ETIMEDOUT);
    CHECK_EQ(sleep(100), 100);
    co_restore_deadline(old);
    co_cancel(co_self());
    CHECK(read(fds[0], &c, 1) == -1 && errno == ECANCELED);
    CHECK(TEMP_FAILURE_RETRY(poll(&p, 1, -1)) == -1 && errno == ECANCELED);
    CHECK(usleep(1000) == -1 && errno == ECANCELED);
    close(fds[0]);
    close(fds[1]);
    *(bool *)arg = true;
}

static void limits_reach_inside(void)
{
    bool ran = false;

    CHECK_EQ(co_run(root_limited, &ran, NULL), 0);
    CHECK(ran);
}

/* ---- Off --------------------------------------------------------------------
 */

static int64_t other_ran_at;

static void other(void *arg)
{
    (void)arg;
    other_ran_at = co_now();
}

/* The thread sleeps, so the other one comes after it. */
static void root_off(void *arg)
{
    int64_t begin = co_now();

    CHECK_EQ(co_go(other, NULL), 0);
    test_sleep_ms(50);
    CHECK_EQ(other_ran_at, 0);
    co_yield_now();
    CHECK(other_ran_at - begin >= 50 * CO_MSEC);
    *(bool *)arg = true;
}

static int child_off(void)
{
    bool ran = false;

    CHECK(!co_hook_enabled());
    CHECK_EQ(co_run(root_off, &ran, &(struct co_config){ .schedulers = 1 }), 0);
    return ran ? 0 : 1;
}

static void can_be_turned_off(const char *self)
{
    char command[4096];

    (void)snprintf(command, sizeof command, "CORTEN_HOOK=off %s off", self);
    CHECK_EQ(system(command), 0);
}

/* ---- Slow calls
 * --------------------------------------------------------------- */

/* To make close() wait: what was written is not read, and it may linger. */
static int unread_connection(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    struct linger linger = { .l_onoff = 1, .l_linger = 1 };
    socklen_t len = sizeof a;
    static char much[65536];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&a, &len), 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    while (send(fd, much, sizeof much, MSG_DONTWAIT) > 0)
        ;
    return fd;
}

static void root_slow(void *arg)
{
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    (void)co_limit_deadline(co_after(700 * CO_MSEC));
    CHECK(read(fds[0], fds, 1) == -1 && errno == ETIMEDOUT); /* no thread */
    (void)co_limit_deadline(CO_FOREVER);
    CHECK_EQ(close(unread_connection()), 0); /* a second of the thread's */
    *(bool *)arg = true;
}

static int child_slow(void)
{
    bool ran = false;

    CHECK_EQ(co_run(root_slow, &ran, &(struct co_config){ .schedulers = 1 }),
             0);
    return ran ? 0 : 1;
}

/* What this program says on standard error in that mode and environment. */
static void says(const char *self, const char *environment, const char *mode,
                 char *text, size_t size)
{
    char command[4096];
    size_t len = 0;
    FILE *f;

    (void)snprintf(command, sizeof command, "%s %s %s 2>&1", environment, self,
                   mode);
    CHECK((f = popen(command, "r")) != NULL);
    while (len < size - 1 && !feof(f)) { /* signals break fread() off */
        clearerr(f);
        len += fread(text + len, 1, size - 1 - len, f);
    }
    text[len] = '\0';
    CHECK_EQ(pclose(f), 0);
}

static void slow_calls_are_named(const char *self)
{
    char text[4096];

    says(self, "CORTEN_HOOK_SLOW=500", "slow", text, sizeof text);
    if (!under_storm()) { /* a signal ends the lingering */
        CHECK(strstr(text, "corten-hook: close() took the thread for ") !=
              NULL);
        CHECK(strstr(text, " in coroutine \"root\" (id ") != NULL);
    }
    CHECK(strstr(text, "read() took") == NULL);
    says(self, "CORTEN_HOOK_SLOW=30000", "slow", text, sizeof text);
    CHECK_EQ(text[0], '\0');
    says(self, "CORTEN_HOOK_SLOW=2s", "nothing", text, sizeof text);
    CHECK(strstr(text, "CORTEN_HOOK_SLOW=2s: not a number of ") != NULL);
    says(self, "CORTEN_HOOK=no", "nothing", text, sizeof text);
    CHECK(strstr(text, "CORTEN_HOOK=no: it is \"on\" or ") != NULL);
}

/* ---- Sanitizers
 * ---------------------------------------------------------------
 */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(WITH_ASAN)

static void root_overflows(void *arg)
{
    char *small = malloc(8), much[64] = { 0 };
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(write(fds[1], much, sizeof much), (ssize_t)sizeof much);
    /* A length that the compiler does not see. */
    CHECK_EQ(recv(fds[0], small, *(size_t *)arg, 0), 64);
    free(small);
}

/* A write beyond the caller's buffer, by the kernel, through a hook. */
static void overflow_is_reported(void)
{
    static volatile size_t len = 64;
    size_t more = len;
    char report[4096] = "";
    int fds[2], status;
    ssize_t n = 0, r;
    pid_t pid;

    CHECK_EQ(pipe(fds), 0);
    fflush(NULL);
    pid = test_fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(dup2(fds[1], STDERR_FILENO) >= 0);
        (void)co_run(root_overflows, &more, NULL);
        _exit(0);
    }
    close(fds[1]);
    while (n < (ssize_t)sizeof report - 1 &&
           (r = read(fds[0], report + n, sizeof report - 1 - (size_t)n)) > 0)
        n += r;
    close(fds[0]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(status != 0);
    CHECK(strstr(report, "heap-buffer-overflow") != NULL);
    CHECK(strstr(report, "root_overflows") != NULL);
}
#else
static void overflow_is_reported(void) {} /* nobody would */
#endif

int main(int argc, char **argv)
{
    if (argc > 1)
        return strcmp(argv[1], "off") == 0    ? child_off()
               : strcmp(argv[1], "slow") == 0 ? child_slow()
                                              : 0;
    RUN(all_are_bound);
    RUN(sleeps_overlap);
    RUN(reads_and_writes);
    RUN(limits_reach_inside);
    RUN(overflow_is_reported);
    fprintf(stderr, "  can_be_turned_off\n");
    can_be_turned_off(argv[0]);
    fprintf(stderr, "  slow_calls_are_named\n");
    slow_calls_are_named(argv[0]);
    return 0;
}
