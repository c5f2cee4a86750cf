/* fd_info.c - see fd_info.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd_info.h"
#include "co/sys.h"
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
};

static void unix_text(const struct sockaddr_un *un, socklen_t len, char *to)
{
    int n = (int)len - (int)offsetof(struct sockaddr_un, sun_path);

    if (n <= 0) /* it has no name */
        (void)snprintf(to, FD_INFO_TEXT, "unix:");
    else if (un->sun_path[0] == '\0')
        (void)snprintf(to, FD_INFO_TEXT, "unix:@%.*s", n - 1, un->sun_path + 1);
    else
        (void)snprintf(to, FD_INFO_TEXT, "unix:%.*s", n, un->sun_path);
}

static void address_text(const union address *a, socklen_t len, char *to)
{
    char ip[INET6_ADDRSTRLEN] = "";

    if (a->any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &a->v4.sin_addr, ip, sizeof ip);
        (void)snprintf(to, FD_INFO_TEXT, "%s:%d", ip, ntohs(a->v4.sin_port));
    } else if (a->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &a->v6.sin6_addr, ip, sizeof ip);
        (void)snprintf(to, FD_INFO_TEXT, "[%s]:%d", ip, ntohs(a->v6.sin6_port));
    } else if (a->any.sa_family == AF_UNIX) {
        unix_text(&a->un, len, to);
    }
}

static int option(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof value;

    return sys.getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

static const char *kind_of(int family, int type)
{
    if (family == AF_UNIX)
        return "unix";
    if (family != AF_INET && family != AF_INET6)
        return "socket";
    return type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : "ip";
}

static void other_text(int fd, char *to)
{
    char path[64];
    ssize_t n;

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    n = readlink(path, to, FD_INFO_TEXT - 1);
    if (n >= 0)
        to[n] = '\0';
    else
        (void)snprintf(to, FD_INFO_TEXT, "closed");
}

void fd_info_get(int fd, struct fd_info *info)
{
    int type = option(fd, SO_TYPE);
    union address a = { 0 };
    socklen_t len = sizeof a;

    *info = (struct fd_info){ 0 };
    if (type < 0) {
        other_text(fd, info->what);
        return;
    }
    (void)snprintf(info->what, sizeof info->what, "%s",
                   kind_of(option(fd, SO_DOMAIN), type));
    info->listens = option(fd, SO_ACCEPTCONN) > 0;
    info->stream = type == SOCK_STREAM || type == SOCK_SEQPACKET;
    if (getsockname(fd, &a.any, &len) == 0)
        address_text(&a, len, info->local);
    a = (union address){ 0 };
    len = sizeof a;
    if (getpeername(fd, &a.any, &len) == 0)
        address_text(&a, len, info->peer);
}
