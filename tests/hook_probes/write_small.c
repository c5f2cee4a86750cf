/* write_small.c - probes: small writes, errors, and writes to what never waits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static char buf[256];

PROBE(write_bad_fd, 0, "write() to what is not open, or not for writing")
{
    int fds[2];

    kit_pipe(fds);
    TRY(write(-1, "abc", 3));
    TRY(write(900, "abc", 3));
    TRY(write(fds[0], "abc", 3));
    TRY(close(fds[1]));
    TRY(write(fds[1], "abc", 3));
}

PROBE(write_bad_buffer, 0, "write() from memory that is not there: EFAULT")
{
    int fds[2], ends[2];

    kit_pipe(fds);
    kit_pair(SOCK_STREAM, ends);
    TRY(write(fds[1], (void *)8, 3));
    TRY(write(ends[1], (void *)8, 3));
    TRY(send(ends[1], (void *)8, 3, 0));
}

PROBE(write_nothing, 0, "write() of no bytes, to each kind")
{
    int fds[2];

    kit_pipe(fds);
    TRY(write(fds[1], buf, 0));
    kit_tcp(fds);
    TRY(write(fds[1], buf, 0));
    TRY(write(kit_file(""), buf, 0));
    TRY(write(-1, buf, 0));
}

PROBE(write_too_little, 0, "write() of less than an eventfd wants")
{
    int fd = eventfd(0, 0);
    uint64_t much = UINT64_MAX - 1;

    TRY(write(fd, buf, 0));
    TRY(write(fd, &much, sizeof much));
    TRY(write(fd, buf, 7));
    TRY(read(fd, buf, 0));
    TRY(read(fd, buf, 7));
}

PROBE(writev_nothing, 0, "writev() of no bytes sends nothing")
{
    struct iovec iov[2] = { { buf, 0 }, { buf, 0 } };
    int fds[2];

    kit_udp(fds);
    TRY(writev(fds[1], iov, 2));
    TRY(writev(fds[1], iov, 0));
    TRY(pwritev2(fds[1], iov, 2, -1, 0));
    TRY(recv(fds[0], buf, sizeof buf, MSG_DONTWAIT));
}

PROBE(write_peer_deaf, PAUSE_MS, "who waits to write learns that nobody reads")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    (void)kit_fill(fds[0]);
    later_shutdown(fds[1], SHUT_RD);
    TRY(send(fds[0], "x", 1, MSG_NOSIGNAL));
}

PROBE(write_empty_packet, PAUSE_MS, "an empty datagram is one")
{
    int fds[2];

    kit_udp(fds);
    TRY(write(fds[1], buf, 0));
    TRY(read(fds[0], buf, sizeof buf));
    later_write(fds[1], "next");
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
}

PROBE(write_unconnected, 0, "write() to sockets that are not connected")
{
    kit_catch(SIGPIPE, 0);
    TRY(write(socket(AF_INET, SOCK_STREAM, 0), "abc", 3));
    TRY(write(socket(AF_INET, SOCK_DGRAM, 0), "abc", 3));
    TRY(write(socket(AF_UNIX, SOCK_STREAM, 0), "abc", 3));
    TRY(write(socket(AF_UNIX, SOCK_DGRAM, 0), "abc", 3));
    TRY(write(kit_listen(1), "abc", 3));
    SHOW(kit_caught);
}

PROBE(write_too_long, 0, "a datagram that is too long: EMSGSIZE")
{
    static char junk[100000];
    int fds[2];

    kit_udp(fds);
    TRY(write(fds[1], junk, sizeof junk));
    TRY(send(fds[1], junk, sizeof junk, 0));
}

PROBE(write_refused, 0, "a datagram to nobody: ECONNREFUSED, told later")
{
    int fds[2];

    kit_udp(fds);
    TRY(close(fds[0]));
    TRY(write(fds[1], "abc", 3));
    TRY(write(fds[1], "abc", 3));
    TRY(write(fds[1], "abc", 3));
    TRY(read(fds[1], buf, sizeof buf));
}

PROBE(write_regular, 0, "write() to a regular file, and one opened to read")
{
    int fd = kit_file("content");

    TRY(write(fd, "CON", 3));
    say_bytes(buf, TRY(pread(fd, buf, sizeof buf, 0)));
    TRY(write(open("/dev/null", O_RDONLY), "abc", 3));
    TRY(write(open("/dev/null", O_WRONLY), "abc", 3));
    TRY(write(open("/dev/full", O_WRONLY), "abc", 3));
}

PROBE(write_timerfd, 0, "write() to what cannot be written: EINVAL")
{
    TRY(write(timerfd_create(CLOCK_MONOTONIC, 0), "12345678", 8));
    TRY(write(eventfd(0, 0), "1234567", 7));
}

PROBE(writev_order, 0, "writev() writes its parts in order")
{
    struct iovec iov[] = { { "he", 2 }, { NULL, 0 }, { "llo", 3 } };
    int fds[2];

    kit_pipe(fds);
    TRY(writev(fds[1], iov, 3));
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
}

PROBE(writev_bad, 0, "writev() with bad counts, lengths and descriptors")
{
    struct iovec iov[] = { { "he", 2 }, { buf, SIZE_MAX } };
    int fds[2];

    kit_pipe(fds);
    TRY(writev(fds[1], iov, -1));
    TRY(writev(fds[1], iov, 2000));
    TRY(writev(fds[1], iov, 0));
    TRY(writev(fds[1], iov, 2));
    TRY(writev(-1, iov, 1));
    TRY(writev(fds[0], iov, 1));
    TRY(writev(fds[1], (struct iovec *)8, 1));
}

PROBE(pwrite_kinds, 0, "pwrite() to a file, and to what has no places")
{
    struct iovec iov = { "xyz", 3 };
    int fds[2], file = kit_file("content");

    kit_pipe(fds);
    TRY(pwrite(file, "abc", 3, 2));
    TRY(pwritev2(file, &iov, 1, 5, 0));
    say_bytes(buf, TRY(pread(file, buf, sizeof buf, 0)));
    TRY(pwrite(fds[1], "abc", 3, 0));
    TRY(pwritev2(fds[1], &iov, 1, 0, 0));
}

PROBE(pwritev2_flags, 0, "pwritev2() with RWF_NOWAIT, and with bad flags")
{
    struct iovec iov = { "xyz", 3 };
    int fds[2];

    kit_pipe(fds);
    TRY(pwritev2(fds[1], &iov, 1, -1, RWF_NOWAIT));
    TRY(pwritev2(fds[1], &iov, 1, -1, 1 << 30));
    kit_fill(fds[1]);
    TRY(pwritev2(fds[1], &iov, 1, -1, RWF_NOWAIT));
}

PROBE(write_mixed, PAUSE_MS, "two who write and two who read, at once")
{
    int fds[2];
    char part[8] = "";

    kit_tcp(fds);
    later_write(fds[0], "down");
    later_write(fds[1], "up");
    TRY(read(fds[0], part, sizeof part));
    say_bytes(part, 2);
    TRY(read(fds[1], part, sizeof part));
    say_bytes(part, 4);
}
