/* io_fair_test.c - descriptors that are always ready delay nobody, and idle
 * ones cost nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/io_kit.h"
#include <dirent.h>
#include <sys/resource.h>

static void run_on_one(co_fn *fn)
{
    struct co_config config = { .schedulers = 1 };

    CHECK_EQ(co_run(fn, NULL, &config), 0);
}

/* ---- Greed ------------------------------------------------------------------
 */

static void read_zeros(void *arg)
{
    char buf[4096];

    while (co_read(kit_int(arg), buf, sizeof buf, CO_FOREVER) > 0)
        ;
    CHECK_EQ(errno, ECANCELED);
}

/* A socket that is never empty: what is read is written again. */
static void go_round(void *arg)
{
    int *fds = arg;
    char c = 'x';

    while (co_write(fds[1], &c, 1, CO_FOREVER) == 1 &&
           co_read(fds[0], &c, 1, CO_FOREVER) == 1)
        ;
    CHECK_EQ(errno, ECANCELED);
}

static void try_for_ever(void *arg)
{
    char c;

    while (co_read(kit_int(arg), &c, 1, CO_NOWAIT) < 0 && errno == ETIMEDOUT)
        ;
    CHECK_EQ(errno, ECANCELED);
}

static void yield_for_ever(void *arg)
{
    (void)arg;
    while (!co_cancelled())
        co_yield_now();
}

static void echo(void *arg)
{
    char c;

    while (co_read(kit_int(arg), &c, 1, CO_FOREVER) == 1)
        CHECK_EQ(co_write(kit_int(arg), &c, 1, CO_FOREVER), 1);
}

/* Timers and other sockets go on beside the greedy one. */
static void live_beside(co_fn *greedy, void *arg)
{
    int tcp[2];
    struct co *glutton, *peer;
    char c;

    kit_tcp_own(tcp);
    CHECK((glutton = co_spawn(greedy, arg, NULL)) != NULL);
    CHECK((peer = co_spawn(echo, kit_pointer(tcp[1]), NULL)) != NULL);
    for (int i = 0; i < 50; i++) {
        int64_t until = co_after(CO_MSEC);

        CHECK_EQ(co_sleep_until(until), 0);
        CHECK(co_now() - until < CO_SECOND);
        CHECK_EQ(co_write(tcp[0], "x", 1, co_after(CO_SECOND)), 1);
        CHECK_EQ(co_read(tcp[0], &c, 1, co_after(CO_SECOND)), 1);
    }
    co_cancel(glutton);
    CHECK_EQ(co_join(glutton, co_after(KIT_LONG)), 0);
    CHECK_EQ(co_close(tcp[0]), 0);
    CHECK_EQ(co_join(peer, co_after(KIT_LONG)), 0);
    CHECK_EQ(co_close(tcp[1]), 0);
}

static void root_greed(void *arg)
{
    int zero = open("/dev/zero", O_RDONLY), fds[2];

    (void)arg;
    CHECK(zero >= 0);
    live_beside(read_zeros, kit_pointer(zero));
    CHECK_EQ(co_close(zero), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    live_beside(go_round, fds);
    kit_close(fds);
    kit_tcp_own(fds);
    live_beside(go_round, fds);
    live_beside(try_for_ever, kit_pointer(fds[1]));
    live_beside(yield_for_ever, NULL);
    kit_close(fds);
}

static void greed(void) { run_on_one(root_greed); }

/* Trying without waiting sees what comes, though it never parks. */
static void root_polling(void *arg)
{
    int fds[2];
    char buf[16];

    (void)arg;
    kit_tcp_own(fds);
    for (int i = 0; i < 100; i++) {
        int64_t end = co_after(KIT_LONG);
        ssize_t n;

        CHECK_EQ(co_write(fds[1], "xyz", 3, CO_FOREVER), 3);
        do
            n = co_read(fds[0], buf, sizeof buf, CO_NOWAIT);
        while (n < 0 && errno == ETIMEDOUT && co_now() < end);
        CHECK_EQ(n, 3);
    }
    kit_close(fds);
}

static void polling(void) { run_on_one(root_polling); }

/* ---- Files
 * ------------------------------------------------------------------- */

static void files(void *arg)
{
    char name[] = "/tmp/corten-file-XXXXXX", buf[64] = "";
    int fd = mkstemp(name), null = open("/dev/null", O_RDWR),
        zero = open("/dev/zero", O_RDWR);
    struct iovec iov[2] = { { "hello ", 6 }, { "world", 5 } };

    (void)arg;
    CHECK(fd >= 0 && null >= 0 && zero >= 0);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(co_writev(fd, iov, 2, CO_FOREVER), 11);
    CHECK_EQ(co_write(fd, "!", 1, CO_NOWAIT), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    CHECK_EQ(co_read(fd, buf, 6, CO_NOWAIT), 6);
    CHECK_EQ(co_read(fd, buf, sizeof buf, CO_FOREVER), 6);
    CHECK_EQ(memcmp(buf, "world!", 6), 0);
    CHECK_EQ(co_read(fd, buf, sizeof buf, CO_FOREVER), 0);
    CHECK_EQ(co_fd_wait(fd, CO_READ | CO_WRITE, CO_FOREVER),
             CO_READ | CO_WRITE);
    CHECK_EQ(co_read(null, buf, sizeof buf, CO_FOREVER), 0);
    CHECK_EQ(co_write(null, buf, sizeof buf, CO_FOREVER), sizeof buf);
    CHECK_EQ(co_read(zero, buf, sizeof buf, CO_FOREVER), sizeof buf);
    CHECK_EQ(buf[0], 0);

    /* Errors are those of the calls. */
    CHECK_EQ(co_readv(fd, iov, -1, CO_FOREVER), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(co_readv(zero, iov, 2000, CO_FOREVER), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(co_recv(fd, buf, 1, 0, CO_FOREVER), -1);
    CHECK_EQ(errno, ENOTSOCK);
    if (!under_valgrind()) {
        iov[0].iov_len = SIZE_MAX;
        CHECK_EQ(co_readv(zero, iov, 1, CO_FOREVER), -1);
        CHECK_EQ(errno, EINVAL);
        CHECK_EQ(co_read(zero, (void *)1, 10, CO_FOREVER), -1);
        CHECK_EQ(errno, EFAULT);
    }
    CHECK_EQ(co_close(fd), 0);
    fd = open("/", O_RDONLY);
    CHECK_EQ(co_read(fd, buf, 1, CO_FOREVER), -1);
    CHECK_EQ(errno, EISDIR);
    CHECK_EQ(co_write(fd, buf, 1, CO_FOREVER), -1);
    CHECK_EQ(errno, EBADF);
    CHECK_EQ(co_close(fd), 0);
    CHECK_EQ(co_close(null), 0);
    CHECK_EQ(co_close(zero), 0);
}

static void regular(void) { kit_both(files, NULL); }

/* ---- Idleness
 * ------------------------------------------------------------------ */

enum { IDLERS = 1000 };

static void idle(void *arg)
{
    char c;

    CHECK_EQ(co_read(kit_int(arg), &c, 1, co_after(3600 * CO_SECOND)), 0);
    CHECK_EQ(co_close(kit_int(arg)), 0);
}

/* How often the threads of the schedulers went to sleep. */
static long switches(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *e;
    long sum = 0, n;

    CHECK(tasks != NULL);
    while ((e = readdir(tasks)) != NULL) {
        char path[300], line[200];
        bool ours = false;
        FILE *f;

        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status",
                       e->d_name);
        if ((f = fopen(path, "r")) == NULL) /* it has just ended */
            continue;
        while (fgets(line, sizeof line, f) != NULL)
            if (strncmp(line, "Name:\tcorten-", 13) == 0)
                ours = true;
            else if (ours &&
                     sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
                sum += n;
        (void)fclose(f);
    }
    (void)closedir(tasks);
    return sum;
}

/* Once each registration was looked at, nothing happens any more. */
static void idleness(void)
{
    struct co_config config = { .schedulers = 2 };
    static struct co *idlers[IDLERS];
    static int fds[IDLERS][2];
    struct rlimit limit = { 4 * IDLERS, 4 * IDLERS };
    long before, still = 0;

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(limit.rlim_cur >= 2 * IDLERS + 100);
    CHECK_EQ(co_start(&config), 0);
    for (int i = 0; i < IDLERS; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % 2) };

        if (i % 2)
            kit_tcp_own(fds[i]);
        else
            kit_tcp(fds[i]);
        idlers[i] = co_spawn(idle, kit_pointer(fds[i][0]), &attr);
        CHECK(idlers[i] != NULL);
    }
    /* Some seconds of peace; with --full, forty. */
    before = switches();
    CHECK(before > 0);
    for (long i = 0; still < test_count(400); i++) {
        long now;

        CHECK(i < 1200);
        test_sleep_ms(100);
        now = switches();
        still = now == before ? still + 1 : 0;
        before = now;
    }
    for (int i = 0; i < IDLERS; i++)
        CHECK_EQ(co_close(fds[i][1]), 0);
    for (int i = 0; i < IDLERS; i++)
        CHECK_EQ(co_join(idlers[i], co_after(KIT_LONG)), 0);
    CHECK_EQ(co_shutdown(co_after(KIT_LONG)), 0);
}

int main(void)
{
    RUN(greed);
    RUN(polling);
    RUN(regular);
    if (!under_storm())
        RUN(idleness);
    return 0;
}
