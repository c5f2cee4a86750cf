/* processes.c - a pool of processes: one accepts, and passes the descriptors by
 * SCM_RIGHTS over a socket pair to each worker in turn, which serves them in an
 * event loop of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/loop.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS_MAX = 64, NAP_US = 10000 };

union control { /* aligned as struct cmsghdr wants it */
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static int receive_fd(int channel)
{
    union control control;
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof control };
    const struct cmsghdr *c;
    ssize_t n;
    int fd;

    do
        n = recvmsg(channel, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    c = CMSG_FIRSTHDR(&m);
    if (n == 0 || c == NULL || c->cmsg_type != SCM_RIGHTS) {
        errno = n == 0 ? EPIPE : EMFILE;
        return -1;
    }
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

/* 0, or -1 with errno. */
static int send_fd(int channel, int fd)
{
    union control control = { .bytes = { 0 } };
    char byte = 0;
    struct iovec iov = { &byte, 1 };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof control };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    ssize_t n;

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    do
        n = sendmsg(channel, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

static _Noreturn void work(const struct service *s, int channel, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    _exit(loop_run(s, channel, receive_fd) < 0);
}

/* The end of a worker's channel, or -1 with errno. */
static int start(const struct service *s)
{
    pid_t parent = getpid(), pid;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        work(s, ends[1], parent);
    }
    (void)close(ends[1]);
    return pid < 0 ? -1 : ends[0];
}

int main(int argc, char **argv)
{
    struct service s = { .name = "processes", .threads = 8 };
    int channels[WORKERS_MAX];
    int listener, fd;

    service_parse(&s, argc, argv);
    if (s.threads > WORKERS_MAX)
        s.threads = WORKERS_MAX;
    for (unsigned i = 0; i < s.threads; i++)
        if ((channels[i] = start(&s)) < 0)
            return service_failed(&s, "a worker");
    listener = service_listen(&s, 0);
    if (listener < 0 || service_ready(listener) < 0)
        return service_failed(&s, s.addr);
    for (unsigned turn = 0;; turn = (turn + 1) % s.threads) {
        while ((fd = loop_accept(listener)) < 0)
            (void)usleep(NAP_US); /* too many, until some leave */
        if (send_fd(channels[turn], fd) < 0)
            return service_failed(&s, "a worker");
        (void)close(fd);
    }
}
