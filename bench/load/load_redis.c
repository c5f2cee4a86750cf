/* load_redis.c - see load_redis.h.
 *
 * redis-server neither picks a port nor says which one it has: so a free one is
 * looked for, and when somebody else was faster, another one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/load_redis.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_TRIES = 1000, PORTS = 5, NOT_INSTALLED = 127 };

/* ---- The server ------------------------------------------------------------
 */

/* 0, or -1. */
static int free_port(struct sockaddr_in *addr)
{
    socklen_t len = sizeof *addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

    memset(addr, 0, sizeof *addr);
    addr->sin_family = AF_INET;
    addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return -1;
    r = bind(fd, (struct sockaddr *)addr, len);
    if (r == 0)
        r = getsockname(fd, (struct sockaddr *)addr, &len);
    (void)close(fd);
    return r;
}

/* The server does what it is told by anybody. */
static int drop_rights(void)
{
    const struct passwd *user;

    if (getuid() != 0)
        return 0;
    user = getpwnam("redis");
    if (user == NULL)
        user = getpwnam("nobody");
    return user == NULL || setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 ||
                   setuid(user->pw_uid) < 0
               ? -1
               : 0;
}

/* In the new process; never returns.  A change of the user undoes the death
 * signal; the one asked for does not come when the parent is gone already. */
static void become_server(unsigned port, int core, pid_t parent)
{
    int null = open("/dev/null", O_RDWR);
    char text[8];

    (void)snprintf(text, sizeof text, "%u", port);
    if (child_pin_self(core) == 0 && drop_rights() == 0 &&
        prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
        dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0)
        (void)execlp("redis-server", "redis-server", "--port", text, "--bind",
                     "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
                     "/", (char *)NULL);
    _exit(errno == ENOENT ? NOT_INSTALLED : 1);
}

static bool answers(const struct sockaddr_in *addr)
{
    char answer[8] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 &&
               write(fd, "PING\r\n", 6) == 6 &&
               read(fd, answer, sizeof answer) > 0 &&
               strncmp(answer, "+PONG", 5) == 0;

    (void)close(fd);
    return yes;
}

/* 1: it runs, 0: it has ended, -1 with errno. */
static int wait_for_start(struct child *c)
{
    int status;

    for (int i = 0; i < START_TRIES; i++) {
        bool yes = answers(&c->addr);

        if (waitpid(c->pid, &status, WNOHANG) == c->pid) {
            c->pid = 0;
            errno = ENOENT;
            return WIFEXITED(status) && WEXITSTATUS(status) == NOT_INSTALLED
                       ? -1
                       : 0;
        }
        if (yes)
            return 1;
        (void)usleep(10000);
    }
    errno = ETIMEDOUT;
    return -1;
}

int redis_start(struct child *c, int core)
{
    pid_t parent = getpid();

    for (int i = 0; i < PORTS; i++) {
        int started, err;

        if (free_port(&c->addr) < 0)
            return -1;
        c->pid = fork();
        if (c->pid == 0)
            become_server(ntohs(c->addr.sin_port), core, parent);
        started = c->pid < 0 ? -1 : wait_for_start(c);
        if (started > 0)
            return 0;
        err = errno;
        (void)child_stop(c); /* its end says nothing new */
        errno = err;
        if (started < 0)
            return -1;
    }
    errno = EADDRINUSE;
    return -1;
}

/* ---- The load --------------------------------------------------------------
 */

/* In the new process; never returns. */
static void become_load(const struct redis_load *load, unsigned port,
                        pid_t parent, int out)
{
    char text[8], depth[16], commands[24];

    (void)snprintf(text, sizeof text, "%u", port);
    (void)snprintf(depth, sizeof depth, "%u", load->depth);
    (void)snprintf(commands, sizeof commands, "%ld", load->commands);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
        dup2(out, STDOUT_FILENO) >= 0)
        (void)execlp("redis-benchmark", "redis-benchmark", "-h", "127.0.0.1",
                     "-p", text, "-c", "1", "-P", depth, "-n", commands,
                     "--csv", load->verb, load->key, (char *)NULL);
    perror("redis-benchmark");
    _exit(127);
}

static int64_t ns_of(struct timeval t)
{
    return t.tv_sec * INT64_C(1000000000) + t.tv_usec * INT64_C(1000);
}

/* Behind the titles comes "GET key","1234.56",... */
static int understand(const char *text, struct redis_result *result)
{
    const char *line = strchr(text, '\n');

    if (line != NULL && sscanf(line, " \"%*[^\"]\",\"%lf\"", &result->qps) == 1)
        return 0;
    fprintf(stderr, "redis-benchmark said: %s\n", text);
    errno = EPROTO;
    return -1;
}

int redis_load_run(const struct redis_load *load, const struct child *server,
                   struct redis_result *result)
{
    pid_t parent = getpid(), pid;
    char text[4096] = "";
    struct rusage usage;
    int fds[2], status = 0;
    size_t len = 0;
    ssize_t n;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        become_load(load, ntohs(server->addr.sin_port), parent, fds[1]);
    (void)close(fds[1]);
    while (pid > 0 && len < sizeof text - 1 &&
           (n = read(fds[0], text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    (void)close(fds[0]);
    if (pid < 0)
        return -1;
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    result->cpu = ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
    if (status == 0)
        return understand(text, result);
    errno = EPROTO;
    return -1;
}
