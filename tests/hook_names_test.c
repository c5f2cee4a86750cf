/* hook_names_test.c - looking up names in coroutines: the results are libc's,
 * and a name server that never answers holds nobody up.
 *
 * Runs in a network of its own, whose name server hears and says nothing; skips
 * where that is not permitted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/clients.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { TEXT = 1000 };

/* ---- The network ----------------------------------------------------------
 */

static int bring_up_loopback(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = ioctl(fd, SIOCSIFFLAGS, &lo);

    CHECK_EQ(close(fd), 0);
    return r;
}

/* Puts text in the place of a file, for this process alone. */
static int cover(const char *path, const char *with)
{
    int r = mount(with, path, "none", MS_BIND, NULL);

    CHECK_EQ(unlink(with), 0);
    return r;
}

static void make_file(char *name, const char *text)
{
    int fd;

    strcpy(name, "/tmp/corten-names-XXXXXX");
    fd = mkstemp(name);
    CHECK(fd >= 0);
    CHECK_EQ(fchmod(fd, 0644), 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(close(fd), 0);
}

/* libc alone would give up after 3 seconds. */
static bool make_network(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_port = htons(53),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char conf[40], order[40], hosts[40];
    int fd, r, flags = CLONE_NEWNS | CLONE_NEWNET;

    make_file(conf, "nameserver 127.0.0.1\noptions timeout:3 attempts:1\n");
    make_file(order, "hosts: files dns\n");
    make_file(hosts, "127.0.0.1 localhost\n10.0.0.3 many also\n"
                     "10.0.0.1 many\n10.0.0.2 many\nfd00::1 many\n");
    r = unshare(geteuid() == 0 ? flags : flags | CLONE_NEWUSER);
    if (r == 0)
        r = mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
    /* All of them, so that all files are removed. */
    if ((cover("/etc/resolv.conf", conf) | cover("/etc/nsswitch.conf", order) |
         cover("/etc/hosts", hosts)) < 0 ||
        r < 0 || bring_up_loopback() < 0)
        return false;
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return true;
}

/* ---- What libc says -------------------------------------------------------
 */

static void add(char *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(char *text, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text + len, TEXT - len, format, args);
    va_end(args);
}

static void add_addrinfo(char *text, const char *name, const char *service,
                         int flags)
{
    struct addrinfo hints = { .ai_flags = flags }, *list = NULL;
    char host[100], port[100];
    int r = getaddrinfo(name, service, &hints, &list);

    add(text, "%s %s %d: %d", name, service, flags, r);
    for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        r = getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host, port,
                        sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
        CHECK_EQ(r, 0);
        add(text, " %d %s %s %s", a->ai_socktype, host, port,
            a->ai_canonname != NULL ? a->ai_canonname : "");
    }
    add(text, "\n");
    if (list != NULL)
        freeaddrinfo(list);
}

static void add_host(char *text, const struct hostent *h)
{
    char addr[INET6_ADDRSTRLEN];

    if (h == NULL) {
        add(text, "none %d\n", h_errno);
        return;
    }
    add(text, "%s %d", h->h_name, h->h_addrtype);
    for (char **p = h->h_aliases; *p != NULL; p++)
        add(text, " %s", *p);
    for (char **p = h->h_addr_list; *p != NULL; p++)
        add(text, " %s", inet_ntop(h->h_addrtype, *p, addr, sizeof addr));
    add(text, "\n");
}

static void ask_all(void *arg)
{
    char *text = arg, host[100];
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(0x0a000003) };
    struct hostent *found;
    struct hostent h;
    char buf[500];
    int err, r;

    *text = '\0';
    add_addrinfo(text, "many", "80", 0);
    add_addrinfo(text, "many", "80", AI_CANONNAME);
    add_addrinfo(text, "192.0.2.1", "http", 0);
    add_addrinfo(text, "nobody", "80", AI_NUMERICHOST);
    add_addrinfo(text, NULL, "80", AI_PASSIVE);
    add_addrinfo(text, "many", "no-such-service", 0);
    add_host(text, gethostbyname("many"));
    add_host(text, gethostbyname2("many", AF_INET6));
    add_host(text, gethostbyaddr(&addr.sin_addr, 4, AF_INET));
    r = gethostbyname_r("also", &h, buf, sizeof buf, &found, &err);
    CHECK_EQ(r, 0);
    add_host(text, found);
    r = gethostbyname_r("also", &h, buf, 8, &found, &err);
    add(text, "%d\n", r);
    r = getnameinfo((struct sockaddr *)&addr, sizeof addr, host, sizeof host,
                    NULL, 0, 0);
    add(text, "%d %s\n", r, host);
}

static char on_thread[TEXT];

static void answers_are_the_same(void)
{
    char in_coroutine[TEXT];

    if (!in_coroutines) {
        ask_all(on_thread);
        CHECK(strstr(on_thread, "10.0.0.3 80") != NULL);
    } else {
        ask_all(in_coroutine);
        if (strcmp(on_thread, in_coroutine) != 0)
            fprintf(stderr, "%s---\n%s", on_thread, in_coroutine);
        CHECK_EQ(strcmp(on_thread, in_coroutine), 0);
    }
}

/* ---- The limit of a coroutine ---------------------------------------------
 */

static void info_fails(void *arg)
{
    struct addrinfo *list = NULL;
    int r = getaddrinfo("example.com", "80", NULL, &list);

    (void)arg;
    if (co_cancelled()) {
        CHECK_EQ(errno, ECANCELED);
        CHECK_EQ(r, EAI_SYSTEM);
    } else {
        CHECK_EQ(r, EAI_AGAIN);
    }
}

static void host_fails(void *arg)
{
    struct hostent h, *found = &h;
    char buf[500];
    int err;
    int r = gethostbyname_r("example.com", &h, buf, sizeof buf, &found, &err);

    (void)arg;
    CHECK_EQ(r, co_cancelled() ? ECANCELED : ETIMEDOUT);
    CHECK(found == NULL);
}

static void name_fails(void *arg)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(0xc0000201) };
    char host[100];

    (void)arg;
    CHECK_EQ(getnameinfo((struct sockaddr *)&addr, sizeof addr, host,
                         sizeof host, NULL, 0, NI_NAMEREQD),
             co_cancelled() ? EAI_SYSTEM : EAI_AGAIN);
}

/* The bound is below libc's own, and so tight that a busy machine is given
 * three tries. */
static void ends(void *arg)
{
    co_fn *const fns[] = { info_fails, host_fails, name_fails };
    int i = *(int *)arg, tries = 1;

    while (time_to_end(fns[i / 2 % 3], NULL, i % 2 != 0, 200 * CO_MSEC) >=
           2 * CO_SECOND)
        CHECK(++tries <= 3);
}

/* More than there are threads that ask. */
static void limit_and_cancel(void)
{
    int numbers[48];

    for (int i = 0; i < 48; i++)
        numbers[i] = i;
    at_once(ends, numbers, sizeof *numbers, 48);
}

static void tests(void)
{
    RUN(answers_are_the_same);
    if (in_coroutines)
        RUN(limit_and_cancel);
}

int main(void)
{
    if (!make_network()) {
        printf("skipped: no network of our own: %s\n", strerror(errno));
        return 77;
    }
    CHECK_EQ(setenv("SERVERS", "none", 1), 0);
    return run_clients(tests);
}
