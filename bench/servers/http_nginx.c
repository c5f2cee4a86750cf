/* http_nginx.c - starts nginx as a server that is measured: becomes it, with
 * http_nginx.conf, on the port that was asked for.
 *
 * nginx listens on the port that its configuration names, so that is picked
 * here, and kept: a socket that is bound to it, and never listens, lets another
 * share the port and gets no connection.  A child says when nginx listens.
 * The configuration with the address in it, and what nginx writes, is in
 * http_nginx.d, beside this program.
 *
 *     http_nginx http 127.0.0.1:8080
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/listen.h"
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { START_MS = 10000 };

static const char placeholder[] = "127.0.0.1:8080";
static const char program[] = "/usr/sbin/nginx"; /* as Debian has it */

/* Copies the configuration from path to copy, with the address. */
static int configure(const char *path, const char *copy,
                     const struct sockaddr_in *addr)
{
    char text[8192];
    FILE *in = fopen(path, "re"), *out = fopen(copy, "we");
    size_t n = in == NULL ? 0 : fread(text, 1, sizeof text - 1, in);
    char *at, host[INET_ADDRSTRLEN];
    int result = -1;

    text[n] = '\0';
    at = strstr(text, placeholder);
    if (out != NULL && at != NULL) {
        (void)inet_ntop(AF_INET, &addr->sin_addr, host, sizeof host);
        result = fprintf(out, "%.*s%s:%u%s", (int)(at - text), text, host,
                         ntohs(addr->sin_port), at + sizeof placeholder - 1);
    }
    if (out != NULL && fclose(out) == EOF)
        result = -1;
    if (in != NULL)
        (void)fclose(in); /* was only read */
    return result < 0 ? -1 : 0;
}

/* Where this program is, without the slash, and then name. */
static int beside(char *path, size_t size, const char *name)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);
    char *slash;

    if (n < 0)
        return -1;
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) + strlen(name) + 2 > size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(slash + 1, name);
    return 0;
}

/* A socket bound to the address in text; *addr becomes which that is. */
static int reserve(const char *text, struct sockaddr_in *addr)
{
    static const int on = 1;
    socklen_t len = sizeof *addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || listen_parse(text, addr) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)addr, len) < 0)
        return -1;
    return getsockname(fd, (struct sockaddr *)addr, &len);
}

/* Says where, once somebody listens there; false when nobody does. */
static bool announce(const struct sockaddr_in *addr)
{
    static const struct timespec pause = { .tv_nsec = 1000000 };

    for (int i = 0; i < START_MS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 &&
            connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0)
            return listen_say(addr) == 0;
        (void)close(fd);
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

int main(int argc, char **argv)
{
    char source[PATH_MAX], folder[PATH_MAX - 64], conf[PATH_MAX];
    struct sockaddr_in addr;

    if (reserve(argc > 2 ? argv[2] : placeholder, &addr) == 0 &&
        beside(source, sizeof source, "http_nginx.conf") == 0 &&
        beside(folder, sizeof folder, "http_nginx.d") == 0) {
        pid_t child;

        (void)snprintf(conf, sizeof conf, "%s/nginx.conf", folder);
        if ((mkdir(folder, 0755) == 0 || errno == EEXIST) &&
            configure(source, conf, &addr) == 0 && (child = fork()) >= 0) {
            if (child == 0)
                _exit(announce(&addr) ? 0 : 1);
            (void)execl(program, "nginx", "-p", folder, "-c", conf, "-e",
                        "stderr", (char *)NULL);
        }
    }
    perror("http_nginx");
    return 1;
}
