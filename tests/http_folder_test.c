/* http_folder_test.c - folders are read, sorted, and nothing is left over.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_folder.h"
#include "tests/files_kit.h"

static char root[] = "/tmp/corten-folder-XXXXXX";
static int root_fd;

static int open_root(void)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd >= 0);
    return fd;
}

static void make_file(const char *name, off_t size, time_t mtime)
{
    struct timespec times[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };
    int fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, size), 0);
    CHECK_EQ(futimens(fd, times), 0);
    CHECK_EQ(close(fd), 0);
}

static struct http_folder read_root(bool dotfiles)
{
    struct http_folder f = { 0 };

    CHECK_EQ(http_folder_read(&f, open_root(), dotfiles), 0);
    return f;
}

static void empty(void)
{
    struct http_folder f = read_root(true);

    CHECK_EQ(f.count, 0);
    http_folder_free(&f);
    http_folder_free(&f);
}

static void check_name(const struct http_folder *f, size_t i, const char *name)
{
    CHECK(i < f->count);
    if (strcmp(f->names[i]->name, name) != 0)
        fprintf(stderr, "%zu: %s, not %s\n", i, f->names[i]->name, name);
    CHECK(strcmp(f->names[i]->name, name) == 0);
}

static void kinds(void)
{
    static const char *const sorted[] = { "a", "z", "A", "b", "pipe", "\xff" };
    struct http_folder f;

    make_file("b", 5000000000, 784111777);
    make_file("A", 0, 0);
    make_file("\xff", 1, -5);
    CHECK_EQ(mkdirat(root_fd, "z", 0700), 0);
    CHECK_EQ(mkdirat(root_fd, "a", 0700), 0);
    CHECK_EQ(mkfifoat(root_fd, "pipe", 0600), 0);
    f = read_root(false);
    CHECK_EQ(f.count, 6);
    CHECK_EQ(f.folders, 2);
    for (size_t i = 0; i < f.count; i++) {
        check_name(&f, i, sorted[i]);
        CHECK_EQ(f.names[i]->is_folder, i < 2);
        CHECK_EQ(f.names[i]->is_file, i == 2 || i == 3 || i == 5);
    }
    CHECK_EQ(f.names[3]->size, 5000000000);
    CHECK_EQ(f.names[3]->mtime, 784111777);
    CHECK_EQ(f.names[5]->mtime, -5);
    CHECK(f.names[0]->mtime > 784111777);
    CHECK_EQ(f.names[4]->mtime, 0);
    http_folder_free(&f);
    files_empty(root);
}

static void links(void)
{
    static const char *const plain[] = { "etc",    "gone", "loop",
                                         "passwd", "proc", "self" };
    struct http_folder f;

    if (!links_followed())
        return;
    make_file("b", 5, 784111777);
    CHECK_EQ(mkdirat(root_fd, "a", 0700), 0);
    make_file("a/c", 6, 7);
    CHECK_EQ(symlinkat("a", root_fd, "to-a"), 0);
    CHECK_EQ(symlinkat("a/c", root_fd, "to-c"), 0);
    CHECK_EQ(symlinkat("./a/../to-c", root_fd, "to-c-by-d"), 0);
    CHECK_EQ(symlinkat("/etc/passwd", root_fd, "passwd"), 0);
    CHECK_EQ(symlinkat("../../etc/passwd", root_fd, "etc"), 0);
    CHECK_EQ(symlinkat("nowhere", root_fd, "gone"), 0);
    CHECK_EQ(symlinkat("loop", root_fd, "loop"), 0);
    CHECK_EQ(symlinkat("/proc/self/cwd", root_fd, "proc"), 0);
    CHECK_EQ(symlinkat(root, root_fd, "self"), 0);
    CHECK_EQ(symlinkat("..", root_fd, "up"), 0);
    f = read_root(false);
    CHECK_EQ(f.count, 12);
    CHECK_EQ(f.folders, 2);
    check_name(&f, 0, "a");
    check_name(&f, 1, "to-a");
    check_name(&f, 2, "b");
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        check_name(&f, 3 + i, plain[i]);
        CHECK(!f.names[3 + i]->is_file);
        /* Of the link itself nothing is told, either. */
        CHECK_EQ(f.names[3 + i]->size, 0);
        CHECK_EQ(f.names[3 + i]->mtime, 0);
    }
    check_name(&f, 9, "to-c");
    check_name(&f, 10, "to-c-by-d");
    CHECK(f.names[10]->is_file);
    CHECK_EQ(f.names[10]->size, 6);
    CHECK_EQ(f.names[10]->mtime, 7);
    check_name(&f, 11, "up");
    CHECK(!f.names[11]->is_file && !f.names[11]->is_folder);
    http_folder_free(&f);
    CHECK_EQ(unlinkat(root_fd, "a/c", 0), 0);
    files_empty(root);
}

static void dotfiles(void)
{
    struct http_folder f;

    make_file(".hidden", 0, 0);
    make_file("..two", 0, 0);
    make_file(".well-known", 0, 0);
    make_file(".well-known-not", 0, 0);
    make_file("shown.", 0, 0);
    f = read_root(false);
    CHECK_EQ(f.count, 2);
    check_name(&f, 0, ".well-known");
    check_name(&f, 1, "shown.");
    http_folder_free(&f);
    f = read_root(true);
    CHECK_EQ(f.count, 5);
    check_name(&f, 0, "..two");
    check_name(&f, 1, ".hidden");
    http_folder_free(&f);
    files_empty(root);
}

static void many(void)
{
    long count = test_count(20000);
    struct http_folder f;
    char name[32];

    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%06ld", i ^ 1);
        make_file(name, i, 0);
    }
    f = read_root(false);
    for (size_t i = 1; i < f.count; i++)
        CHECK(strcmp(f.names[i - 1]->name, f.names[i]->name) < 0);
    CHECK_EQ(f.count, count);
    http_folder_free(&f);
    files_empty(root);
}

/* The longest name there is. */
static void long_name(void)
{
    char name[HTTP_NAME_MAX + 1];
    struct http_folder f;

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    make_file(name, 1, 0);
    f = read_root(false);
    CHECK_EQ(f.count, 1);
    check_name(&f, 0, name);
    http_folder_free(&f);
    files_empty(root);
}

/* The descriptor is taken, whatever happens. */
static void refused(void)
{
    struct http_folder f = { 0 };
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK_EQ(http_folder_read(&f, fd, false), -1);
    CHECK_EQ(errno, ENOTDIR);
    CHECK_EQ(f.count, 0);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
    CHECK(mkdtemp(root) != NULL);
    root_fd = open_root();
    RUN(empty);
    RUN(kinds);
    RUN(links);
    RUN(dotfiles);
    RUN(many);
    RUN(long_name);
    RUN(refused);
    CHECK_EQ(rmdir(root), 0);
    return 0;
}
