/* call.c - see call.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/call.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const names[CALL_KINDS] = {
    [CALL_READ] = "read",
    [CALL_READV] = "readv",
    [CALL_PREADV2] = "preadv2",
    [CALL_RECV] = "recv",
    [CALL_RECVFROM] = "recvfrom",
    [CALL_RECVMSG] = "recvmsg",
    [CALL_RECVMMSG] = "recvmmsg",
    [CALL_WRITE] = "write",
    [CALL_WRITEV] = "writev",
    [CALL_PWRITEV2] = "pwritev2",
    [CALL_SEND] = "send",
    [CALL_SENDTO] = "sendto",
    [CALL_SENDMSG] = "sendmsg",
    [CALL_SENDMMSG] = "sendmmsg",
    [CALL_TAKE] = "take",
    [CALL_POLL] = "poll",
    [CALL_PPOLL] = "ppoll",
    [CALL_SELECT] = "select",
    [CALL_PSELECT] = "pselect",
    [CALL_EPOLL_WAIT] = "epoll_wait",
    [CALL_EPOLL_PWAIT] = "epoll_pwait",
    [CALL_ACCEPT] = "accept",
    [CALL_ACCEPT4] = "accept4",
    [CALL_CONNECT] = "connect",
    [CALL_CLOSE] = "close",
    [CALL_SHUTDOWN] = "shutdown",
    [CALL_DUP] = "dup",
    [CALL_DUP2] = "dup2",
    [CALL_DUP3] = "dup3",
    [CALL_DUPFD] = "F_DUPFD",
    [CALL_SETFL] = "F_SETFL",
    [CALL_GETFL] = "F_GETFL",
    [CALL_FIONBIO] = "FIONBIO",
    [CALL_FIONREAD] = "FIONREAD",
    [CALL_SET_TIMEOUT] = "setsockopt(time-out, us)",
    [CALL_SET_SIZE] = "setsockopt(size)",
    [CALL_GET_OPTION] = "getsockopt",
    [CALL_SENDFILE] = "sendfile",
    [CALL_SPLICE] = "splice",
};

struct call call_of(enum call_kind kind, int slot, int fd)
{
    return (struct call){
        .kind = kind,
        .slot = slot,
        .fd = fd,
        .fd2 = -1,
        .pass = -1,
        .pass_slot = -1,
        .parts = 1,
        .made = { -1, -1 },
    };
}

uint32_t hash_more(uint32_t hash, uint64_t value)
{
    uint64_t h = (hash ^ value) * 0x9e3779b97f4a7c15U;

    return (uint32_t)(h >> 32) ^ (uint32_t)h;
}

void call_make(struct call *c)
{
    errno = 0;
    if (!call_make_data(c) && !call_make_wait(c))
        (void)call_make_file(c);
    c->err = c->ret < 0 ? errno : 0;
}

void call_print(const struct call *c, char *line, size_t size)
{
    int n = snprintf(line, size, "%s slot %d fd %d", names[c->kind], c->slot,
                     c->fd);
    size_t at = (size_t)n;

    at += (size_t)snprintf(line + at, size - at,
                           " len %zu parts %u flags %#x value %d", c->len,
                           c->parts, (unsigned)c->flags, c->value);
    if (c->pass >= 0)
        at += (size_t)snprintf(line + at, size - at, " pass %d", c->pass);
    if (c->room > 0)
        at += (size_t)snprintf(line + at, size - at, " room %u", c->room);
    if (c->addr_len > 0)
        at += (size_t)snprintf(line + at, size - at, " addr");
    if (c->fd2 >= 0)
        at += (size_t)snprintf(line + at, size - at, " fd2 %d", c->fd2);
    for (unsigned i = 0; i < c->poll_count; i++)
        at += (size_t)snprintf(line + at, size - at, " [%d %#x]",
                               c->polls[i].fd, (unsigned)c->polls[i].events);
    (void)snprintf(line + at, size - at, " = %lld %s hash %08x",
                   (long long)c->ret, c->err != 0 ? strerror(c->err) : "",
                   c->hash);
}
