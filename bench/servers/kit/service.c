/* service.c - see service.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/service.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WRONG = 2, CANNOT = 3, COUNT_MAX = 1000000 };

static _Noreturn void usage(const struct service *s)
{
    fprintf(stderr,
            "usage: %s echo|http [ADDRESS] [--compute US] [--block MS] "
            "[--idle SECONDS]%s%s\n",
            s->name, s->threads > 0 ? " [--threads N]" : "",
            s->mode != NULL ? " [--mode MODE]" : "");
    exit(WRONG);
}

static unsigned count(const struct service *s, const char *text, unsigned min)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end != '\0' || end == text || n < min || n > COUNT_MAX) {
        fprintf(stderr, "%s: '%s' is not a number from %u to %d\n", s->name,
                text, min, COUNT_MAX);
        exit(WRONG);
    }
    return (unsigned)n;
}

static void option(struct service *s, const char *name, const char *value)
{
    if (value == NULL)
        usage(s);
    if (strcmp(name, "--compute") == 0)
        s->compute_us = count(s, value, 0);
    else if (strcmp(name, "--block") == 0)
        s->block_ms = count(s, value, 0);
    else if (strcmp(name, "--idle") == 0)
        s->idle_s = count(s, value, 1);
    else if (strcmp(name, "--threads") == 0 && s->threads > 0)
        s->threads = count(s, value, 1);
    else if (strcmp(name, "--mode") == 0 && s->mode != NULL)
        s->mode = value;
    else
        usage(s);
}

void service_parse(struct service *s, int argc, char **argv)
{
    int i = 2;

    s->addr = "127.0.0.1:0";
    s->idle_s = 60;
    if (argc < 2)
        usage(s);
    s->http = strcmp(argv[1], "http") == 0;
    if (!s->http && strcmp(argv[1], "echo") != 0)
        usage(s);
    if (argc > 2 && argv[2][0] != '-')
        s->addr = argv[i++];
    for (; i < argc; i += 2)
        option(s, argv[i], argv[i + 1]);
}

void service_never_blocks(const struct service *s)
{
    if (s->block_ms == 0)
        return;
    fprintf(stderr, "%s: a handler that blocks stops all connections\n",
            s->name);
    exit(CANNOT);
}

static int parse_addr(const char *text, struct sockaddr_in *addr)
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

int service_listen(const struct service *s, int flags)
{
    static const int on = 1;
    struct sockaddr_in addr;
    int fd;

    if (parse_addr(s->addr, &addr) < 0)
        return -1;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void end(int sig)
{
    (void)sig;
    _exit(0);
}

int service_ready(int fd)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof addr;
    char host[INET_ADDRSTRLEN];

    if (signal(SIGTERM, end) == SIG_ERR || signal(SIGINT, end) == SIG_ERR ||
        getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        return -1;
    (void)inet_ntop(AF_INET, &addr.sin_addr, host, sizeof host);
    printf("listening on %s:%u\n", host, ntohs(addr.sin_port));
    return fflush(stdout) == EOF ? -1 : 0;
}

void service_compute(const struct service *s)
{
    static volatile uint64_t result;
    uint64_t x = result;

    for (uint64_t i = (uint64_t)s->compute_us * SERVICE_STEPS_A_US; i > 0; i--)
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
    result = x;
}

void service_block(const struct service *s)
{
    struct timespec t = { .tv_sec = s->block_ms / 1000,
                          .tv_nsec = s->block_ms % 1000 * 1000000L };

    if (s->block_ms > 0)
        (void)nanosleep(&t, NULL);
}

void service_work(const struct service *s)
{
    service_compute(s);
    service_block(s);
}

/* Fails on a socket that is dead already, which who reads it finds. */
void service_no_delay(int fd)
{
    static const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int service_failed(const struct service *s, const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", s->name, what, strerror(errno));
    return 1;
}
