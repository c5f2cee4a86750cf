/* http_head.c - the head of an answer, as bytes.
 *
 * It is put together from ready-made pieces: no allocation, no formatted
 * printing, since each answer pays for it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "net/http_server.h"
#include <stdio.h>

struct reason {
    int status;
    const char *text;
};

static const struct reason reasons[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 203, "Non-Authoritative Information" },
    { 204, "No Content" },
    { 205, "Reset Content" },
    { 206, "Partial Content" },
    { 207, "Multi-Status" },
    { 300, "Multiple Choices" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 402, "Payment Required" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 407, "Proxy Authentication Required" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 424, "Failed Dependency" },
    { 425, "Too Early" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 451, "Unavailable For Legal Reasons" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
    { 511, "Network Authentication Required" },
};

/* A client must not look at it, so an unknown one has a general name. */
static const char *reason_of(int status)
{
    static const char *const kinds[] = { "OK", "Redirect", "Client Error",
                                         "Server Error" };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return kinds[status / 100 - 2];
}

bool http_status_final(int status) { return status >= 200 && status <= 599; }

bool http_status_bodiless(int status)
{
    return status == 204 || status == 205 || status == 304;
}

size_t http_head_bound(const struct http_work *w)
{
    enum { STATUS = 48, TYPE = 48, LENGTH = 40, CONNECTION = 32, SERVER = 16 };

    return STATUS + DATE_LINE + TYPE + LENGTH + CONNECTION + SERVER +
           w->server->server_len + w->res.lines_len + w->res.fixed_len;
}

/* A piece whose length the compiler knows. */
#define PUT(p, text) (memcpy((p), (text), sizeof(text) - 1), sizeof(text) - 1)

static inline size_t put_status(char *p, int status)
{
    const char *text;
    size_t len;

    if (__builtin_expect(status == 200, 1))
        return PUT(p, "HTTP/1.1 200 OK\r\n");
    text = reason_of(status);
    len = strlen(text);
    (void)PUT(p, "HTTP/1.1 ");
    p[9] = (char)('0' + status / 100);
    p[10] = (char)('0' + status / 10 % 10);
    p[11] = (char)('0' + status % 10);
    p[12] = ' ';
    memcpy(p + 13, text, len);
    memcpy(p + 13 + len, "\r\n", 2);
    return 15 + len;
}

static char *put_connection(const struct http_work *w, char *p)
{
    if (w->res.close)
        return p + PUT(p, "Connection: close\r\n");
    if (w->head.minor == 0)
        return p + PUT(p, "Connection: keep-alive\r\n");
    return p;
}

size_t http_head_format(struct http_work *w, char *p, int status,
                        int64_t length)
{
    const struct http_response *res = &w->res;
    char *begin = p;

    p += put_status(p, status);
    w->now = http_now();
    memcpy(p, http_date_line(w->now), DATE_LINE);
    p += DATE_LINE;
    if (w->server->server_len > 0) {
        p += PUT(p, "Server: ");
        memcpy(p, w->server->config.server, w->server->server_len);
        p += w->server->server_len;
        p += PUT(p, "\r\n");
    }
    if (res->type == HTTP_TYPE_TEXT)
        p += PUT(p, "Content-Type: text/plain; charset=utf-8\r\n");
    else if (res->type == HTTP_TYPE_BYTES)
        p += PUT(p, "Content-Type: application/octet-stream\r\n");
    for (struct http_line *l = res->lines; l != NULL; l = l->next) {
        memcpy(p, l->text, l->len);
        p += l->len;
    }
    if (__builtin_expect(res->fixed_len > 0, 0)) {
        memcpy(p, res->fixed, res->fixed_len);
        p += res->fixed_len;
    }
    if (res->chunked) {
        p += PUT(p, "Transfer-Encoding: chunked\r\n");
    } else if (length >= 0 && status != 204 && status != 304) {
        p += PUT(p, "Content-Length: ");
        p += http_put_number(p, (uint64_t)length);
        p += PUT(p, "\r\n");
    }
    if (__builtin_expect(res->close || w->head.minor == 0, 0))
        p = put_connection(w, p);
    p += PUT(p, "\r\n");
    return (size_t)(p - begin);
}

size_t http_error_text(char *buf, size_t size, int status, const char *why)
{
    int n = snprintf(buf, size, "%d %s%s%s\n", status, reason_of(status),
                     why == NULL ? "" : ": ", why == NULL ? "" : why);

    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}
