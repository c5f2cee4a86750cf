/* addr.c - see addr.h.
 *
 * The port stands behind the last colon.  An IPv6 address is in brackets, so
 * that its colons and the port's cannot be confused.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/addr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int invalid(void)
{
    errno = EINVAL;
    return -1;
}

/* Digits alone, since strtol() would also take signs and blanks. */
static int parse_port(const char *text, uint16_t *port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned value = 0;

    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return invalid();
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    if (value > UINT16_MAX)
        return invalid();
    *port = (uint16_t)value;
    return 0;
}

/* A path; behind '@' a name in the kernel's abstract space, where a zero byte
 * takes the '@' place and the length says where the name ends. */
static int parse_unix(const char *path, struct addr *a)
{
    size_t len = strlen(path);
    bool abstract = path[0] == '@';

    if (len == 0 || len >= sizeof a->as.un.sun_path)
        return invalid();
    memset(a, 0, sizeof *a);
    a->as.un.sun_family = AF_UNIX;
    memcpy(a->as.un.sun_path, path, len);
    if (abstract)
        a->as.un.sun_path[0] = '\0';
    a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
                         (abstract ? 0 : 1));
    return ADDR_DONE;
}

static int parse_v6(const char *host, uint16_t port, struct addr *a,
                    struct addr_name *name)
{
    memset(a, 0, sizeof *a);
    a->as.v6.sin6_family = AF_INET6;
    a->as.v6.sin6_port = htons(port);
    a->len = sizeof a->as.v6;
    if (strchr(host, '%') != NULL && strspn(host, "%") == 0) {
        (void)snprintf(name->host, sizeof name->host, "%s", host);
        name->port = port;
        return ADDR_NAME; /* only the kernel knows its interfaces */
    }
    return inet_pton(AF_INET6, host, &a->as.v6.sin6_addr) == 1 ? ADDR_DONE
                                                               : invalid();
}

static int parse_v4_or_name(const char *host, uint16_t port, struct addr *a,
                            struct addr_name *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-._";

    memset(a, 0, sizeof *a);
    a->as.v4.sin_family = AF_INET;
    a->as.v4.sin_port = htons(port);
    a->len = sizeof a->as.v4;
    if (inet_pton(AF_INET, host, &a->as.v4.sin_addr) == 1)
        return ADDR_DONE;
    /* getaddrinfo() would take 1.2 for 1.0.0.2. */
    if (host[strspn(host, "0123456789.")] == '\0' ||
        host[strspn(host, letters)] != '\0')
        return invalid();
    (void)snprintf(name->host, sizeof name->host, "%s", host);
    name->port = port;
    return ADDR_NAME;
}

int addr_parse(const char *text, struct addr *a, struct addr_name *name)
{
    const char *colon;
    char host[ADDR_NAME_MAX];
    size_t len;
    uint16_t port = 0;

    if (text == NULL)
        return invalid();
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, a);
    colon = strrchr(text, ':');
    if (colon == NULL || parse_port(colon + 1, &port) < 0)
        return invalid();
    len = (size_t)(colon - text);
    if (len == 0) {
        (void)parse_v6("::", port, a, name);
        return ADDR_ALL;
    }
    if (len >= sizeof host)
        return invalid();
    memcpy(host, text, len);
    host[len] = '\0';
    if (host[0] != '[')
        return parse_v4_or_name(host, port, a, name);
    if (len < 3 || host[len - 1] != ']')
        return invalid();
    host[len - 1] = '\0';
    return parse_v6(host + 1, port, a, name);
}

static void format_v6(const struct sockaddr_in6 *v6, char *buf, size_t len)
{
    char host[INET6_ADDRSTRLEN] = "?";
    char scope[16] = "";
    unsigned port = ntohs(v6->sin6_port);

    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        (void)inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof host);
        (void)snprintf(buf, len, "%s:%u", host, port);
        return;
    }
    (void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
    if (v6->sin6_scope_id != 0)
        (void)snprintf(scope, sizeof scope, "%%%u", v6->sin6_scope_id);
    (void)snprintf(buf, len, "[%s%s]:%u", host, scope, port);
}

static void format_unix(const struct addr *a, char *buf, size_t len)
{
    const struct sockaddr_un *un = &a->as.un;
    int bytes = (int)a->len - (int)offsetof(struct sockaddr_un, sun_path);

    if (bytes > 0 && un->sun_path[0] == '\0')
        (void)snprintf(buf, len, "unix:@%.*s", bytes - 1, un->sun_path + 1);
    else /* a client that did not bind has no path */
        (void)snprintf(buf, len, "unix:%.*s", bytes > 0 ? bytes : 0,
                       un->sun_path);
}

void addr_format(const struct addr *a, char *buf, size_t len)
{
    char host[INET_ADDRSTRLEN] = "?";

    if (len == 0)
        return;
    buf[0] = '\0';
    switch (a->len == 0 ? AF_UNSPEC : a->as.any.sa_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &a->as.v4.sin_addr, host, sizeof host);
        (void)snprintf(buf, len, "%s:%u", host, ntohs(a->as.v4.sin_port));
        break;
    case AF_INET6:
        format_v6(&a->as.v6, buf, len);
        break;
    case AF_UNIX:
        format_unix(a, buf, len);
        break;
    default:
        break;
    }
}

void addr_set_port(struct addr *a, uint16_t port)
{
    if (a->as.any.sa_family == AF_INET)
        a->as.v4.sin_port = htons(port);
    else if (a->as.any.sa_family == AF_INET6)
        a->as.v6.sin6_port = htons(port);
}

uint16_t addr_port(const struct addr *a)
{
    if (a->as.any.sa_family == AF_INET)
        return ntohs(a->as.v4.sin_port);
    if (a->as.any.sa_family == AF_INET6)
        return ntohs(a->as.v6.sin6_port);
    return 0;
}
