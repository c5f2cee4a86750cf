/* http_target.c - the parts of a target, and paths.
 *
 * Which form a target has follows from its first byte and the method (RFC 9112
 * 3.2).  That no byte in it is forbidden was seen when it was scanned, so here
 * only its shape is looked at.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_framing.h"
#include "net/http_scan.h"
#include <arpa/inet.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

static bool digit(char c) { return c >= '0' && c <= '9'; }

static bool port_valid(const char *p, const char *end)
{
    const char *s = p;

    while (s < end && digit(*s))
        s++;
    if (s < end || end - p > 5)
        return false;
    /* As text, numbers of as many digits compare like numbers. */
    return end - p < 5 || memcmp(p, "65535", 5) <= 0;
}

/* Behind the host that begins at p, or NULL where it is none. */
static const char *skip_host(const char *p, const char *end, const char *limit)
{
    while ((p = http_scan(p, limit, &http_stop_host)) < end && *p == '%') {
        if (end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
            return NULL;
        p += 3;
    }
    return p;
}

/* Addresses of other versions than 6 exist in RFC 3986 alone. */
static const char *skip_ipv6(const char *p, const char *end)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;
    const char *close = memchr(p, ']', (size_t)(end - p));

    if (close == NULL || (size_t)(close - p) > sizeof text)
        return NULL;
    size_t len = (size_t)(close - p) - 1;
    memcpy(text, p + 1, len);
    text[len] = '\0';
    return inet_pton(AF_INET6, text, &addr) == 1 ? close + 1 : NULL;
}

bool http_authority_valid(const char *p, const char *end, const char *limit)
{
    if (p < end && *p == '[')
        p = skip_ipv6(p, end);
    else
        p = skip_host(p, end, limit);
    if (p == NULL)
        return false;
    return p == end || (*p == ':' && port_valid(p + 1, end));
}

bool http_host_valid(const char *host, size_t len)
{
    return http_authority_valid(host, host + len, host + len);
}

static struct http_slice slice(const char *buf, const char *p, const char *end)
{
    return (struct http_slice){ (uint32_t)(p - buf), (uint32_t)(end - p) };
}

/* Whether the text that follows may be a port that is not empty: CONNECT has
 * none to take instead (RFC 9110 9.3.6). */
static int authority_form(struct http_head *h, const char *buf)
{
    const char *p = buf + h->target.at;
    const char *end = p + h->target.len;

    if (!http_authority_valid(p, end, end) || *p == ':' || !digit(end[-1]))
        return http_head_fail(h, 400, "the target of CONNECT is not host:port");
    const char *colon = end;
    while (colon > p && digit(colon[-1]))
        colon--;
    if (colon == p || colon[-1] != ':')
        return http_head_fail(h, 400, "the target of CONNECT is not host:port");
    h->form = HTTP_AUTHORITY;
    h->authority = h->target;
    return 0;
}

static int absolute_form(struct http_head *h, const char *buf)
{
    const char *p = buf + h->target.at;
    const char *end =
        h->query.at != 0 ? buf + h->query.at - 1 : p + h->target.len;
    const char *s = p;

    while (s < end &&
           (letter(*s) || digit(*s) || *s == '+' || *s == '-' || *s == '.'))
        s++;
    if (!letter(*p) || end - s < 3 || memcmp(s, "://", 3) != 0)
        return http_head_fail(h, 400, "the target has no form of a target");
    s += 3;
    const char *path = memchr(s, '/', (size_t)(end - s));
    if (path == NULL)
        path = end;
    /* User names are refused with the rest: they are for phishing alone (RFC
     * 9110 4.2.4).  So is an empty host (4.2.1). */
    if (s == path || *s == ':' || !http_authority_valid(s, path, path))
        return http_head_fail(h, 400, "the target's authority is not a host");
    h->form = HTTP_ABSOLUTE;
    h->authority = slice(buf, s, path);
    h->path = slice(buf, path, end);
    return 0;
}

int http_target_split(struct http_head *h, const char *buf)
{
    const char *p = buf + h->target.at;

    if (h->method_id == HTTP_CONNECT)
        return authority_form(h, buf);
    if (*p == '/') {
        uint32_t end =
            h->query.at != 0 ? h->query.at - 1 : h->target.at + h->target.len;
        h->path.at = h->target.at;
        h->path.len = end - h->target.at;
        return 0;
    }
    if (*p == '*' && h->target.len == 1) {
        h->form = HTTP_ASTERISK;
        if (h->method_id == HTTP_OPTIONS)
            return 0;
        return http_head_fail(h, 400, "the target * is for OPTIONS");
    }
    return absolute_form(h, buf);
}

ssize_t http_percent_decode(char *dst, const char *src, size_t len)
{
    const char *end = src + len;
    char *start = dst;

    for (;;) {
        const char *p = http_scan(src, end, &http_stop_escape);

        if (dst != src)
            memmove(dst, src, (size_t)(p - src));
        dst += p - src;
        if (p == end)
            return dst - start;
        if (end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
            return -1;
        int c = hex(p[1]) << 4 | hex(p[2]);
        if (c == 0)
            return -1;
        *dst++ = (char)c;
        src = p + 3;
    }
}

/* How many dots the segment at p is, 0 if it is anything else. */
static unsigned dots(const char *p, const char *end)
{
    size_t len = (size_t)(end - p);

    if (len == 1 && p[0] == '.')
        return 1;
    return len == 2 && p[0] == '.' && p[1] == '.' ? 2 : 0;
}

ssize_t http_path_resolve(char *path, size_t len)
{
    const char *end = path + len;
    const char *p = path;
    char *out = path;

    if (len == 0 || *path != '/')
        return -1;
    while (p < end) { /* p is at a slash, out behind what is resolved */
        const char *next = memchr(p + 1, '/', (size_t)(end - p) - 1);

        if (next == NULL)
            next = end;
        unsigned n = dots(p + 1, next);
        if (n == 0) {
            memmove(out, p, (size_t)(next - p));
            out += next - p;
        } else {
            if (n == 2 && out == path)
                return -1;
            if (n == 2)
                while (*--out != '/')
                    ;
            if (next == end)
                *out++ = '/';
        }
        p = next;
    }
    return out - path;
}
