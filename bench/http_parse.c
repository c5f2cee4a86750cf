/* http_parse.c - the head of a request, by our parser and by libhttp-parser.
 *
 * http_parse.<who>.<request> is the time of one head: what wrk sends, and what
 * a browser does.  Instructions are counted by bench/instructions.py.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_parse.h"
#include "bench/bench.h"
#include "bench/http_parse/requests.h"

static void ours(void *arg, long n)
{
    struct http_field fields[100];
    struct http_head h = { .fields = fields,
                           .fields_max = 100,
                           .target_max = 8192,
                           .bytes_max = 16384 };
    const char *request = arg;
    size_t len = strlen(request);

    for (; n > 0; n--) {
        http_head_start(&h);
        if (http_parse_request(&h, request, len) != (ssize_t)len)
            abort();
    }
}

static void theirs(void *arg, long n) { parse_theirs(arg, n); }

int main(int argc, char **argv)
{
    struct bench_case cases[] = {
        { .name = "http_parse.corten.wrk",
          .run = ours,
          .arg = (void *)request_wrk },
        { .name = "http_parse.http_parser.wrk",
          .run = theirs,
          .arg = (void *)request_wrk },
        { .name = "http_parse.corten.browser",
          .run = ours,
          .arg = (void *)request_browser },
        { .name = "http_parse.http_parser.browser",
          .run = theirs,
          .arg = (void *)request_browser },
    };

    bench_open(argc, argv);
    bench_rounds(cases, 4, 20);
    return 0;
}
