/* generate.c - messages that are nearly right.
 *
 * Each part is chosen from a list in which most members are valid and the
 * others are what attacks on framing are made of; then, in some, single bytes
 * are changed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_differ/differ.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed;

static unsigned below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % n);
}

#define COUNT(list) (unsigned)(sizeof(list) / sizeof *(list))
#define PICK(list) list[below(COUNT(list))]
/* Mostly one of the first. */
#define GOOD(list, good) list[below(below(10) ? good : COUNT(list))]

static const char *const methods[] = {
    "GET",   "GET",   "POST",    "PUT", "HEAD",     "DELETE", "OPTIONS",
    "TRACE", "PATCH", "CONNECT", "get", "M-SEARCH", "BREW",   "",
};
static const char *const targets[] = {
    "/",
    "/",
    "/a/b?c=d",
    "/%41?",
    "http://b/c",
    "http://b:8/?",
    "https://b",
    /* not always */
    "*",
    "a:80",
    "[::1]:443",
    "/a#b",
    "/\xc3\xa4",
    "",
    "a",
    "/a b",
    "http://u@b/",
    "http:///",
    "/\"<>",
    "/a?b#c",
    "?",
};
static const char *const versions[] = {
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    /* not always */
    "HTTP/1.2",
    "HTTP/2.0",
    "HTTP/0.9",
    "http/1.1",
    "HTTP/1.10",
    "HTTP/11",
    "",
};
static const char *const statuses[] = {
    "200 OK",
    "200 OK",
    "200 ",
    "200",
    "404 Not Found",
    /* not always */
    "204 None",
    "304 Same",
    "100 Continue",
    "101 Switch",
    "20 OK",
    "2000 OK",
    "099 No",
    "200  OK",
    "999 A",
};
static const char *const ends[] = { "\r\n", "\n", "\r", "\r\r\n", "\n\r", "" };
static const char *const fields[] = {
    "Content-Length: 5",
    "content-length:3 ",
    "Content-Length: 007",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked",
    "transfer-encoding:CHUNKED",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: a, close",
    "Connection: keep-alive, close",
    "Expect: 100-continue",
    "Accept: */*",
    "A:",
    "A: \t ",
    "A:b\t",
    "A: \xc3\xa4",
    "A: \"b\"",
    "Cookie: a=b; c=d",
    "Date: x",
    "A_b: c",
    "-: d",
    "Content-Length: 0",
    "Upgrade: h2c",
    /* not always */
    "Content-Length: +5",
    "Content-Length: 5, 5",
    "Content-Length: 0x5",
    "Content-Length: -1",
    "Content-Length:",
    "Content-Length: 5 5",
    "Content-Length: 99999999999999999999",
    "Content-Length : 5",
    "Content-Length\t: 5",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked;a=b",
    "Transfer-Encoding:",
    "Transfer-Encoding: , chunked",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding: chunked, chunked",
    "Host: a",
    "Host: b:80",
    "Host:",
    "Host: a b",
    "Host: u@a",
    "Connection: Upgrade",
    "Connection: upgrade, close",
    "Upgrade: websocket",
    "A: b\r\n c",
    "A: b\r\n\tc",
    "A: b\r\n ",
    " A: b",
    "A",
    ":b",
    "A : b",
    "A(: b",
    "A\xc3: b",
    "A: b\x01",
    "A: b\x7f",
    "A: b\rc",
    "A: b\nc",
};
static const char *const bodies[] = {
    "5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\nGET",
    "005\r\nhello\r\n00\r\n\r\n",
    "a\r\n0123456789\r\n3\r\nabc\r\n0\r\n\r\n",
    "5;a=b\r\nhello\r\n0;c\r\n\r\n",
    "5\r\nhello\r\n0\r\nA: b\r\n\r\n",
    /* not always */
    "",
    "hello there",
    "5 ;a=\"b\"\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "5\nhello\n0\n\n",
    "5\r\nhello0\r\n\r\n",
    "5\r\nhello!\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\nA : b\r\n\r\n",
    "5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
    "5\r\nhello\r\n0\r\n\n",
    "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "ffffffffffffffff\r\nhello",
    "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "00000000000000005\r\nhello\r\n0\r\n\r\n",
    "8000000000000000\r\nhello",
    "x\r\n",
    "\r\n",
};

static const char *line_end(void) { return below(150) ? ends[0] : PICK(ends); }

/* A few bytes changed, dropped or put in. */
static size_t noise(char *buf, size_t len)
{
    static const char bytes[] =
        "\r\n\t :;,\"/?#%@()[]AZaz09\x7f\x80\xff\x01\x0b";

    for (unsigned i = 1 + below(2); i > 0 && len > 1; i--) {
        size_t at = below((unsigned)len);

        switch (below(3)) {
        case 0:
            buf[at] = bytes[below(COUNT(bytes) - 1)];
            break;
        case 1:
            memmove(buf + at, buf + at + 1, len - at - 1);
            len--;
            break;
        default:
            memmove(buf + at + 1, buf + at, len - at);
            buf[at] = bytes[below(COUNT(bytes) - 1)];
            len++;
        }
    }
    return len;
}

size_t generate(char *buf, size_t size, unsigned long number, bool response)
{
    char *p = buf, *end = buf + size - 16; /* noise makes it longer */

    seed = number * 2 + response;
    (void)below(2);
    for (unsigned i = below(20) ? 0 : 1 + below(5); i > 0; i--)
        p += snprintf(p, (size_t)(end - p), "%s", line_end());
    if (response)
        p += snprintf(p, (size_t)(end - p), "%s %s%s", GOOD(versions, 4),
                      GOOD(statuses, 5), line_end());
    else
        p += snprintf(p, (size_t)(end - p), "%s%s%s%s%s%s", GOOD(methods, 9),
                      below(50) ? " " : "  ", GOOD(targets, 7),
                      below(50) ? " " : "\t", GOOD(versions, 4), line_end());
    if (!response && below(30))
        p += snprintf(p, (size_t)(end - p), "Host: a%s", line_end());
    for (unsigned i = below(4); i > 0; i--)
        p += snprintf(p, (size_t)(end - p), "%s%s", GOOD(fields, 23),
                      line_end());
    p += snprintf(p, (size_t)(end - p), "%s%s", line_end(), GOOD(bodies, 6));
    return below(4) ? (size_t)(p - buf) : noise(buf, (size_t)(p - buf));
}
