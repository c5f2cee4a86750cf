/* prefork.c - processes that were forked before: each accepts a connection from
 * the same socket, serves it to its end, and accepts the next.
 *
 * So it serves as many at a time as there are processes (--threads); the others
 * wait in the listen queue.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/blocking.h"
#include "bench/servers/kit/loop.h"
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAP_US = 10000 };

static _Noreturn void work(const struct service *s, int listener, pid_t parent)
{
    int fd;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    for (;;) {
        fd = loop_accept(listener);
        if (fd >= 0)
            blocking_serve(s, fd);
        else
            (void)usleep(NAP_US);
    }
}

int main(int argc, char **argv)
{
    struct service s = { .name = "prefork", .threads = 64 };
    pid_t parent = getpid(), pid = 1;
    int listener;

    service_parse(&s, argc, argv);
    listener = service_listen(&s, 0);
    if (listener < 0)
        return service_failed(&s, s.addr);
    for (unsigned i = 0; i < s.threads && pid > 0; i++)
        pid = fork();
    if (pid == 0)
        work(&s, listener, parent);
    if (pid < 0 || service_ready(listener) < 0)
        return service_failed(&s, "fork");
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    return service_failed(&s, "a process ended");
}
