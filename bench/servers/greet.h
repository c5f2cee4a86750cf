/* greet.h - the answer that the hand-written HTTP servers give, and which
 * requests they give it to.
 *
 * It is all that they have of HTTP: where a request ends, whether it is a GET
 * for /greet/NAME, and the answer with the name and the date, which is made
 * once a second.  No other field is looked at.  The bytes are those that corten
 * answers with, and nginx answers with as many but for the fields that it has
 * besides.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_GREET_H
#define BENCH_SERVERS_GREET_H

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    GREET_READ = 16 * 1024, /* what a server reads at once */
    GREET_ANSWER = 256,     /* more than any answer */
    GREET_NAME = 64,
    GREET_OUT = GREET_READ / 16 * GREET_ANSWER /* no request is shorter */
};

struct greet_date { /* zero is a valid start */
    time_t second;
    char text[64];
};

static inline void greet_update(struct greet_date *date)
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

/* Writes the answer to the request of len bytes at p; behind it, or NULL for
 * another kind of request. */
static inline char *greet_answer(const struct greet_date *date, char *out,
                                 const char *p, size_t len)
{
    static const char get[] = "GET /greet/";
    static const char text[] = "HTTP/1.1 200 OK\r\nDate: ";
    static const char type[] = "\r\nContent-Type: text/plain; charset=utf-8"
                               "\r\nContent-Length: ";
    const char *name = p + sizeof get - 1, *end;

    if (len < sizeof get || memcmp(p, get, sizeof get - 1) != 0)
        return NULL;
    end = memchr(name, ' ', len - (sizeof get - 1));
    if (end == NULL || end - name > GREET_NAME)
        return NULL;
    memcpy(out, text, sizeof text - 1);
    out += sizeof text - 1;
    memcpy(out, date->text, 29);
    out += 29;
    memcpy(out, type, sizeof type - 1);
    out += sizeof type - 1;
    return out + sprintf(out, "%d\r\n\r\nhello, %.*s\n", (int)(end - name) + 8,
                         (int)(end - name), name);
}

/* Answers the whole requests among the bytes from *p to end, and leaves *p
 * behind them; the end of the answers, or NULL for a request of another kind.
 */
static inline char *greet_answer_all(const struct greet_date *date, char *out,
                                     const char **p, const char *end)
{
    const char *stop;

    while ((stop = memmem(*p, (size_t)(end - *p), "\r\n\r\n", 4)) != NULL) {
        out = greet_answer(date, out, *p, (size_t)(stop - *p));
        if (out == NULL)
            return NULL;
        *p = stop + 4;
    }
    return out;
}

#endif
