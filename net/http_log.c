/* http_log.c - a line for each request.
 *
 * Clients choose what stands in it, so nothing of theirs is written as it is:
 * quotes, backslashes, controls and bytes that are not ASCII are escaped in the
 * way of the form, and a reader of the log can tell where a field ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "net/http_server.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { VALUE_MAX = 2048 }; /* bytes of a client's string, escaped */

struct text { /* has room for all that the forms write */
    char *at;
};

static void put(struct text *t, const char *s, size_t len)
{
    memcpy(t->at, s, len);
    t->at += len;
}

static void puts_text(struct text *t, const char *s) { put(t, s, strlen(s)); }

static void put_number(struct text *t, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);

    put(t, digits, (size_t)len);
}

/* JSON has no \x; what is no ASCII is taken for Latin-1 there, so that the line
 * is valid whatever came. */
static void put_escaped(struct text *t, const char *s, bool json)
{
    char *end = t->at + VALUE_MAX;

    for (; *s != '\0' && t->at <= end; s++) {
        unsigned char c = (unsigned char)*s;
        char code[8];
        int n;

        if (c == '"' || c == '\\')
            n = snprintf(code, sizeof code, "\\%c", c);
        else if (c < ' ' || c >= 0x7f)
            n = snprintf(code, sizeof code, json ? "\\u%04x" : "\\x%02x", c);
        else
            n = snprintf(code, sizeof code, "%c", c);
        put(t, code, (size_t)n);
    }
}

/* Without the port, and the brackets of IPv6.  The name of a unix client, if it
 * has one, is of its own choice and says nothing. */
static void peer_host(struct http_work *w, char *host)
{
    char *colon;
    size_t len;

    net_peer(w->conn, host, NET_ADDR_MAX);
    if (*host == '\0' || strncmp(host, "unix:", 5) == 0) {
        (void)strcpy(host, "-");
        return;
    }
    colon = strrchr(host, ':');
    if (colon != NULL)
        *colon = '\0';
    len = strlen(host);
    if (*host == '[' && host[len - 1] == ']') {
        memmove(host, host + 1, len - 2);
        host[len - 2] = '\0';
    }
}

/* As in its first line. */
static void put_request(struct http_work *w, struct text *t, const char *target)
{
    put_escaped(t, w->req.method, false);
    puts_text(t, " ");
    put_escaped(t, target, false);
}

static void common(struct http_work *w, struct text *t)
{
    char host[NET_ADDR_MAX], date[DATE_LOG];

    peer_host(w, host);
    http_date_common(date);
    put_escaped(t, host, false);
    puts_text(t, " - - [");
    puts_text(t, date);
    puts_text(t, "] \"");
    if (w->req.method[0] == '\0') {
        puts_text(t, "-");
    } else {
        put_request(w, t, w->target);
        puts_text(t, w->head.minor == 0 ? " HTTP/1.0" : " HTTP/1.1");
    }
    puts_text(t, "\" ");
    put_number(t, w->res.status);
    puts_text(t, " ");
    put_number(t, w->res.sent);
}

static void member(struct text *t, const char *name, const char *value)
{
    puts_text(t, "\",\"");
    puts_text(t, name);
    puts_text(t, "\":\"");
    put_escaped(t, value == NULL ? "" : value, true);
}

static void json(struct http_work *w, struct text *t)
{
    char host[NET_ADDR_MAX], date[DATE_LOG];
    bool open = w->req.method[0] != '\0';

    peer_host(w, host);
    http_date_iso(date);
    puts_text(t, "{\"time\":\"");
    puts_text(t, date);
    member(t, "client", host);
    member(t, "method", w->req.method);
    member(t, "target", w->target);
    member(t, "host", w->req.host);
    member(t, "agent", open ? http_header(&w->req, "user-agent") : NULL);
    member(t, "referer", open ? http_header(&w->req, "referer") : NULL);
    puts_text(t, "\",\"version\":1.");
    put_number(t, w->head.minor);
    puts_text(t, ",\"status\":");
    put_number(t, w->res.status);
    puts_text(t, ",\"bytes\":");
    put_number(t, w->res.sent);
    puts_text(t, ",\"us\":");
    put_number(t, w->begun == 0 ? 0 : (uint64_t)(co_now() - w->begun) / 1000);
    puts_text(t, "}");
}

/* In one call, so that lines of several threads stay whole.  Whoever reads the
 * log may be slow: then the answers go first. */
static void write_line(struct http_work *w, int fd, const char *line,
                       size_t len)
{
    int64_t timeout = w->server->config.write_timeout;

    if (co_write(fd, line, len, CO_NOWAIT) < 0 && errno == ETIMEDOUT &&
        http_flush(w) == 0)
        (void)co_write(fd, line, len, http_now() + timeout);
}

void http_log(struct http_work *w)
{
    const struct http_config *c = &w->server->config;
    char *line = net_buffer_get();
    struct text t;

    if (line == NULL)
        return; /* a line less; the request matters more */
    t.at = line;
    if (c->log_form == HTTP_LOG_JSON)
        json(w, &t);
    else
        common(w, &t);
    if (c->log != NULL) {
        c->log(c->app, line, (size_t)(t.at - line));
    } else {
        *t.at++ = '\n';
        write_line(w, c->log_fd, line, (size_t)(t.at - line));
    }
    net_buffer_put(line);
}

void http_fault(struct http_work *w, const char *what, int err)
{
    const struct http_config *c = &w->server->config;
    char host[NET_ADDR_MAX], *line;
    const char *why =
        err == ENODATA ? "the file ended early" : strerrordesc_np(err);
    struct text t;

    if (c->fault == NULL && c->log_form == HTTP_LOG_OFF)
        return;
    line = net_buffer_get();
    if (line == NULL)
        return;
    t.at = line;
    peer_host(w, host);
    put_escaped(&t, host, false);
    puts_text(&t, ": ");
    put_request(w, &t, w->req.path);
    puts_text(&t, ": ");
    puts_text(&t, what);
    puts_text(&t, ": ");
    puts_text(&t, why == NULL ? "unknown error" : why);
    if (c->fault != NULL) {
        c->fault(c->app, line, (size_t)(t.at - line));
    } else {
        *t.at++ = '\n';
        write_line(w, STDERR_FILENO, line, (size_t)(t.at - line));
    }
    net_buffer_put(line);
}
