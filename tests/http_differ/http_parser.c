/* http_parser.c - what Debian's libhttp-parser says.
 *
 * SPDX-License-Identifier: MIT
 */
#include <http_parser.h>
/* Its enumerators have names that ours have, too, so this file sees no header
 * of the parser. */
#include "tests/http_differ/differ.h"
#include <string.h>

struct reading {
    struct said *s;
    bool in_value;
};

static struct said *said_of(http_parser *p)
{
    return ((struct reading *)p->data)->s;
}

static int on_line(http_parser *p, const char *at, size_t len)
{
    said_add(said_of(p)->line, "%.*s", (int)len, at);
    return 0;
}

static int on_name(http_parser *p, const char *at, size_t len)
{
    struct reading *r = p->data;

    if (r->in_value) { /* names and values come in pieces */
        said_add(r->s->fields, "\n");
        r->in_value = false;
    }
    said_add(r->s->fields, "%.*s", (int)len, at);
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    struct reading *r = p->data;

    if (!r->in_value)
        said_add(r->s->fields, ":");
    r->in_value = true;
    /* The white space behind a value is not part of it (RFC 9112 5.1). */
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    said_add(r->s->fields, "%.*s", (int)len, at);
    return 0;
}

static int on_head(http_parser *p)
{
    struct reading *r = p->data;

    r->s->head = true;
    if (r->in_value)
        said_add(r->s->fields, "\n");
    r->in_value = false;
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
    said_add(said_of(p)->body, "%.*s", (int)len, at);
    return 0;
}

static int on_end(http_parser *p)
{
    said_of(p)->state = SAID_COMPLETE;
    said_of(p)->keep_alive = http_should_keep_alive(p);
    http_parser_pause(p, 1); /* one message is enough */
    return 0;
}

void said_by_http_parser(struct said *s, const char *buf, size_t len,
                         bool response)
{
    http_parser_settings on = {
        .on_url = on_line,
        .on_status = on_line,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_head,
        .on_body = on_body,
        .on_message_complete = on_end,
    };
    struct reading r = { .s = s };
    char rest[SAID_MAX];
    http_parser p;

    memset(s, 0, sizeof *s);
    http_parser_init(&p, response ? HTTP_RESPONSE : HTTP_REQUEST);
    p.data = &r;
    (void)http_parser_execute(&p, &on, buf, len);
    enum http_errno error = HTTP_PARSER_ERRNO(&p);
    if (error != HPE_OK && error != HPE_PAUSED) {
        s->state = SAID_REFUSED;
        s->why = http_errno_name(error);
    }
    if (!s->head)
        return;
    /* Trailer fields came the same way; ours are dropped. */
    memcpy(rest, s->line, sizeof rest);
    s->line[0] = '\0';
    if (response)
        said_add(s->line, "%u ", p.status_code);
    else
        said_add(s->line, "%s ", http_method_str((enum http_method)p.method));
    /* A higher minor version is taken for 1 (RFC 9110 2.5). */
    said_add(s->line, "%s %u.%u", rest, p.http_major, p.http_minor > 0);
    s->upgrade = p.upgrade;
}
