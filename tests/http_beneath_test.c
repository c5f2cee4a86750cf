/* http_beneath_test.c - nothing outside a folder can be opened: with the
 * kernel's help, and without.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_beneath.h"
#include "tests/files_kit.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int root;

/* The kernel says that it has no openat2(2). */
static void take_openat2(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof rules / sizeof *rules, rules };

    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), 0);
    CHECK(syscall(SYS_openat2, 0, 0, 0, 0) < 0 && errno == ENOSYS);
}

static int try_open(const char *name, int flags)
{
    char text[16] = "";
    int fd = http_beneath(root, name, flags);

    if (fd < 0)
        return -1;
    if (!(flags & O_DIRECTORY) && read(fd, text, sizeof text) >= 0)
        CHECK(strcmp(text, "outside") != 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(close(fd), 0);
    return 0;
}

static void opens(bool links)
{
    static const char *const fine[] = { "a",   "sub/a",   "sub//a",
                                        "./a", "sub/./a", ".hidden" };
    static const char *const linked[] = { "inside", "sub/up", "folder/a" };
    static const char *const none[] = {
        "..",
        "../outside",
        "sub/../../outside",
        "/etc/passwd",
        "/",
        "link",
        "absolute",
        "out/outside",
        "loop",
        "none",
        "a/",
        "a/b",
        "sub/none/a",
        "absolute-inside",
        "socket",
    };
    char name[9000];

    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        CHECK_EQ(try_open(fine[i], 0), 0);
    for (size_t i = 0; i < sizeof linked / sizeof *linked; i++)
        CHECK_EQ(try_open(linked[i], 0), links ? 0 : -1);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        errno = 0;
        CHECK_EQ(try_open(none[i], 0), -1);
        CHECK_EQ(errno, ENOENT);
    }
    CHECK_EQ(try_open(".", O_DIRECTORY), 0);
    CHECK_EQ(try_open("sub", O_DIRECTORY), 0);
    CHECK_EQ(try_open("sub/", O_DIRECTORY), 0);
    CHECK_EQ(try_open("a", O_DIRECTORY), -1);
    CHECK_EQ(try_open("pipe", 0), 0); /* without waiting for a writer */
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK_EQ(try_open(name, 0), -1);
    for (size_t i = 1; i < sizeof name - 1; i += 2)
        name[i] = '/';
    CHECK_EQ(try_open(name, 0), -1);
}

/* A folder on the way is now one, now a link to the outside. */
static atomic_bool over;

static void *swap(void *arg)
{
    char real[PATH_MAX], away[PATH_MAX];

    (void)arg;
    (void)strcpy(real, file_path("root/swap"));
    (void)strcpy(away, file_path("root/swap-away"));
    while (!atomic_load(&over)) {
        CHECK_EQ(rename(real, away), 0);
        CHECK_EQ(symlink("..", real), 0);
        CHECK_EQ(unlink(real), 0);
        CHECK_EQ(rename(away, real), 0);
    }
    return NULL;
}

static void races(void)
{
    pthread_t thread;
    int found = 0;

    atomic_store(&over, false);
    CHECK_EQ(pthread_create(&thread, NULL, swap, NULL), 0);
    for (int i = 0; i < test_count(50000); i++)
        found += try_open("swap/outside", 0) == 0;
    atomic_store(&over, true);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    fprintf(stderr, "  %d opened\n", found);
}

int main(void)
{
    char path[PATH_MAX];
    int fds;

    files_make();
    CHECK_EQ(mkdir(file_path("root"), 0755), 0);
    CHECK_EQ(mkdir(file_path("root/sub"), 0755), 0);
    CHECK_EQ(mkdir(file_path("root/swap"), 0755), 0);
    file_text("outside", "outside");
    file_text("root/a", "a");
    file_text("root/.hidden", "a");
    file_text("root/sub/a", "a");
    file_text("root/swap/outside", "inside");
    CHECK_EQ(symlink("sub/a", file_path("root/inside")), 0);
    CHECK_EQ(symlink("../a", file_path("root/sub/up")), 0);
    CHECK_EQ(symlink("sub", file_path("root/folder")), 0);
    CHECK_EQ(symlink("../outside", file_path("root/link")), 0);
    CHECK_EQ(symlink("..", file_path("root/out")), 0);
    CHECK_EQ(symlink("/etc/passwd", file_path("root/absolute")), 0);
    CHECK_EQ(symlink("loop", file_path("root/loop")), 0);
    (void)strcpy(path, file_path("root/a"));
    CHECK_EQ(symlink(path, file_path("root/absolute-inside")), 0);
    CHECK_EQ(mkfifo(file_path("root/pipe"), 0644), 0);
    CHECK_EQ(mknod(file_path("root/socket"), S_IFSOCK | 0644, 0), 0);
    root = open(file_path("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(root >= 0);
    fds = fds_open();
    opens(links_followed());
    races();
    take_openat2();
    opens(false);
    races();
    CHECK_EQ(fds_open(), fds);
    return 0;
}
