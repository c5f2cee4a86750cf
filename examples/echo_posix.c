/* echo_posix.c - echo.c with nothing but the calls of a textbook, and co_go().
 *
 *     echo_posix [PORT]          7000 unless given, on 127.0.0.1
 *
 * Linked with corten-hook: accept, read and write suspend the coroutine, so one
 * thread serves them all.  The functions know nothing of coroutines.
 *
 * Try: printf 'hello\n' | nc -N 127.0.0.1 7000
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(void *arg)
{
    int fd = (int)(intptr_t)arg, on = 1;
    char buf[4096];
    ssize_t n;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while ((n = read(fd, buf, sizeof buf)) > 0)
        if (write(fd, buf, (size_t)n) < 0)
            break;
    close(fd);
}

static void serve(void *arg)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons(*(uint16_t *)arg) };
    socklen_t len = sizeof addr;
    int on = 1, fd, listener = socket(AF_INET, SOCK_STREAM, 0);

    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&addr, len) < 0 ||
        listen(listener, SOMAXCONN) < 0 ||
        getsockname(listener, (struct sockaddr *)&addr, &len) < 0) {
        perror("echo_posix");
        exit(1);
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    while ((fd = accept(listener, NULL, NULL)) >= 0)
        if (co_go(echo, (void *)(intptr_t)fd) < 0)
            close(fd);
    close(listener); /* co_stop() ended accept() */
}

int main(int argc, char **argv)
{
    uint16_t port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 7000);

    return co_run(serve, &port, &(struct co_config){ .schedulers = 1 }) < 0;
}
