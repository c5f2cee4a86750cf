/* read.c - probes: read(2) and its kin on every kind of descriptor.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <sys/eventfd.h>
#include <sys/inotify.h>

static char buf[256];

/* Reads when somebody has written to the other end after a pause. */
static void read_later(int from, int to)
{
    later_write(to, "hello");
    say_bytes(buf, TRY(read(from, buf, sizeof buf)));
}

PROBE(read_stream, PAUSE_MS, "read() waits on a unix stream socket")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    read_later(fds[0], fds[1]);
}

PROBE(read_tcp, PAUSE_MS, "read() waits on a TCP socket")
{
    int fds[2];

    kit_tcp(fds);
    read_later(fds[0], fds[1]);
}

PROBE(read_udp, PAUSE_MS, "read() waits on a UDP socket")
{
    int fds[2];

    kit_udp(fds);
    read_later(fds[0], fds[1]);
}

PROBE(read_seqpacket, PAUSE_MS, "read() of less than a packet drops the rest")
{
    int fds[2];

    kit_pair(SOCK_SEQPACKET, fds);
    later_writes(fds[1], "packet", 2);
    say_bytes(buf, TRY(read(fds[0], buf, 3)));
    say_bytes(buf, TRY(read(fds[0], buf, 3)));
}

PROBE(read_pipe, PAUSE_MS, "read() waits on a pipe")
{
    int fds[2];

    kit_pipe(fds);
    read_later(fds[0], fds[1]);
}

PROBE(read_packet_pipe, PAUSE_MS, "read() of a pipe in packet mode")
{
    int fds[2];

    TRY(pipe2(fds, O_DIRECT));
    later_writes(fds[1], "packet", 2);
    say_bytes(buf, TRY(read(fds[0], buf, 3)));
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
}

PROBE(read_pty_slave, PAUSE_MS, "read() waits on a terminal")
{
    int fds[2];

    kit_pty(fds);
    later_write(fds[0], "x");
    TRY(read(fds[1], buf, sizeof buf));
}

PROBE(read_pty_master, PAUSE_MS, "read() waits on a terminal's master")
{
    int fds[2];

    kit_pty(fds);
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, sizeof buf));
}

PROBE(read_inotify, PAUSE_MS, "read() waits on an inotify descriptor")
{
    union {
        struct inotify_event event;
        char room[4096];
    } u;
    int writer, fd = inotify_init1(0);
    char path[64];

    NEED(fd >= 0);
    kit_fifo(path);
    NEED(open(path, O_RDONLY | O_NONBLOCK) >= 0);
    writer = open(path, O_WRONLY);
    SHOW(inotify_add_watch(fd, path, IN_CLOSE_WRITE) > 0);
    later_close(writer);
    SHOW(read(fd, &u, sizeof u) > 0);
    SHOW(u.event.mask == IN_CLOSE_WRITE);
}

PROBE(read_regular, 0, "read() of a regular file, and at its end")
{
    int fd = kit_file("content");

    say_bytes(buf, TRY(read(fd, buf, 4)));
    say_bytes(buf, TRY(read(fd, buf, sizeof buf)));
    TRY(read(fd, buf, sizeof buf));
}

PROBE(read_devices, 0, "read() of /dev/null and /dev/zero")
{
    TRY(read(open("/dev/null", O_RDWR), buf, 10));
    say_bytes(buf, TRY(read(open("/dev/zero", O_RDWR), buf, 3)));
}

PROBE(read_directory, 0, "read() of a directory")
{
    TRY(read(open(".", O_RDONLY | O_DIRECTORY), buf, 10));
}

PROBE(read_partial, 0, "read() returns what is there, not all that was asked")
{
    int fds[2];

    kit_tcp(fds);
    TRY(write(fds[1], "abc", 3));
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
}

PROBE(read_twice, 2 * PAUSE_MS, "read() after a short one waits again")
{
    int fds[2];

    kit_tcp(fds);
    later_writes(fds[1], "abc", 2);
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
}

PROBE(read_end_socket, PAUSE_MS, "read() returns 0 when the peer closes")
{
    int fds[2];

    kit_tcp(fds);
    TRY(write(fds[1], "abc", 3));
    later_close(fds[1]);
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
    TRY(read(fds[0], buf, sizeof buf));
    TRY(read(fds[0], buf, sizeof buf));
}

PROBE(read_end_pipe, PAUSE_MS, "read() returns 0 when the last writer closes")
{
    int fds[2];

    kit_pipe(fds);
    later_close(fds[1]);
    TRY(read(fds[0], buf, sizeof buf));
    TRY(read(fds[0], buf, sizeof buf));
}

PROBE(read_end_pty, PAUSE_MS, "read() of a master whose terminal is closed")
{
    int fds[2];

    kit_pty(fds);
    later_close(fds[1]);
    TRY(read(fds[0], buf, sizeof buf));
}

static void reset(void *arg)
{
    int fd = *(int *)arg;

    NEED(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 },
                    sizeof(struct linger)) == 0);
    NEED(close(fd) == 0);
}

PROBE(read_reset, PAUSE_MS, "read() when the peer resets the connection")
{
    int fds[2];

    kit_tcp(fds);
    later(reset, &fds[1]);
    TRY(read(fds[0], buf, sizeof buf));
    TRY(read(fds[0], buf, sizeof buf));
}

PROBE(read_bad_fd, 0, "read() of what is not open, or not for reading")
{
    int fds[2];

    kit_pipe(fds);
    TRY(read(-1, buf, 1));
    TRY(read(900, buf, 1));
    TRY(read(fds[1], buf, 1));
    TRY(close(fds[0]));
    TRY(read(fds[0], buf, 1));
}

PROBE(read_bad_buffer, 0, "read() into memory that is not there: EFAULT")
{
    int fds[2];

    kit_pipe(fds);
    TRY(write(fds[1], "abc", 3));
    TRY(read(fds[0], (void *)8, 3));
}

PROBE(read_nothing, 0, "read() of no bytes does not wait")
{
    int fds[2], ends[2];

    kit_pair(SOCK_STREAM, fds);
    kit_pipe(ends);
    TRY(read(fds[0], buf, 0));
    TRY(read(ends[0], buf, 0));
    TRY(read(-1, buf, 0));
}

PROBE(read_unconnected, 0, "read() of sockets that are not connected")
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    TRY(read(fd, buf, 1));
    TRY(read(kit_listen(1), buf, 1));
    TRY(read(socket(AF_UNIX, SOCK_STREAM, 0), buf, 1));
}

PROBE(read_small_eventfd, 0, "read() of less than 8 bytes of an eventfd")
{
    TRY(read(eventfd(1, 0), buf, 7));
}

/* ---- Several buffers --------------------------------------------------------
 */

PROBE(readv_stream, PAUSE_MS, "readv() waits, and fills one after the other")
{
    char a[2], b[8];
    struct iovec iov[] = { { a, sizeof a }, { NULL, 0 }, { b, sizeof b } };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_write(fds[1], "hello");
    TRY(readv(fds[0], iov, 3));
    say_bytes(a, 2);
    say_bytes(b, 3);
}

PROBE(readv_pipe, PAUSE_MS, "readv() waits on a pipe")
{
    char a[2], b[8];
    struct iovec iov[] = { { a, sizeof a }, { b, sizeof b } };
    int fds[2];

    kit_pipe(fds);
    later_write(fds[1], "hello");
    TRY(readv(fds[0], iov, 2));
    say_bytes(a, 2);
    say_bytes(b, 3);
}

PROBE(readv_bad, 0, "readv() with bad counts, lengths and descriptors")
{
    struct iovec iov[] = { { buf, 2 }, { buf, SIZE_MAX } };
    int fds[2];

    kit_pipe(fds);
    TRY(write(fds[1], "abc", 3));
    TRY(readv(fds[0], iov, -1));
    TRY(readv(fds[0], iov, 2000));
    TRY(readv(fds[0], iov, 0));
    TRY(readv(fds[0], iov, 2));
    TRY(readv(-1, iov, 1));
    TRY(readv(fds[0], (struct iovec *)8, 1));
    TRY(readv(fds[0], iov, 1));
}

PROBE(preadv2_pipe, PAUSE_MS, "preadv2() at -1 waits on a pipe")
{
    struct iovec iov = { buf, sizeof buf };
    int fds[2];

    kit_pipe(fds);
    later_write(fds[1], "hello");
    say_bytes(buf, TRY(preadv2(fds[0], &iov, 1, -1, 0)));
}

PROBE(preadv2_flags, 0, "preadv2() with RWF_NOWAIT, and with bad flags")
{
    struct iovec iov = { buf, sizeof buf };
    int fds[2];

    kit_pipe(fds);
    TRY(preadv2(fds[0], &iov, 1, -1, RWF_NOWAIT));
    TRY(preadv2(fds[0], &iov, 1, -1, 1 << 30));
    TRY(preadv2(fds[0], &iov, 1, 0, 0));
    say_bytes(buf, TRY(preadv2(kit_file("content"), &iov, 1, 3, 0)));
}

PROBE(pread_kinds, 0, "pread() of a file, and of what has no places")
{
    int fds[2], file = kit_file("content");

    kit_pipe(fds);
    say_bytes(buf, TRY(pread(file, buf, 3, 2)));
    TRY(pread(file, buf, 3, -1));
    TRY(pread(fds[0], buf, 3, 0));
    TRY(lseek(file, 0, SEEK_CUR));
}

/* ---- Several readers --------------------------------------------------------
 */

static int shared;
static int got[4];

static void read_one(void *arg)
{
    char c = 0;

    if (read(shared, &c, 1) == 1)
        got[(intptr_t)arg] = c;
}

static void many_readers(int from, int to)
{
    int sum = 0;

    shared = from;
    for (int i = 0; i < 4; i++)
        actor_start(read_one, (void *)(intptr_t)i);
    later_writes(to, "ab", 2);
    actors_join();
    for (int i = 0; i < 4; i++)
        sum += got[i];
    say("four readers got all: %s", sum == 2 * ('a' + 'b') ? "yes" : "no");
}

PROBE(readers_stream, 2 * PAUSE_MS, "four readers of a socket share what comes")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    many_readers(fds[0], fds[1]);
}

PROBE(readers_pipe, 2 * PAUSE_MS, "four readers of a pipe share what comes")
{
    int fds[2];

    kit_pipe(fds);
    many_readers(fds[0], fds[1]);
}

PROBE(readers_end, PAUSE_MS, "four readers of a socket all see its end")
{
    int fds[2];

    kit_tcp(fds);
    shared = fds[0];
    for (int i = 0; i < 4; i++)
        actor_start(read_one, (void *)(intptr_t)i);
    later_close(fds[1]);
    actors_join();
    say("the end was seen");
}

PROBE(read_errno, PAUSE_MS, "a read() that waits and succeeds leaves errno")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_write(fds[1], "hello");
    errno = EDOM;
    if (read(fds[0], buf, sizeof buf) == 5)
        say("errno is %s", strerrorname_np(errno));
}
