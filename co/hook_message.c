/* hook_message.c - recvmsg and sendmsg, one and many.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { FEW = 16 }; /* parts of a message handled without malloc() */

/* ---- One --------------------------------------------------------------------
 */

/* Descriptors in a message that came have the modes of their sender; those in
 * one that went can from now on be changed by others. */
static void forget_modes(const struct msghdr *msg, bool came)
{
    if (msg->msg_controllen == 0)
        return;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
         c = CMSG_NXTHDR((struct msghdr *)msg, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (came)
                co_fd_forget(fd); /* the number is another file's now */
            hook_mode_set(fd, came ? 0 : hook_mode(fd) & MODE_SOCKET);
        }
    }
}

/* What the kernel writes down at the end. */
static ssize_t nothing_came(struct msghdr *msg, int flags)
{
    if (msg->msg_name != NULL)
        msg->msg_namelen = 0;
    msg->msg_controllen = 0;
    msg->msg_flags = flags & MSG_CMSG_CLOEXEC;
    return 0;
}

static size_t room_of(const struct msghdr *msg)
{
    size_t sum = 0;

    for (size_t i = 0; i < msg->msg_iovlen; i++)
        sum += msg->msg_iov[i].iov_len;
    return sum;
}

/* Until something has come, or all that is to be looked at.  1: the end.  What
 * msg points to is looked at only after the kernel has; and only TCP peeks
 * again, which changes nothing in it. */
static int receive_some(int fd, struct msghdr *msg, int flags,
                        struct hook_wait *w, ssize_t *r)
{
    int ended = 0;

    while (ended == 0) {
        /* When it says EAGAIN the header is as it was. */
        *r = real.recvmsg(fd, msg, flags | MSG_DONTWAIT);
        if (*r < 0 && errno == EAGAIN)
            ended = hook_wait(w, fd, flags & MSG_OOB ? CO_PRI : CO_READ);
        else if (*r <= 0 || !hook_peek_again(fd, *r, room_of(msg), flags, w))
            break;
    }
    return ended;
}

/* Waits until more has come.  The end and an error are left to the next call:
 * a try would take the error with it.  (Of a unix socket the kernel does take
 * it.) */
static bool wait_for_more(int fd, struct hook_wait *w)
{
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };

    if (hook_is_unix(fd))
        return true;
    for (;;) {
        bool ended = real.poll(&p, 1, 0) > 0;
        int queued = 0;

        if (real.ioctl(fd, FIONREAD, &queued) < 0 || queued > 0)
            return true;
        if (ended || hook_wait(w, fd, CO_READ) != 0)
            return false;
    }
}

/* The rest of a MSG_WAITALL, of which done bytes are there.  Descriptors that
 * were sent along end it, those that found no room, too.  room: for control
 * data. */
static ssize_t receive_rest(int fd, struct msghdr *msg, size_t done,
                            size_t room, int flags, struct hook_wait *w)
{
    struct iovec few[FEW], *iov = few;
    int n = (int)msg->msg_iovlen;
    size_t all = room_of(msg);
    ssize_t r;

    if (n > FEW && (iov = malloc((size_t)n * sizeof *iov)) == NULL)
        return (ssize_t)done;
    while (done < all && msg->msg_controllen == 0 &&
           !(msg->msg_flags & MSG_CTRUNC) && wait_for_more(fd, w)) {
        struct msghdr more = { .msg_iov = iov,
                               .msg_control = msg->msg_control,
                               .msg_controllen = room };

        more.msg_iovlen = (size_t)hook_skip_vec(msg->msg_iov, n, done, iov);
        r = real.recvmsg(fd, &more, flags | MSG_DONTWAIT);
        if (r < 0 && errno == EAGAIN && hook_wait(w, fd, CO_READ) == 0)
            continue;
        if (r <= 0)
            break;
        forget_modes(&more, true);
        msg->msg_controllen = more.msg_controllen;
        msg->msg_flags |= more.msg_flags;
        done += (size_t)r;
    }
    if (iov != few)
        free(iov);
    return (ssize_t)done;
}

ssize_t hook_recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct hook_wait w = { 0 };
    size_t room;
    int err = errno;
    ssize_t r;

    if (hook_plain() || (flags & (MSG_DONTWAIT | MSG_ERRQUEUE))) {
        r = real.recvmsg(fd, msg, flags);
        if (r >= 0 && !hook_plain())
            forget_modes(msg, true);
        return r;
    }
    room = (uintptr_t)msg >= 4096 ? msg->msg_controllen : 0; /* else EFAULT */
    if (receive_some(fd, msg, flags, &w, &r) > 0)
        return hook_result(err, nothing_came(msg, flags));
    if (r < 0)
        return r;
    forget_modes(msg, true);
    if ((flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL && r > 0 &&
        (size_t)r < room_of(msg) && hook_is_stream(fd))
        r = receive_rest(fd, msg, (size_t)r, room, flags, &w);
    return hook_result(err, r);
}
HOOK_NAME(recvmsg, hook_recvmsg);

/* What is left of a stream's message after the first part, with which names and
 * control data went. */
static ssize_t send_rest(int fd, const struct msghdr *msg, size_t done,
                         int flags)
{
    int n = (int)msg->msg_iovlen;
    struct iovec *iov = malloc((size_t)n * sizeof *iov);
    ssize_t sum = 0;

    if (iov == NULL)
        return 0;
    n = hook_skip_vec(msg->msg_iov, n, done, iov);
    for (int i = 0; i < n; i++) {
        ssize_t r = hook_sendto(fd, iov[i].iov_base, iov[i].iov_len,
                                flags | MSG_NOSIGNAL, NULL, 0);

        if (r > 0)
            sum += r;
        if (r < (ssize_t)iov[i].iov_len)
            break;
    }
    free(iov);
    return sum;
}

ssize_t hook_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct hook_wait w = { 0 };
    int err = errno, quiet = 0;
    size_t all = 0;
    ssize_t r;

    if (hook_plain() || (flags & MSG_DONTWAIT)) {
        r = real.sendmsg(fd, msg, flags);
        if (r >= 0)
            forget_modes(msg, false);
        return r;
    }
    while ((r = real.sendmsg(fd, msg, flags | quiet | MSG_DONTWAIT)) < 0 &&
           errno == EAGAIN && hook_wait(&w, fd, CO_WRITE) == 0)
        quiet = MSG_NOSIGNAL;
    if (r < 0) {
        if (errno == EPIPE && quiet != 0)
            hook_broken_pipe(fd, flags, true);
        return r;
    }
    forget_modes(msg, false);
    for (size_t i = 0; i < msg->msg_iovlen; i++)
        all += msg->msg_iov[i].iov_len;
    if (r > 0 && (size_t)r < all && hook_deadline(fd, CO_WRITE) != CO_NOWAIT)
        r += send_rest(fd, msg, (size_t)r, flags);
    return hook_result(err, r);
}
HOOK_NAME(sendmsg, hook_sendmsg);

/* ---- Many -------------------------------------------------------------------
 */

/* recvmmsg(2): the time-out is looked at only after each message, so it is no
 * deadline for the first; and it is updated. */
int hook_recvmmsg(int fd, struct mmsghdr *v, unsigned n, int flags,
                  struct timespec *time)
{
    int64_t end = CO_FOREVER, left;
    unsigned done = 0;

    if (hook_plain() || (flags & MSG_DONTWAIT) || n == 0)
        return hook_real.recvmmsg(fd, v, n, flags, time);
    if (time != NULL) {
        if (time->tv_sec < 0 || time->tv_nsec < 0 ||
            time->tv_nsec >= CO_SECOND) {
            errno = EINVAL;
            return -1;
        }
        end = co_after(time->tv_sec * CO_SECOND + time->tv_nsec);
    }
    /* An error that is pending comes before messages that are there. */
    if (hook_real.recvmmsg(fd, v, 0, flags & MSG_ERRQUEUE, NULL) < 0)
        return -1;
    while (done < n) {
        int more = done > 0 && (flags & MSG_WAITFORONE) ? MSG_DONTWAIT : 0;
        ssize_t r = hook_recvmsg(fd, &v[done].msg_hdr,
                                 (flags & ~MSG_WAITFORONE) | more);

        if (r < 0)
            break;
        v[done++].msg_len = (unsigned)r;
        if (time != NULL && co_now() >= end)
            break;
    }
    if (time != NULL && done > 0) {
        left = end > co_now() ? end - co_now() : 0;
        *time = (struct timespec){ .tv_sec = left / CO_SECOND,
                                   .tv_nsec = left % CO_SECOND };
    }
    return done > 0 ? (int)done : -1;
}
HOOK_NAME(recvmmsg, hook_recvmmsg);

int hook_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
    unsigned done = 0;
    int r;

    if (hook_plain() || (flags & MSG_DONTWAIT) || n == 0) {
        r = hook_real.sendmmsg(fd, v, n, flags);
        for (int i = 0; i < r; i++)
            forget_modes(&v[i].msg_hdr, false);
        return r;
    }
    while (done < n) {
        ssize_t sent = hook_sendmsg(fd, &v[done].msg_hdr, flags);

        if (sent < 0)
            break;
        v[done++].msg_len = (unsigned)sent;
    }
    return done > 0 ? (int)done : -1;
}
HOOK_NAME(sendmmsg, hook_sendmmsg);
