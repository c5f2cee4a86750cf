/* io_test.c - descriptors: try, wait, try again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct sockaddr_in addr_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;

    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return a;
}

static int listen_tcp(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = co_socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(listen(fd, 100), 0);
    return fd;
}

static void echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[100];
    ssize_t n;

    while ((n = co_read(fd, buf, sizeof buf, CO_FOREVER)) > 0)
        CHECK_EQ(co_write(fd, buf, (size_t)n, CO_FOREVER), n);
    CHECK_EQ(n, 0);
    CHECK_EQ(co_close(fd), 0);
}

static void root_tcp(void *arg)
{
    int listener = listen_tcp();
    struct sockaddr_in a = addr_of(listener);
    int client = co_socket(AF_INET, SOCK_STREAM, 0), server;
    char buf[100];
    struct co *c;

    (void)arg;
    CHECK_EQ(co_connect(client, (struct sockaddr *)&a, sizeof a,
                        co_after(CO_SECOND)),
             0);
    server = co_accept(listener, NULL, NULL, co_after(CO_SECOND));
    CHECK(server >= 0);
    c = co_spawn(echo, (void *)(intptr_t)server, NULL);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(co_write(client, "hello", 5, CO_FOREVER), 5);
        CHECK_EQ(co_read(client, buf, sizeof buf, co_after(CO_SECOND)), 5);
    }
    CHECK_EQ(co_read(client, buf, 5, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(shutdown(client, SHUT_WR), 0);
    CHECK_EQ(co_read(client, buf, 5, co_after(CO_SECOND)), 0);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    CHECK_EQ(co_close(client), 0);
    CHECK_EQ(co_close(listener), 0);
}

static void tcp(void) { CHECK_EQ(co_run(root_tcp, NULL, NULL), 0); }

static void write_later(void *arg)
{
    co_yield_now();
    CHECK_EQ(co_write((int)(intptr_t)arg, "x", 1, CO_FOREVER), 1);
}

static void root_pipe(void *arg)
{
    int fds[2];
    char c;

    (void)arg;
    CHECK_EQ(pipe(fds), 0);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(co_go(write_later, (void *)(intptr_t)fds[1]), 0);
        CHECK_EQ(co_read(fds[0], &c, 1, co_after(5 * CO_SECOND)), 1);
    }
    CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    CHECK_EQ(close(fds[0]), 0);
    CHECK_EQ(close(fds[1]), 0);
}

static void pipes(void) { CHECK_EQ(co_run(root_pipe, NULL, NULL), 0); }

/* A socket for datagrams whose reading was shut down has nothing, as often as
 * it is asked. */
static void root_ended(void *arg)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fds[] = { socket(AF_INET, SOCK_DGRAM, 0),
                  co_socket(AF_INET, SOCK_DGRAM, 0) };
    char buf[10];

    (void)arg;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(bind(fds[i], (struct sockaddr *)&a, sizeof a), 0);
        a = addr_of(fds[i]);
        CHECK_EQ(connect(fds[i], (struct sockaddr *)&a, sizeof a), 0);
        CHECK_EQ(co_read(fds[i], buf, sizeof buf, co_after(CO_MSEC)), -1);
        CHECK_EQ(errno, ETIMEDOUT);
        CHECK_EQ(write(fds[i], "one", 3), 3);
        CHECK_EQ(shutdown(fds[i], SHUT_RD), 0);
        CHECK_EQ(co_read(fds[i], buf, sizeof buf, co_after(CO_SECOND)), 3);
        for (int k = 0; k < 5; k++)
            CHECK_EQ(co_read(fds[i], buf, sizeof buf, co_after(CO_SECOND)), 0);
        CHECK_EQ(co_close(fds[i]), 0);
        a.sin_port = 0;
    }
}

static void ended(void) { CHECK_EQ(co_run(root_ended, NULL, NULL), 0); }

int main(void)
{
    RUN(tcp);
    RUN(pipes);
    RUN(ended);
    return 0;
}
