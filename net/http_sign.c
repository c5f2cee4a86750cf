/* http_sign.c - signed texts by the clock, and signed cookies.
 *
 * When something expires is told by the time of day, which other machines and
 * later runs of the program share.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_sign_text.h"
#include <errno.h>
#include <string.h>
#include <time.h>

enum { DAY = 24 * 60 * 60 };

static int64_t now_seconds(void) { return (int64_t)time(NULL); }

ssize_t http_sign_text(const struct http_signer *s, const char *name,
                       const char *value, int64_t seconds, char *buf,
                       size_t size)
{
    int64_t now = now_seconds();

    if (seconds < 1) {
        errno = EINVAL;
        return -1;
    }
    if (seconds > INT64_MAX - now)
        seconds = INT64_MAX - now;
    return http_sign_put(s, name, value, now + seconds, buf, size);
}

ssize_t http_sign_check(const struct http_signer *s, const char *name,
                        const char *text, char *buf, size_t size)
{
    return http_sign_take(s, name, text, now_seconds(), buf, size);
}

/* ---- Cookies ---------------------------------------------------------------
 */

/* What is beyond the most that a cookie may be is refused by http_set_cookie().
 */
int http_sign_set_cookie(const struct http_signer *s, struct http_response *res,
                         const struct http_cookie *cookie)
{
    struct http_cookie c = *cookie;
    char text[4096 + 1];

    if (c.max_age >= 0) {
        if (c.name == NULL || c.value == NULL) {
            errno = EINVAL;
            return -1;
        }
        if (http_sign_text(s, c.name, c.value, c.max_age > 0 ? c.max_age : DAY,
                           text, sizeof text) < 0)
            return -1;
        c.value = text;
    }
    return http_set_cookie(res, &c);
}

const char *http_sign_cookie(const struct http_signer *s,
                             struct http_request *req, const char *name)
{
    const struct http_pair *p = http_cookies(req);
    int err = ENOENT;

    if (p == NULL)
        return NULL;
    for (; p->name != NULL; p++) {
        size_t size = strlen(p->value) + 1;
        char *buf;

        if (strcmp(p->name, name) != 0)
            continue;
        buf = http_alloc(req, size);
        if (buf == NULL)
            return NULL;
        if (http_sign_check(s, name, p->value, buf, size) >= 0)
            return buf;
        err = errno;
    }
    errno = err;
    return NULL;
}
