/* io_message.c - recvmsg and sendmsg.
 *
 * A message header is read and written by the call, so each try starts from
 * what the caller gave.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "co/io.h"
#include "co/sys.h"
#include <errno.h>

struct msg_args {
    struct msghdr *msg;
    int flags;
    socklen_t name_size;
    size_t control_size;
    bool again; /* it was tried before */
};

/* The call overwrites the sizes even when it fails. */
static ssize_t try_recvmsg(int fd, void *args)
{
    struct msg_args *a = args;
    ssize_t n;

    a->msg->msg_namelen = a->name_size;
    a->msg->msg_controllen = a->control_size;
    n = sys.recvmsg(fd, a->msg, a->flags | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN && a->again && io_ended(fd))
        n = 0;
    a->again = true;
    return n;
}

static size_t recvmsg_rest(int fd, const struct msghdr *msg, size_t skip,
                           int flags, int64_t deadline)
{
    size_t done = 0;

    for (size_t i = 0; i < msg->msg_iovlen; i++) {
        const struct iovec *iov = &msg->msg_iov[i];
        size_t len, n;

        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        len = iov->iov_len - skip;
        n = io_receive_rest(fd, (char *)iov->iov_base + skip, len, flags,
                            deadline);
        done += n;
        if (n < len)
            break;
        skip = 0;
    }
    return done;
}

ssize_t co_recvmsg(int fd, struct msghdr *msg, int flags, int64_t deadline)
{
    struct msg_args a = { msg, flags, msg->msg_namelen, msg->msg_controllen,
                          false };
    ssize_t n;

    n = io_receive(fd, flags, deadline, try_recvmsg, &a);
    /* What comes later could bring control data of its own. */
    if (n > 0 && a.control_size == 0 && io_wants_rest(fd, flags))
        n += (ssize_t)recvmsg_rest(fd, msg, (size_t)n, flags, deadline);
    return n;
}

static ssize_t try_sendmsg(int fd, void *args)
{
    struct msg_args *a = args;

    return sys.sendmsg(fd, a->msg, a->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t co_sendmsg(int fd, const struct msghdr *msg, int flags,
                   int64_t deadline)
{
    struct msg_args a = { .msg = (struct msghdr *)msg, .flags = flags };

    return io_send(fd, flags, deadline, try_sendmsg, &a);
}
