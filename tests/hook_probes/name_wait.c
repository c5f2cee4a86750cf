/* name_wait.c - probes: looking up names takes time, and only the caller's.
 *
 * libc reads a file before its first look-up, which the environment can name.
 * Here that is a FIFO, so the look-up takes until somebody writes to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <netdb.h>

static char fifo[64];
static struct in_addr loopback;

static void let_go(void *arg)
{
    int fd = open(fifo, O_WRONLY | O_NONBLOCK);

    (void)arg;
    if (fd < 0)
        probe_skip("looking up a name reads no such file");
    NEED(write(fd, "multi on\n", 9) == 9);
    NEED(close(fd) == 0);
}

static void hold_up(void)
{
    loopback.s_addr = htonl(INADDR_LOOPBACK);
    kit_fifo(fifo);
    NEED(setenv("RESOLV_HOST_CONF", fifo, 1) == 0);
    later(let_go, NULL);
}

PROBE(wait_getaddrinfo, PAUSE_MS, "getaddrinfo() takes its time")
{
    struct addrinfo *list = NULL;

    hold_up();
    SHOW(getaddrinfo("localhost", "80", NULL, &list));
    freeaddrinfo(list);
}

PROBE(wait_getnameinfo, PAUSE_MS, "getnameinfo()")
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    char host[64];

    hold_up();
    a.sin_addr = loopback;
    SHOW(getnameinfo((struct sockaddr *)&a, sizeof a, host, sizeof host, NULL,
                     0, 0));
}

PROBE(wait_gethostbyname, PAUSE_MS, "gethostbyname()")
{
    hold_up();
    SHOW(gethostbyname("localhost") != NULL);
}

PROBE(wait_gethostbyname2, PAUSE_MS, "gethostbyname2()")
{
    hold_up();
    SHOW(gethostbyname2("localhost", AF_INET) != NULL);
}

PROBE(wait_gethostbyaddr, PAUSE_MS, "gethostbyaddr()")
{
    hold_up();
    SHOW(gethostbyaddr(&loopback, sizeof loopback, AF_INET) != NULL);
}

PROBE(wait_gethostbyname_r, PAUSE_MS, "gethostbyname_r()")
{
    struct hostent host, *found = NULL;
    char room[1024];
    int err;

    hold_up();
    SHOW(gethostbyname_r("localhost", &host, room, sizeof room, &found, &err));
}

PROBE(wait_gethostbyname2_r, PAUSE_MS, "gethostbyname2_r()")
{
    struct hostent host, *found = NULL;
    char room[1024];
    int err;

    hold_up();
    SHOW(gethostbyname2_r("localhost", AF_INET, &host, room, sizeof room,
                          &found, &err));
}

PROBE(wait_gethostbyaddr_r, PAUSE_MS, "gethostbyaddr_r()")
{
    struct hostent host, *found = NULL;
    char room[1024];
    int err;

    hold_up();
    SHOW(gethostbyaddr_r(&loopback, sizeof loopback, AF_INET, &host, room,
                         sizeof room, &found, &err));
}
