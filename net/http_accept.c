/* http_accept.c - the field Accept-Encoding.
 *
 *     gzip, br;q=0.8, *;q=0        gzip and br, br rather less; nothing else
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_accept.h"
#include <string.h>
#include <strings.h>

/* x-gzip is an old name of gzip (RFC 9110 8.4.1.3). */
static bool is_coding(const char *p, size_t len, const char *coding)
{
    if (len == 6 && strncasecmp(p, "x-gzip", len) == 0) {
        p += 2;
        len -= 2;
    }
    return len == strlen(coding) && strncasecmp(p, coding, len) == 0;
}

/* A weight, "0.123" to "1.000": above zero or not, or -1 when it is none. */
static int read_weight(const char *p, size_t len)
{
    bool some = len > 0 && *p == '1';

    if (len == 0 || len > 5 || (*p != '0' && *p != '1') ||
        (len > 1 && p[1] != '.'))
        return -1;
    for (size_t i = 2; i < len; i++) {
        if (p[i] < '0' || p[i] > '9' || (*p == '1' && p[i] != '0'))
            return -1;
        some |= p[i] != '0';
    }
    return some;
}

/* The same of what follows a coding, "" or ";q=" and the weight. */
static int read_parameter(const char *p, const char *end)
{
    static const char space[] = " \t";

    p += strspn(p, space);
    if (p >= end)
        return 1;
    if (*p++ != ';')
        return -1;
    p += strspn(p, space);
    if (strncasecmp(p, "q=", 2) != 0)
        return -1;
    p += 2;
    while (end > p && strchr(space, end[-1]) != NULL)
        end--;
    return read_weight(p, end > p ? (size_t)(end - p) : 0);
}

bool http_accepts(const char *accept_encoding, const char *coding)
{
    bool others = strcasecmp(coding, "identity") == 0;
    bool star = false;

    if (accept_encoding == NULL)
        return others;
    for (const char *p = accept_encoding; *p != '\0';) {
        p += strspn(p, " \t,");
        const char *end = p + strcspn(p, ",");
        size_t len = strcspn(p, " \t;,");
        bool any = len == 1 && *p == '*';

        if (any || is_coding(p, len, coding)) {
            int taken = read_parameter(p + len, end);

            if (taken >= 0 && !any)
                return taken;
            if (taken >= 0 && !star) {
                star = true;
                others = taken;
            }
        }
        p = end;
    }
    return others;
}
