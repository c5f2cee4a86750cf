/* call_file.c - the calls that make, change, ask and close descriptors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/call.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

/* What came as a descriptor counts as 0: its number is of no interest. */
static void take_made(struct call *c)
{
    c->made[0] = (int)c->ret;
    if (c->ret > 0)
        c->ret = 0;
}

static void do_accept(struct call *c)
{
    struct sockaddr_storage name = { 0 };
    socklen_t len = sizeof name;
    struct sockaddr *addr = c->value ? (struct sockaddr *)&name : NULL;
    socklen_t *addr_len = c->value ? &len : NULL;

    if (c->kind == CALL_ACCEPT)
        c->ret = accept(c->fd, addr, addr_len);
    else
        c->ret = accept4(c->fd, addr, addr_len, c->flags);
    if (c->ret >= 0 && c->value) {
        c->hash = hash_more(c->hash, len);
        c->hash = hash_more(c->hash, name.ss_family);
    }
    take_made(c);
}

static void get_option(struct call *c)
{
    char value[32] = { 0 };
    socklen_t len = sizeof value;

    c->ret = getsockopt(c->fd, SOL_SOCKET, c->flags, value, &len);
    for (socklen_t i = 0; c->ret == 0 && i < len; i++)
        c->hash = hash_more(c->hash, (unsigned char)value[i]);
}

static void set_timeout(struct call *c)
{
    struct timeval time = { c->value / 1000000, c->value % 1000000 };

    c->ret = setsockopt(c->fd, SOL_SOCKET, c->flags, &time, sizeof time);
}

static bool change(struct call *c)
{
    int value = c->value;

    switch (c->kind) {
    case CALL_SETFL:
        c->ret = fcntl(c->fd, F_SETFL, c->flags);
        return true;
    case CALL_GETFL:
        c->ret = fcntl(c->fd, F_GETFL);
        return true;
    case CALL_FIONBIO:
        c->ret = ioctl(c->fd, FIONBIO, &value);
        return true;
    case CALL_FIONREAD:
        value = -1;
        c->ret = ioctl(c->fd, FIONREAD, &value);
        c->hash = hash_more(c->hash, (unsigned)value);
        return true;
    case CALL_SET_TIMEOUT:
        set_timeout(c);
        return true;
    case CALL_SET_SIZE:
        c->ret = setsockopt(c->fd, SOL_SOCKET, c->flags, &value, sizeof value);
        return true;
    case CALL_GET_OPTION:
        get_option(c);
        return true;
    default:
        return false;
    }
}

static bool duplicate(struct call *c)
{
    switch (c->kind) {
    case CALL_DUP:
        c->ret = dup(c->fd);
        break;
    case CALL_DUP2:
        c->ret = dup2(c->fd, c->fd2);
        break;
    case CALL_DUP3:
        c->ret = dup3(c->fd, c->fd2, c->flags);
        break;
    case CALL_DUPFD:
        c->ret = fcntl(c->fd, c->flags ? F_DUPFD_CLOEXEC : F_DUPFD, c->fd);
        break;
    default:
        return false;
    }
    take_made(c);
    return true;
}

int call_make_file(struct call *c)
{
    if (change(c) || duplicate(c))
        return 1;
    switch (c->kind) {
    case CALL_ACCEPT:
    case CALL_ACCEPT4:
        do_accept(c);
        return 1;
    case CALL_CONNECT:
        c->ret = connect(c->fd, (struct sockaddr *)&c->addr, c->addr_len);
        return 1;
    case CALL_CLOSE:
        c->ret = close(c->fd);
        return 1;
    case CALL_SHUTDOWN:
        c->ret = shutdown(c->fd, c->flags);
        return 1;
    default:
        return 0;
    }
}
