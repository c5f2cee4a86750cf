/* name.c - probes: names to addresses, and back.
 *
 * Only what is answered without asking a server: numbers, /etc/hosts, errors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <arpa/inet.h>
#include <netdb.h>

static void say_list(const struct addrinfo *list)
{
    char host[64], service[16];

    for (; list != NULL; list = list->ai_next) {
        NEED(getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host,
                         service, sizeof service,
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0);
        say("family %d, type %d, protocol %d, length %u: %s port %s, name %s",
            list->ai_family, list->ai_socktype, list->ai_protocol,
            list->ai_addrlen, host, service,
            list->ai_canonname != NULL ? list->ai_canonname : "-");
    }
}

static void look_up(const char *name, const char *service, int flags,
                    int family, int type)
{
    struct addrinfo hints = { .ai_flags = flags,
                              .ai_family = family,
                              .ai_socktype = type };
    struct addrinfo *list = NULL;
    int r = getaddrinfo(name, service, &hints, &list);

    say("%s, %s: %d", name != NULL ? name : "-",
        service != NULL ? service : "-", r);
    if (r != 0)
        return;
    say_list(list);
    freeaddrinfo(list);
}

PROBE(getaddrinfo_localhost, 0, "getaddrinfo() of localhost: all, in order")
{
    struct addrinfo *list = NULL;

    SHOW(getaddrinfo("localhost", NULL, NULL, &list));
    say_list(list);
    freeaddrinfo(list);
    look_up("localhost", "80", 0, AF_INET, SOCK_STREAM);
    look_up("localhost", "80", 0, AF_INET6, SOCK_DGRAM);
}

PROBE(getaddrinfo_numbers, 0, "getaddrinfo() of numbers")
{
    look_up("127.0.0.1", "1", 0, AF_UNSPEC, SOCK_STREAM);
    look_up("::1", "65535", 0, AF_UNSPEC, SOCK_STREAM);
    look_up("127.1", "http", AI_NUMERICHOST, AF_INET, SOCK_STREAM);
    look_up("10.0.0.1", NULL, AI_CANONNAME, AF_INET, SOCK_RAW);
    look_up("127.0.0.1", "80", AI_V4MAPPED, AF_INET6, SOCK_STREAM);
}

PROBE(getaddrinfo_passive, 0, "getaddrinfo() of no name: to bind, to connect")
{
    look_up(NULL, "80", AI_PASSIVE, AF_UNSPEC, SOCK_STREAM);
    look_up(NULL, "80", 0, AF_UNSPEC, SOCK_STREAM);
}

PROBE(getaddrinfo_canonical, 0, "getaddrinfo() of the host's own name")
{
    char name[256] = "";
    struct addrinfo hints = { .ai_flags = AI_CANONNAME,
                              .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;

    NEED(gethostname(name, sizeof name - 1) == 0);
    SHOW(getaddrinfo(name, "echo", &hints, &list));
    say_list(list);
    if (list != NULL)
        freeaddrinfo(list);
}

PROBE(getaddrinfo_errors, 0, "getaddrinfo() with bad arguments")
{
    look_up("x.invalid", "80", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM);
    look_up("127.0.0.1", "no-such-service", 0, AF_UNSPEC, SOCK_STREAM);
    look_up("127.0.0.1", "x", AI_NUMERICSERV, AF_UNSPEC, SOCK_STREAM);
    look_up("::1", "80", 0, AF_INET, SOCK_STREAM);
    look_up(NULL, NULL, 0, AF_UNSPEC, SOCK_STREAM);
    look_up("127.0.0.1", "80", 1 << 30, AF_UNSPEC, SOCK_STREAM);
    look_up("127.0.0.1", "80", 0, 77, SOCK_STREAM);
    look_up("127.0.0.1", "80", 0, AF_INET, 77);
    look_up("a..b", "80", 0, AF_INET, SOCK_STREAM);
}

static void resolve_some(void *arg)
{
    for (int i = 0; i < 20; i++) {
        struct addrinfo hints = { .ai_family = AF_INET };
        struct addrinfo *list = NULL;

        NEED(getaddrinfo("localhost", "80", &hints, &list) == 0);
        NEED(list->ai_family == AF_INET);
        freeaddrinfo(list);
    }
    ++*(int *)arg;
}

PROBE(getaddrinfo_many, 0, "eight who look up at the same time")
{
    int done[8] = { 0 }, sum = 0;

    for (int i = 0; i < 8; i++)
        actor_start(resolve_some, &done[i]);
    actors_join();
    for (int i = 0; i < 8; i++)
        sum += done[i];
    SHOW(sum);
}

PROBE(getnameinfo_local, 0, "getnameinfo() of the loopback, and in numbers")
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(80),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr *name = (struct sockaddr *)&a;
    char host[64], service[32];

    SHOW(getnameinfo(name, sizeof a, host, sizeof host, service, sizeof service,
                     0));
    say("%s %s", host, service);
    SHOW(getnameinfo(name, sizeof a, host, sizeof host, service, sizeof service,
                     NI_NUMERICHOST | NI_NUMERICSERV));
    say("%s %s", host, service);
    SHOW(getnameinfo(name, sizeof a, host, 3, NULL, 0, NI_NUMERICHOST));
    SHOW(getnameinfo(name, 3, host, sizeof host, NULL, 0, 0));
    SHOW(getnameinfo(name, sizeof a, NULL, 0, NULL, 0, 0));
    a.sin_family = 77;
    SHOW(getnameinfo(name, sizeof a, host, sizeof host, NULL, 0, 0));
}

static void say_found(const struct hostent *h, int err)
{
    char text[64];

    if (h == NULL) {
        say("no host: %d", err);
        return;
    }
    say("%s, type %d, length %d", h->h_name, h->h_addrtype, h->h_length);
    for (char **alias = h->h_aliases; *alias != NULL; alias++)
        say("alias %s", *alias);
    for (char **a = h->h_addr_list; *a != NULL; a++)
        say("%s", inet_ntop(h->h_addrtype, *a, text, sizeof text));
}

static void say_host(const struct hostent *h) { say_found(h, h_errno); }

PROBE(gethostbyname_local, 0, "gethostbyname() and gethostbyname2()")
{
    say_host(gethostbyname("localhost"));
    say_host(gethostbyname("127.0.0.1"));
    say_host(gethostbyname2("localhost", AF_INET6));
    say_host(gethostbyname2("::1", AF_INET6));
    say_host(gethostbyname2("localhost", 77));
    say_host(gethostbyname("a..b"));
}

PROBE(gethostbyaddr_local, 0, "gethostbyaddr()")
{
    struct in_addr a = { htonl(INADDR_LOOPBACK) };

    say_host(gethostbyaddr(&a, sizeof a, AF_INET));
    say_host(
        gethostbyaddr(&in6addr_loopback, sizeof in6addr_loopback, AF_INET6));
    say_host(gethostbyaddr(&a, 3, AF_INET));
}

PROBE(gethostby_again, 0, "the forms that end in _r, and a buffer too small")
{
    struct in_addr a = { htonl(INADDR_LOOPBACK) };
    struct hostent host, *found = NULL;
    char room[1024];
    int err = 0;

    SHOW(gethostbyname_r("localhost", &host, room, sizeof room, &found, &err));
    say_found(found, err);
    SHOW(found == &host);
    SHOW(gethostbyname2_r("localhost", AF_INET6, &host, room, sizeof room,
                          &found, &err));
    say_found(found, err);
    SHOW(gethostbyaddr_r(&a, sizeof a, AF_INET, &host, room, sizeof room,
                         &found, &err));
    say_found(found, err);
    SHOW(gethostbyaddr_r(&a, 3, AF_INET, &host, room, sizeof room, &found,
                         &err));
    SHOW(err);
    SHOW(gethostbyname_r("localhost", &host, room, 4, &found, &err));
    SHOW(found == NULL);
    SHOW(err);
}

static char first_name[64];

static void other_name(void *arg)
{
    struct in_addr a = { htonl(INADDR_LOOPBACK) };
    const struct hostent *h = gethostbyaddr(&a, sizeof a, AF_INET);

    (void)arg;
    NEED(h != NULL);
    (void)snprintf(first_name, sizeof first_name, "%s", h->h_name);
}

PROBE(gethostby_own, 0, "each has an answer of his own")
{
    struct hostent *h = gethostbyname("127.0.0.1");

    NEED(h != NULL);
    actor_start(other_name, NULL);
    actors_join();
    say_host(h);
    say("the other: %s", first_name);
}
