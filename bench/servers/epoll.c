/* epoll.c - the bare event loop: no abstraction between the handler and epoll,
 * so what it costs is the limit for everybody who uses epoll.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/loop.h"
#include <sys/socket.h>

int main(int argc, char **argv)
{
    struct service s = { .name = "epoll" };
    int fd;

    service_parse(&s, argc, argv);
    service_never_blocks(&s);
    fd = service_listen(&s, SOCK_NONBLOCK);
    if (fd < 0 || service_ready(fd) < 0)
        return service_failed(&s, s.addr);
    if (loop_run(&s, fd, loop_accept) < 0)
        return service_failed(&s, "epoll");
    return 0;
}
