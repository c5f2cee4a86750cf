/* http_parser.c - libhttp-parser, whose header cannot stand beside ours.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/http_parse/requests.h"
#include <http_parser.h>
#include <stdlib.h>
#include <string.h>

static int text(http_parser *p, const char *at, size_t len)
{
    (void)p, (void)at, (void)len;
    return 0;
}

static int event(http_parser *p)
{
    (void)p;
    return 0;
}

void parse_theirs(const char *request, long n)
{
    static const http_parser_settings on = {
        .on_message_begin = event,
        .on_url = text,
        .on_header_field = text,
        .on_header_value = text,
        .on_headers_complete = event,
        .on_message_complete = event,
    };
    size_t len = strlen(request);
    http_parser p;

    for (; n > 0; n--) {
        http_parser_init(&p, HTTP_REQUEST);
        if (http_parser_execute(&p, &on, request, len) != len)
            abort();
    }
}
