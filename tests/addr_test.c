/* addr_test.c - addresses as text, there and back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/addr.h"
#include "tests/test.h"
#include <arpa/inet.h>

static void same(const char *text)
{
    struct addr a;
    struct addr_name name;
    char buf[128];

    CHECK_EQ(addr_parse(text, &a, &name), ADDR_DONE);
    addr_format(&a, buf, sizeof buf);
    if (strcmp(buf, text) != 0)
        fprintf(stderr, "%s became %s\n", text, buf);
    CHECK(strcmp(buf, text) == 0);
}

static void round_trips(void)
{
    same("127.0.0.1:80");
    same("0.0.0.0:0");
    same("255.255.255.255:65535");
    same("[::1]:80");
    same("[::]:0");
    same("[2001:db8::7]:443");
    same("unix:/run/app.sock");
    same("unix:relative");
    same("unix:@abstract");
}

static void what_the_kernel_gets(void)
{
    struct addr a;
    struct addr_name name;

    CHECK_EQ(addr_parse("1.2.3.4:5", &a, &name), ADDR_DONE);
    CHECK_EQ(a.len, sizeof(struct sockaddr_in));
    CHECK_EQ(a.as.v4.sin_family, AF_INET);
    CHECK_EQ(ntohl(a.as.v4.sin_addr.s_addr), 0x01020304);
    CHECK_EQ(ntohs(a.as.v4.sin_port), 5);
    CHECK_EQ(addr_port(&a), 5);
    addr_set_port(&a, 700);
    CHECK_EQ(ntohs(a.as.v4.sin_port), 700);

    CHECK_EQ(addr_parse("[::1]:8", &a, &name), ADDR_DONE);
    CHECK_EQ(a.len, sizeof(struct sockaddr_in6));
    CHECK(IN6_IS_ADDR_LOOPBACK(&a.as.v6.sin6_addr));
    addr_set_port(&a, 9);
    CHECK_EQ(addr_port(&a), 9);

    CHECK_EQ(addr_parse("unix:/a", &a, &name), ADDR_DONE);
    CHECK_EQ(a.as.un.sun_family, AF_UNIX);
    CHECK(strcmp(a.as.un.sun_path, "/a") == 0);
    CHECK_EQ(addr_port(&a), 0);
    addr_set_port(&a, 9);
    CHECK(strcmp(a.as.un.sun_path, "/a") == 0);

    CHECK_EQ(addr_parse("unix:@ab", &a, &name), ADDR_DONE);
    CHECK_EQ(a.len, offsetof(struct sockaddr_un, sun_path) + 3);
    CHECK(memcmp(a.as.un.sun_path, "\0ab", 3) == 0);
}

static void names_and_all(void)
{
    struct addr a;
    struct addr_name name;
    char text[400], path[200];

    CHECK_EQ(addr_parse("example.org:80", &a, &name), ADDR_NAME);
    CHECK(strcmp(name.host, "example.org") == 0);
    CHECK_EQ(name.port, 80);
    CHECK_EQ(addr_parse("my_host-1:0", &a, &name), ADDR_NAME);
    CHECK_EQ(addr_parse("[fe80::1%lo]:80", &a, &name), ADDR_NAME);
    CHECK(strcmp(name.host, "fe80::1%lo") == 0);

    CHECK_EQ(addr_parse(":8080", &a, &name), ADDR_ALL);
    CHECK_EQ(addr_port(&a), 8080);
    CHECK_EQ(a.as.any.sa_family, AF_INET6);

    memset(text, 'a', sizeof text);
    strcpy(text + 253, ":1");
    CHECK_EQ(addr_parse(text, &a, &name), ADDR_NAME);
    text[253] = 'a';
    strcpy(text + 254, ":1");
    CHECK_EQ(addr_parse(text, &a, &name), -1);

    memset(path, 'p', sizeof path);
    memcpy(path, "unix:", 5);
    path[5 + 107] = '\0';
    CHECK_EQ(addr_parse(path, &a, &name), ADDR_DONE);
    path[5 + 107] = 'p';
    path[5 + 108] = '\0';
    CHECK_EQ(addr_parse(path, &a, &name), -1);
}

static void bad_ones(void)
{
    static const char *const bad[] = {
        "",
        ":",
        "80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:80x",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.0.0.1:65536",
        "127.0.0.1:100000",
        "127.0.0.1:0x50",
        "256.0.0.1:80",
        "1.2.3:80",
        "1.2.3.4.5:80",
        "1:80",
        "::1:80",
        "::1",
        "[::1]",
        "[::1]80",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "[]",
        "[::g]:80",
        "[1.2.3.4]:80",
        "[::1]]:80",
        "[[::1]:80",
        "[%lo]:80",
        "a b:80",
        "a/b:80",
        "http://a:80",
        "unix:",
        "host:http",
        "a:80:80",
    };
    struct addr a;
    struct addr_name name;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 0;
        if (addr_parse(bad[i], &a, &name) != -1)
            fprintf(stderr, "taken: %s\n", bad[i]);
        CHECK_EQ(addr_parse(bad[i], &a, &name), -1);
        CHECK_EQ(errno, EINVAL);
    }
    CHECK_EQ(addr_parse(NULL, &a, &name), -1);
    CHECK_EQ(errno, EINVAL);
}

static void formats_of_odd_ones(void)
{
    struct addr a = { .len = 0 };
    char buf[64] = "x";

    addr_format(&a, buf, sizeof buf);
    CHECK(strcmp(buf, "") == 0);

    a.len = sizeof a.as.v6; /* IPv4 over a socket of both */
    a.as.v6.sin6_family = AF_INET6;
    a.as.v6.sin6_port = htons(7);
    CHECK_EQ(inet_pton(AF_INET6, "::ffff:10.0.0.1", &a.as.v6.sin6_addr), 1);
    addr_format(&a, buf, sizeof buf);
    CHECK(strcmp(buf, "10.0.0.1:7") == 0);

    CHECK_EQ(inet_pton(AF_INET6, "fe80::1", &a.as.v6.sin6_addr), 1);
    a.as.v6.sin6_scope_id = 3;
    addr_format(&a, buf, sizeof buf);
    CHECK(strcmp(buf, "[fe80::1%3]:7") == 0);

    memset(&a, 0, sizeof a); /* a unix client that did not bind */
    a.len = sizeof(sa_family_t);
    a.as.un.sun_family = AF_UNIX;
    addr_format(&a, buf, sizeof buf);
    CHECK(strcmp(buf, "unix:") == 0);

    buf[0] = 'x'; /* no room */
    addr_format(&a, buf, 0);
    CHECK_EQ(buf[0], 'x');
    addr_format(&a, buf, 3);
    CHECK(strcmp(buf, "un") == 0);
}

int main(void)
{
    RUN(round_trips);
    RUN(what_the_kernel_gets);
    RUN(names_and_all);
    RUN(bad_ones);
    RUN(formats_of_odd_ones);
    return 0;
}
