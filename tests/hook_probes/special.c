/* special.c - probes: eventfd, timerfd, FIFOs as they are opened, sendfile and
 * splice.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

enum { WHOLE = 4 << 20 };

static char buf[256];

/* ---- Counters and timers ----------------------------------------------------
 */

static void add_two(void *arg)
{
    uint64_t n = 2;

    NEED(write(*(int *)arg, &n, sizeof n) == sizeof n);
}

PROBE(eventfd_waits, PAUSE_MS,
      "read() of an eventfd waits; semaphores count down")
{
    uint64_t n = 0;
    int fd = eventfd(0, EFD_SEMAPHORE);

    later(add_two, &fd);
    TRY(read(fd, &n, sizeof n));
    SHOW(n);
    TRY(read(fd, &n, sizeof n));
    kit_set_nonblock(fd, true);
    TRY(read(fd, &n, sizeof n));
}

static void take(void *arg)
{
    uint64_t n;

    NEED(read(*(int *)arg, &n, sizeof n) == sizeof n);
}

PROBE(eventfd_full, PAUSE_MS, "write() to a full eventfd waits")
{
    uint64_t most = UINT64_MAX - 1, one = 1;
    int fd = eventfd(0, 0);

    TRY(write(fd, &most, sizeof most));
    later(take, &fd);
    TRY(write(fd, &one, sizeof one));
    TRY(read(fd, &one, sizeof one));
    SHOW(one);
    most = UINT64_MAX;
    TRY(write(fd, &most, sizeof most));
}

static void arm(int fd, int ms, int again_ms)
{
    struct itimerspec t = { .it_value.tv_nsec = ms * 1000000L,
                            .it_interval.tv_nsec = again_ms * 1000000L };

    NEED(timerfd_settime(fd, 0, &t, NULL) == 0);
}

PROBE(timerfd_waits, PAUSE_MS, "read() of a timerfd waits until it expires")
{
    uint64_t n = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);

    arm(fd, PAUSE_MS, 0);
    TRY(read(fd, &n, sizeof n));
    SHOW(n);
    TRY(read(fd, &n, 7));
}

PROBE(timerfd_again, 4 * 50, "a timerfd that expires again and again")
{
    uint64_t n = 0, sum = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);

    arm(fd, 50, 50);
    while (sum < 4) {
        NEED(read(fd, &n, sizeof n) == sizeof n);
        sum += n;
    }
    say("four times and more");
}

/* ---- FIFOs ------------------------------------------------------------------
 */

static char fifo[64];

static void open_other(void *arg)
{
    int fd = open(fifo, *(int *)arg);

    NEED(fd >= 0);
    if (*(int *)arg == O_WRONLY)
        NEED(write(fd, "hello", 5) == 5);
    else
        NEED(read(fd, buf, sizeof buf) == 3);
    NEED(close(fd) == 0);
}

PROBE(fifo_open_read, PAUSE_MS, "open() of a FIFO to read waits for a writer")
{
    int other = O_WRONLY, fd;

    kit_fifo(fifo);
    later(open_other, &other);
    fd = open(fifo, O_RDONLY);
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    say_bytes(buf, TRY(read(fd, buf, sizeof buf)));
    TRY(read(fd, buf, sizeof buf));
}

PROBE(fifo_open_write, PAUSE_MS, "open() of a FIFO to write waits for a reader")
{
    int other = O_RDONLY, fd;

    kit_fifo(fifo);
    later(open_other, &other);
    fd = open(fifo, O_WRONLY);
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    TRY(write(fd, "abc", 3));
    actors_join();
    say_bytes(buf, 3);
}

PROBE(fifo_openat, PAUSE_MS, "openat() of a FIFO waits, too")
{
    int other = O_WRONLY, fd;

    kit_fifo(fifo);
    later(open_other, &other);
    fd = openat(AT_FDCWD, fifo, O_RDONLY | O_CLOEXEC);
    SHOW(fcntl(fd, F_GETFD));
    TRY(read(fd, buf, sizeof buf));
}

PROBE(fifo_open_nonblock, 0, "open() of a FIFO with O_NONBLOCK: ENXIO to write")
{
    int fd;

    kit_fifo(fifo);
    TRY(open(fifo, O_WRONLY | O_NONBLOCK));
    fd = open(fifo, O_RDONLY | O_NONBLOCK);
    SHOW(kit_nonblock(fd));
    TRY(read(fd, buf, sizeof buf));
    SHOW(open(fifo, O_WRONLY | O_NONBLOCK) >= 0);
    TRY(read(fd, buf, sizeof buf));
    SHOW(open(fifo, O_RDWR) >= 0);
}

PROBE(fifo_reads, PAUSE_MS, "read() of a FIFO waits; its mode is nobody else's")
{
    int in, again, out;

    kit_fifo(fifo);
    in = open(fifo, O_RDWR);
    again = open(fifo, O_RDONLY | O_NONBLOCK);
    out = open(fifo, O_WRONLY);
    later_write(out, "hello");
    TRY(read(again, buf, sizeof buf));
    TRY(read(in, buf, sizeof buf));
    SHOW(kit_nonblock(in));
    SHOW(kit_nonblock(again));
}

PROBE(open_others, 0, "open() of files: modes, flags, errors")
{
    struct stat st;
    int fd;

    (void)umask(022);
    fd = open("made", O_RDWR | O_CREAT | O_EXCL, 0640);
    SHOW(fd >= 0);
    TRY(fstat(fd, &st));
    SHOW(st.st_mode & 0777);
    TRY(open("made", O_RDWR | O_CREAT | O_EXCL, 0600));
    TRY(open("gone", O_RDONLY));
    TRY(openat(-1, "made", O_RDONLY));
    TRY(open("made", O_RDONLY | O_DIRECTORY));
    fd = openat(AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0604);
    SHOW(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0604);
    TRY(unlink("made"));
    TRY(open((char *)8, O_RDONLY));
}

/* ---- From one to another ----------------------------------------------------
 */

static int big_file(void)
{
    char *text = malloc(WHOLE);
    int fd = kit_file("");

    NEED(text != NULL);
    kit_pattern(text, WHOLE);
    NEED(pwrite(fd, text, WHOLE, 0) == WHOLE);
    free(text);
    return fd;
}

static void receive_all(void *arg)
{
    char *text = malloc(WHOLE);
    size_t n = 0;
    ssize_t r = 1;

    NEED(text != NULL);
    pause_ms(PAUSE_MS);
    while (n < WHOLE && r > 0) {
        r = read(*(int *)arg, text + n, WHOLE - n);
        n += r > 0 ? (size_t)r : 0;
    }
    say("all arrived: %s",
        n == WHOLE && kit_is_pattern(text, WHOLE) ? "yes" : "no");
    free(text);
}

PROBE(sendfile_whole, PAUSE_MS, "sendfile() of 4 MiB to a socket is whole")
{
    int fds[2], file = big_file();

    kit_tcp(fds);
    actor_start(receive_all, &fds[0]);
    TRY(sendfile(fds[1], file, NULL, WHOLE));
    TRY(lseek(file, 0, SEEK_CUR));
    actors_join();
}

PROBE(splice_broken, 0, "splice() to a broken socket leaves the pipe alone")
{
    int fds[2], ends[2];

    kit_catch(SIGPIPE, 0);
    kit_pair(SOCK_STREAM, fds);
    kit_pipe(ends);
    TRY(write(ends[1], "hello", 5));
    (void)close(fds[0]);
    TRY(splice(ends[0], NULL, fds[1], NULL, 3, 0));
    say_bytes(buf, TRY(read(ends[0], buf, sizeof buf)));
}

PROBE(sendfile_at, PAUSE_MS, "sendfile() from a place leaves the file's own")
{
    off_t at = 0;
    int fds[2], file = big_file();

    kit_pair(SOCK_STREAM, fds);
    actor_start(receive_all, &fds[0]);
    TRY(sendfile(fds[1], file, &at, WHOLE));
    SHOW(at);
    TRY(lseek(file, 0, SEEK_CUR));
    actors_join();
}

PROBE(sendfile_end, 0, "sendfile() at the end of the file")
{
    off_t at = 3;
    int fds[2], file = kit_file("content");

    kit_pair(SOCK_STREAM, fds);
    TRY(sendfile(fds[1], file, &at, 100));
    TRY(sendfile(fds[1], file, &at, 100));
    SHOW(at);
    TRY(sendfile(fds[1], file, NULL, 0));
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
}

PROBE(sendfile_nonblock, 0, "sendfile() that may not wait: in part, EAGAIN")
{
    int fds[2], file = big_file();
    long r;

    kit_pair(SOCK_STREAM, fds);
    kit_set_nonblock(fds[1], true);
    r = sendfile(fds[1], file, NULL, WHOLE);
    SHOW(r > 0 && r < WHOLE);
    SHOW(lseek(file, 0, SEEK_CUR) == r);
    (void)kit_fill(fds[1]);
    TRY(sendfile(fds[1], file, NULL, WHOLE));
}

PROBE(sendfile_timeout, PAUSE_MS, "sendfile() and SO_SNDTIMEO")
{
    int fds[2], file = big_file();

    kit_pair(SOCK_STREAM, fds);
    (void)kit_fill(fds[1]);
    kit_timeout(fds[1], SO_SNDTIMEO, PAUSE_MS);
    TRY(sendfile(fds[1], file, NULL, WHOLE));
    TRY(lseek(file, 0, SEEK_CUR));
}

PROBE(sendfile_bad, 0, "sendfile() with bad descriptors")
{
    off_t at = -1;
    int fds[2], file = kit_file("content");

    kit_pipe(fds);
    TRY(sendfile(fds[1], -1, NULL, 10));
    TRY(sendfile(-1, file, NULL, 10));
    TRY(sendfile(fds[1], fds[0], NULL, 10));
    TRY(sendfile(fds[1], file, &at, 10));
    TRY(sendfile(fds[1], file, NULL, 10));
    TRY(sendfile(kit_file(""), file, NULL, 10));
}

PROBE(splice_waits, PAUSE_MS, "splice() from a pipe waits for data")
{
    int fds[2], ends[2];

    kit_pipe(ends);
    kit_pair(SOCK_STREAM, fds);
    later_write(ends[1], "hello");
    TRY(splice(ends[0], NULL, fds[1], NULL, 100, 0));
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
}

PROBE(splice_socket, PAUSE_MS, "splice() from a socket waits for data")
{
    int fds[2], ends[2];

    kit_pipe(ends);
    kit_tcp(fds);
    later_write(fds[1], "hello");
    TRY(splice(fds[0], NULL, ends[1], NULL, 100, SPLICE_F_MOVE));
    say_bytes(buf, TRY(read(ends[0], buf, sizeof buf)));
}

PROBE(splice_full, PAUSE_MS, "splice() to a full pipe waits for room")
{
    off_t at = 2;
    int ends[2], file = kit_file("content");

    kit_pipe(ends);
    later_read(ends[0], kit_fill(ends[1]));
    TRY(splice(file, &at, ends[1], NULL, 3, 0));
    SHOW(at);
    actors_join();
    say_bytes(buf, TRY(read(ends[0], buf, sizeof buf)));
}

PROBE(splice_nonblock, 0, "splice() that may not wait, and with bad arguments")
{
    int fds[2], ends[2];

    kit_pipe(ends);
    kit_pair(SOCK_STREAM, fds);
    TRY(splice(ends[0], NULL, fds[1], NULL, 100, SPLICE_F_NONBLOCK));
    TRY(splice(fds[0], NULL, fds[1], NULL, 100, 0));
    TRY(splice(-1, NULL, fds[1], NULL, 100, 0));
    TRY(splice(ends[0], NULL, fds[1], NULL, 0, 0));
    TRY(close(ends[1]));
    TRY(splice(ends[0], NULL, fds[1], NULL, 100, 0));
}
