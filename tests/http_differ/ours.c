/* ours.c - what our parser says.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_differ/differ.h"
#include "tests/http_kit.h"
#include <stdarg.h>

void said_add(char *text, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + len, SAID_MAX - len, format, args);
    va_end(args);
}

static void refused(struct said *s, const char *why)
{
    s->state = SAID_REFUSED;
    s->why = why;
}

static void body(struct said *s, const struct http_head *h, const char *buf,
                 size_t len)
{
    struct http_chunked c = { .extension_max = 1024, .trailer_max = 1024 };
    size_t want = (size_t)h->content_length;

    switch (h->body) {
    case HTTP_BODY_NONE:
        s->state = SAID_COMPLETE;
        return;
    case HTTP_BODY_LENGTH:
        said_add(s->body, "%.*s", (int)(len < want ? len : want), buf);
        if (len >= want)
            s->state = SAID_COMPLETE;
        return;
    case HTTP_BODY_CHUNKED:
        for (size_t at = 0; at < len && !c.done;) {
            const char *data;
            size_t size;
            ssize_t n = http_chunked_next(&c, buf + at, len - at, &data, &size);

            if (n < 0) {
                refused(s, c.why);
                return;
            }
            said_add(s->body, "%.*s", (int)size, data);
            at += (size_t)n;
        }
        if (c.done)
            s->state = SAID_COMPLETE;
        return;
    case HTTP_BODY_CLOSE:
        said_add(s->body, "%.*s", (int)len, buf);
        return;
    case HTTP_BODY_TUNNEL:
        s->upgrade = true;
        s->state = SAID_COMPLETE;
        return;
    }
}

void said_by_us(struct said *s, const char *buf, size_t len, bool response)
{
    struct kit_head k;
    const struct http_head *h = &k.h;

    memset(s, 0, sizeof *s);
    kit_start(&k);
    ssize_t n = kit_parse(&k, buf, len, response ? HTTP_GET : -1);
    if (n < 0)
        refused(s, h->why);
    if (n <= 0)
        return;
    s->head = true;
    if (response)
        said_add(s->line, "%d %.*s 1.%d", h->status, (int)h->reason.len,
                 buf + h->reason.at, h->minor);
    else
        said_add(s->line, "%.*s %.*s 1.%d", (int)h->method.len,
                 buf + h->method.at, (int)h->target.len, buf + h->target.at,
                 h->minor);
    for (uint32_t i = 0; i < h->count; i++)
        said_add(s->fields, "%.*s:%.*s\n", (int)k.fields[i].name.len,
                 buf + k.fields[i].name.at, (int)k.fields[i].value.len,
                 buf + k.fields[i].value.at);
    s->keep_alive = h->keep_alive;
    s->upgrade = h->upgrade >= 0 || h->method_id == HTTP_CONNECT;
    body(s, h, buf + n, len - (size_t)n);
}
