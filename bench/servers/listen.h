/* listen.h - how the servers that are measured against corten start and end:
 * they listen, say where, and SIGTERM ends them with success.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_LISTEN_H
#define BENCH_SERVERS_LISTEN_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The address in text, 127.0.0.1:8080; 0, or -1 with errno. */
static inline int listen_parse(const char *text, struct sockaddr_in *addr)
{
    char host[64];
    unsigned short port;

    memset(addr, 0, sizeof *addr);
    addr->sin_family = AF_INET;
    if (sscanf(text, "%63[0-9.]:%hu", host, &port) != 2 ||
        inet_pton(AF_INET, host, &addr->sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    addr->sin_port = htons(port);
    return 0;
}

/* A socket with those flags that listens on text, where port 0 is any; -1 with
 * errno.  *addr becomes where. */
static inline int listen_on(const char *text, int flags,
                            struct sockaddr_in *addr)
{
    static const int on = 1;
    socklen_t len = sizeof *addr;
    int fd;

    if (listen_parse(text, addr) < 0)
        return -1;
    fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)addr, len) == 0 &&
        listen(fd, SOMAXCONN) == 0 &&
        getsockname(fd, (struct sockaddr *)addr, &len) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void listen_end(int sig)
{
    (void)sig;
    _exit(0);
}

/* Says where; 0, or -1 with errno. */
static inline int listen_say(const struct sockaddr_in *addr)
{
    char host[INET_ADDRSTRLEN];

    if (signal(SIGTERM, listen_end) == SIG_ERR)
        return -1;
    (void)inet_ntop(AF_INET, &addr->sin_addr, host, sizeof host);
    printf("listening on %s:%u\n", host, ntohs(addr->sin_port));
    return fflush(stdout) == EOF ? -1 : 0;
}

#endif
