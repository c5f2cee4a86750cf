/* answer.h - what the measured servers answer; how they do it is the same in
 * all of them.
 *
 * It is all that they have of HTTP: where a request ends, whether it is a GET
 * for /greet/NAME or /heavy/NAME, and the answer with the name and the date,
 * which is made once a second.  No other field is looked at.  The bytes are
 * those that corten-http answers with.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_KIT_ANSWER_H
#define BENCH_SERVERS_KIT_ANSWER_H

#include "bench/servers/kit/service.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    ANSWER_READ = 16 * 1024, /* what a server reads at once */
    ANSWER_OUT = 16 * 1024,
    ANSWER_MAX = 256, /* more than any answer */
    ANSWER_NAME = 64,
};

struct answer_date { /* zero is a valid start */
    time_t second;
    char text[64];
};

/* Of each thread, or of each that answers at the same time. */
struct answer {
    const struct service *service;
    struct answer_date date;
};

/* Some requests in a row, and their answers. */
struct answer_turn {
    size_t used; /* bytes of requests */
    const char *out;
    size_t len;
    bool heavy; /* service_work() before it goes out */
};

static inline void answer_update(struct answer_date *date)
{
    struct timespec now;
    struct tm tm;

    /* Cannot fail: the clock exists and now is ours. */
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == date->second)
        return;
    date->second = now.tv_sec;
    (void)strftime(date->text, sizeof date->text, "%a, %d %b %Y %T GMT",
                   gmtime_r(&date->second, &tm));
}

/* The name in the request of len bytes at p, and its length; NULL for another
 * kind of request. */
static inline const char *answer_name(const char *p, size_t len, bool *heavy,
                                      size_t *name_len)
{
    static const char greet[] = "GET /greet/", work[] = "GET /heavy/";
    const char *name = NULL, *end;

    *heavy = len >= sizeof work && memcmp(p, work, sizeof work - 1) == 0;
    if (*heavy)
        name = p + sizeof work - 1;
    else if (len >= sizeof greet && memcmp(p, greet, sizeof greet - 1) == 0)
        name = p + sizeof greet - 1;
    if (name == NULL)
        return NULL;
    end = (const char *)memchr(name, ' ', (size_t)(p + len - name));
    if (end == NULL || end - name > ANSWER_NAME)
        return NULL;
    *name_len = (size_t)(end - name);
    return name;
}

/* Behind the answer. */
static inline char *answer_print(const struct answer_date *date, char *out,
                                 const char *name, size_t len)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nDate: ";
    static const char type[] = "\r\nContent-Type: text/plain; charset=utf-8"
                               "\r\nContent-Length: ";

    memcpy(out, text, sizeof text - 1);
    out += sizeof text - 1;
    memcpy(out, date->text, 29);
    out += 29;
    memcpy(out, type, sizeof type - 1);
    out += sizeof type - 1;
    return out +
           sprintf(out, "%zu\r\n\r\nhello, %.*s\n", len + 8, (int)len, name);
}

static inline bool answer_http(struct answer *a, const char *in, size_t n,
                               char *buf, struct answer_turn *turn)
{
    const char *p = in, *end = in + n, *stop;
    char *out = buf;

    answer_update(&a->date);
    while (out + ANSWER_MAX <= buf + ANSWER_OUT &&
           (stop = (const char *)memmem(p, (size_t)(end - p), "\r\n\r\n", 4)) !=
               NULL) {
        bool heavy;
        size_t len;
        const char *name = answer_name(p, (size_t)(stop - p), &heavy, &len);

        if (name == NULL)
            return false;
        if (heavy && p > in)
            break;
        out = answer_print(&a->date, out, name, len);
        p = stop + 4;
        turn->heavy = heavy;
        if (heavy)
            break;
    }
    turn->used = (size_t)(p - in);
    turn->out = buf;
    turn->len = (size_t)(out - buf);
    return true;
}

/* What is due for the beginning of the n bytes at in, nothing if that is not a
 * whole request; buf, of ANSWER_OUT bytes, is where it may be made.  False for
 * what is no request, or one that does not fit. */
static inline bool answer(struct answer *a, const char *in, size_t n, char *buf,
                          struct answer_turn *turn)
{
    turn->heavy = false;
    if (!a->service->http) {
        turn->used = turn->len = n;
        turn->out = in;
        turn->heavy = n > 0 && in[0] == '!';
        return true;
    }
    return answer_http(a, in, n, buf, turn) &&
           (turn->used > 0 || n < ANSWER_READ);
}

#endif
