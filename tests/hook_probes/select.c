/* select.c - probes: select(2) and pselect(2).
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <sys/select.h>

static fd_set readable, writable, urgent;

static void sets_clear(void)
{
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_ZERO(&urgent);
}

PROBE(select_waits, PAUSE_MS, "select() waits for one to be readable")
{
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    later_write(fds[1], "x");
    TRY(select(fds[0] + 1, &readable, NULL, NULL, NULL));
    SHOW(FD_ISSET(fds[0], &readable) != 0);
}

PROBE(select_timeout, PAUSE_MS, "select() with a time-out clears the sets")
{
    struct timeval time = { 0, PAUSE_MS * 1000 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    FD_SET(fds[1], &urgent);
    TRY(select(fds[1] + 1, &readable, &writable, &urgent, &time));
    SHOW(FD_ISSET(fds[0], &readable) != 0);
    SHOW(FD_ISSET(fds[1], &urgent) != 0);
    SHOW(time.tv_sec == 0 && time.tv_usec == 0);
}

PROBE(select_left, PAUSE_MS, "select() writes back how much time is left")
{
    struct timeval time = { 20, 0 };
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    later_write(fds[1], "x");
    TRY(select(fds[0] + 1, &readable, NULL, NULL, &time));
    SHOW(time.tv_sec < 20 && time.tv_sec > 10);
}

PROBE(select_zero, 0, "select() with time-out 0 only looks")
{
    struct timeval time = { 0, 0 };
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    TRY(select(fds[0] + 1, &readable, NULL, NULL, &time));
    FD_SET(fds[1], &writable);
    TRY(select(fds[1] + 1, NULL, &writable, NULL, &time));
    SHOW(FD_ISSET(fds[1], &writable) != 0);
}

PROBE(select_sleep, PAUSE_MS, "select() of nothing is a sleep")
{
    struct timeval time = { 0, PAUSE_MS * 1000 };

    TRY(select(0, NULL, NULL, NULL, &time));
}

PROBE(select_three, PAUSE_MS, "select() of three sets counts bits, not numbers")
{
    int fds[2];

    kit_tcp(fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    FD_SET(fds[0], &urgent);
    later_write(fds[1], "x");
    TRY(select(fds[0] + 1, &readable, NULL, &urgent, NULL));
    FD_SET(fds[0], &writable);
    TRY(send(fds[1], "!", 1, MSG_OOB));
    FD_SET(fds[0], &urgent);
    TRY(select(fds[0] + 1, NULL, NULL, &urgent, NULL));
    TRY(select(fds[0] + 1, &readable, &writable, &urgent, NULL));
}

PROBE(select_set_kept, 0, "select() looks no further than its first argument")
{
    struct timeval time = { 0, 0 };
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(900, &readable);
    FD_SET(fds[1], &writable);
    TRY(select(fds[1] + 1, &readable, &writable, NULL, &time));
    SHOW(FD_ISSET(900, &readable) != 0);
}

PROBE(select_closed, 0, "select() of what is not open: EBADF, sets untouched")
{
    struct timeval time = { 5, 0 };
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    FD_SET(fds[1], &readable);
    TRY(close(fds[1]));
    TRY(select(fds[1] + 1, &readable, NULL, NULL, &time));
    SHOW(FD_ISSET(fds[0], &readable) != 0);
    SHOW(FD_ISSET(fds[1], &readable) != 0);
    SHOW(time.tv_sec >= 4);
}

PROBE(select_bad, 0, "select() with bad arguments")
{
    struct timeval time = { -1, 0 };

    sets_clear();
    TRY(select(-1, &readable, NULL, NULL, NULL));
    TRY(select(1, &readable, NULL, NULL, &time));
    time = (struct timeval){ 0, -1 };
    TRY(select(1, &readable, NULL, NULL, &time));
}

PROBE(select_much_time, PAUSE_MS,
      "microseconds of a second or more are allowed")
{
    struct timeval time = { 0, 1500000 };
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    later_write(fds[1], "x");
    TRY(select(fds[0] + 1, &readable, NULL, NULL, &time));
    SHOW(time.tv_sec * 1000000 + time.tv_usec > 0);
}

PROBE(select_regular, 0, "select() of a regular file: always ready")
{
    int fd = kit_file("content");

    sets_clear();
    FD_SET(fd, &readable);
    FD_SET(fd, &writable);
    TRY(select(fd + 1, &readable, &writable, NULL, NULL));
}

PROBE(select_end, PAUSE_MS, "select() tells the end of a stream as readable")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    later_close(fds[1]);
    TRY(select(fds[0] + 1, &readable, NULL, NULL, NULL));
}

PROBE(select_room, PAUSE_MS, "select() waits for room to write")
{
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(fds[1], &writable);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(select(fds[1] + 1, NULL, &writable, NULL, NULL));
    SHOW(FD_ISSET(fds[1], &writable) != 0);
}

PROBE(select_high, PAUSE_MS, "select() of numbers beyond an fd_set's size")
{
    unsigned long set[64] = { 0 };
    int fds[2], high;

    kit_pipe(fds);
    high = fcntl(fds[0], F_DUPFD, 2000);
    if (high < 0)
        probe_skip("no such numbers");
    set[high / 64] |= 1UL << high % 64;
    later_write(fds[1], "x");
    TRY(select(high + 1, (fd_set *)set, NULL, NULL, NULL));
    SHOW(set[high / 64] >> high % 64 & 1);
}

PROBE(pselect_waits, PAUSE_MS, "pselect() waits, and leaves its time-out alone")
{
    struct timespec time = { 20, 0 };
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    later_write(fds[1], "x");
    TRY(pselect(fds[0] + 1, &readable, NULL, NULL, &time, NULL));
    SHOW(time.tv_sec == 20 && time.tv_nsec == 0);
}

PROBE(pselect_timeout, PAUSE_MS, "pselect() with time-outs: some, and bad")
{
    struct timespec time = { 0, PAUSE_MS * 1000000L };
    int fds[2];

    kit_pipe(fds);
    sets_clear();
    FD_SET(fds[0], &readable);
    TRY(pselect(fds[0] + 1, &readable, NULL, NULL, &time, NULL));
    time.tv_nsec = 1000000000;
    TRY(pselect(fds[0] + 1, &readable, NULL, NULL, &time, NULL));
}
