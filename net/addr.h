/* addr.h - addresses as text and as the kernel has them.
 *
 * Private to net/.  No I/O: a name that must be looked up is handed back as
 * such, see resolve.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    } as;
};

enum {
    ADDR_NAME_MAX = 254 /* a host name, with its zero */
};

struct addr_name { /* what has to be looked up */
    char host[ADDR_NAME_MAX];
    uint16_t port;
};

enum { ADDR_DONE, ADDR_NAME, ADDR_ALL };

/* Takes text apart:
 *   ADDR_DONE  *a is the address: "1.2.3.4:80", "[::1]:80", "unix:/path",
 *              "unix:@abstract"
 *   ADDR_NAME  *name is to be looked up: "host:80", "[fe80::1%eth0]:80"
 *   ADDR_ALL   ":80", all addresses of this machine; *a is "[::]:80"
 *   -1 EINVAL  it is none of these. */
int addr_parse(const char *text, struct addr *a, struct addr_name *name);

/* The text of a, as addr_parse() takes it; cut off to fit len bytes.  An IPv4
 * address inside an IPv6 one is written as what it is. */
void addr_format(const struct addr *a, char *buf, size_t len);

void addr_set_port(struct addr *a, uint16_t port);

/* 0 for a unix socket. */
uint16_t addr_port(const struct addr *a);

#endif
