/* mysql_settings.c - from a URL and fields to what the library is told.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/mysql_conn.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int wrong(const char *what, const char *where)
{
    mysql_tell("mysql url: %s, at \"%.40s\"", what, where);
    errno = EINVAL;
    return -1;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX to bytes, in place.  A secret is not repeated where it is wrong. */
static int decode(char *s, bool secret)
{
    char *to = s;

    for (; *s != '\0'; s++) {
        int high, low;

        if (*s != '%') {
            *to++ = *s;
            continue;
        }
        high = hex(s[1]);
        low = high < 0 ? -1 : hex(s[2]);
        if (low < 0 || (high == 0 && low == 0))
            return wrong("no byte in hexadecimal behind %",
                         secret ? "user:password" : s);
        *to++ = (char)(high << 4 | low);
        s += 2;
    }
    *to = '\0';
    return 0;
}

/* Cuts s at the first c; what is behind it, or NULL. */
static char *cut(char *s, char c)
{
    char *at = strchr(s, c);

    if (at != NULL)
        *at++ = '\0';
    return at;
}

/* What is no number may be the end of a password with a / in it. */
static int take_port(struct mysql_settings *s, const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || port < 1 || port > 65535)
        return wrong("no port from 1 to 65535",
                     *text >= '0' && *text <= '9' && *end == '\0' ? text : "");
    s->port = (unsigned)port;
    return 0;
}

/* host, host:port, [IPv6], [IPv6]:port. */
static int take_host(struct mysql_settings *s, char *host)
{
    char *port;

    if (*host == '[') {
        char *end = cut(++host, ']');

        if (end == NULL || (*end != '\0' && *end != ':'))
            return wrong("no ] behind an IPv6 address", host);
        port = *end == ':' ? end + 1 : NULL;
    } else {
        port = cut(host, ':');
    }
    if (port != NULL && take_port(s, port) < 0)
        return -1;
    if (*host != '\0')
        s->host = host;
    return decode(host, false);
}

static int tls_of(const char *word)
{
    static const char *const words[] = { "default", "off", "required",
                                         "verify" };

    for (int i = 0; i < 4; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return wrong("tls is none of off, required, verify", word);
}

static int take_option(struct mysql_settings *s, char *option)
{
    char *value = cut(option, '=');

    if (value == NULL)
        return wrong("an option without =", option);
    if (decode(value, false) < 0)
        return -1;
    if (strcmp(option, "socket") == 0)
        s->socket = value;
    else if (strcmp(option, "tls-ca") == 0)
        s->tls_ca = value;
    else if (strcmp(option, "tls") == 0)
        return (s->tls = tls_of(value)) < 0 ? -1 : 0;
    else
        return wrong("an option that is none of socket, tls, tls-ca", option);
    return 0;
}

/* Cuts url up. */
static int take_url(struct mysql_settings *s, char *url)
{
    static const char scheme[] = "mysql://";
    char *options, *path, *host, *password, *next;

    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
        return wrong("it does not begin with mysql://",
                     strchr(url, '@') == NULL ? url : "user:password");
    host = url + sizeof scheme - 1;
    options = cut(host, '?');
    path = cut(host, '/');
    next = strrchr(host, '@');
    if (next != NULL) {
        *next = '\0';
        password = cut(host, ':');
        s->user = *host == '\0' ? NULL : host;
        s->password = password;
        if (decode(host, true) < 0 ||
            (password != NULL && decode(password, true) < 0))
            return -1;
        host = next + 1;
    }
    if (take_host(s, host) < 0)
        return -1;
    if (path != NULL && *path != '\0') {
        if (decode(path, false) < 0)
            return -1;
        s->database = path;
    }
    for (; options != NULL && *options != '\0'; options = next) {
        next = cut(options, '&');
        if (take_option(s, options) < 0)
            return -1;
    }
    return 0;
}

static bool is_address(const char *host)
{
    char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 ||
           inet_pton(AF_INET6, host, bytes) == 1;
}

/* What reaches no further than this machine; not 127.0.0.1.example.net. */
static bool is_local(const struct mysql_settings *s)
{
    return s->host == NULL || strcasecmp(s->host, "localhost") == 0 ||
           strcmp(s->host, "::1") == 0 ||
           (strncmp(s->host, "127.", 4) == 0 && is_address(s->host));
}

static int complete(struct mysql_settings *s)
{
    if (s->port > 65535 || s->tls < NET_TLS_DEFAULT ||
        s->tls > NET_TLS_VERIFY) {
        mysql_tell("mysql config: port %u or tls %d is out of range", s->port,
                   s->tls);
        errno = EINVAL;
        return -1;
    }
    /* To the library "localhost" is the socket, whatever the port. */
    if (s->port != 0 && s->socket == NULL &&
        (s->host == NULL || strcasecmp(s->host, "localhost") == 0))
        s->host = "127.0.0.1";
    if (s->tls == NET_TLS_DEFAULT)
        s->tls = is_local(s) ? NET_TLS_OFF : NET_TLS_VERIFY;
    s->by_name = s->host != NULL && s->socket == NULL &&
                 strcasecmp(s->host, "localhost") != 0 && !is_address(s->host);
    return 0;
}

/* A copy of each string: free() takes them one by one. */
static int keep(struct mysql_settings *s)
{
    const char **all[] = { &s->host,     &s->socket,   &s->user,
                           &s->password, &s->database, &s->tls_ca };
    bool ok = true;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (*all[i] == NULL)
            continue;
        *all[i] = ok ? strdup(*all[i]) : NULL;
        ok = ok && *all[i] != NULL;
    }
    if (ok)
        return 0;
    mysql_settings_free(s);
    errno = ENOMEM;
    return -1;
}

int mysql_settings_make(struct mysql_settings *s,
                        const struct net_mysql_config *config)
{
    char *url = NULL;
    int r = 0;

    *s = (struct mysql_settings){ .port = 0 };
    if (config->url != NULL) {
        url = strdup(config->url);
        if (url == NULL)
            return -1;
        r = take_url(s, url);
    }
#define WINS(field)                                                            \
    if (config->field)                                                         \
    s->field = config->field
    WINS(host);
    WINS(socket);
    WINS(user);
    WINS(password);
    WINS(database);
    WINS(tls_ca);
    WINS(port);
    WINS(tls);
#undef WINS
    if (r == 0 && config->stop_timeout < 0) {
        mysql_tell("mysql config: stop_timeout is negative");
        errno = EINVAL;
        r = -1;
    }
    if (r == 0)
        r = complete(s);
    if (r == 0)
        r = keep(s);
    free(url);
    return r;
}

void mysql_settings_free(struct mysql_settings *s)
{
    free((void *)s->host);
    free((void *)s->socket);
    free((void *)s->user);
    free((void *)s->password);
    free((void *)s->database);
    free((void *)s->tls_ca);
}
