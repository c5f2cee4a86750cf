/* faults.h - how a test makes its servers fail, and the network before them.
 *
 * Servers are killed and started by servers_control.py, the network is
 * relay.py: their head comments say which commands there are.  A command is in
 * force when the call returns.
 *
 *     int port = relay_to(server_port("REDIS_PORT"));
 *
 *     relay(port, "down stall after 100");
 *     ...
 *     relay(port, "both go");
 *     servers("kill redis");
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include "tests/clients.h"
#include <stdarg.h>
#include <sys/un.h>

/* Only this coroutine waits for the answer.  A number that comes with it, or
 * 0. */
static inline long faults_command(const char *path, const char *line)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = co_socket(AF_UNIX, SOCK_STREAM, 0);
    char answer[200] = "";
    size_t got = 0;
    ssize_t n;

    CHECK(fd >= 0);
    (void)snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    CHECK_EQ(co_connect(fd, (struct sockaddr *)&addr, sizeof addr, CO_FOREVER),
             0);
    CHECK_EQ(co_write(fd, line, strlen(line), CO_FOREVER), strlen(line));
    while (strchr(answer, '\n') == NULL && got < sizeof answer - 1) {
        n = co_read(fd, answer + got, sizeof answer - 1 - got, CO_FOREVER);
        CHECK(n > 0);
        got += (size_t)n;
    }
    CHECK_EQ(co_close(fd), 0);
    if (strncmp(answer, "ok", 2) != 0)
        fprintf(stderr, "    %s: %s", line, answer);
    CHECK_EQ(strncmp(answer, "ok", 2), 0);
    return atol(answer + 2);
}

static inline void servers(const char *command)
{
    char line[100];

    (void)snprintf(line, sizeof line, "%s\n", command);
    (void)faults_command(server_text("SERVERS_CONTROL"), line);
}

/* The port of a new relay to that one. */
static inline int relay_to(int port)
{
    char line[100];

    (void)snprintf(line, sizeof line, "relay %d\n", port);
    return (int)faults_command(server_text("RELAY"), line);
}

static inline long relay(int port, const char *command)
{
    char line[100];

    (void)snprintf(line, sizeof line, "%d %s\n", port, command);
    return faults_command(server_text("RELAY"), line);
}

#endif
