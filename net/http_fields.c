/* http_fields.c - the fields that handlers set.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_server.h"
#include <errno.h>
#include <strings.h>

static bool is_token(const char *s)
{
    static const char other[] = "!#$%&'*+-.^_`|~";

    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++)
        if (!((*s >= '0' && *s <= '9') ||
              ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z')) &&
            strchr(other, *s) == NULL)
            return false;
    return true;
}

bool http_value_valid(const char *s)
{
    for (; *s != '\0'; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

/* 1: to be set; 0: done; -1. */
static int own_field(struct http_response *res, const char *name,
                     const char *value)
{
    if (http_response_check(res) < 0)
        return -1;
    if (res->streaming) {
        errno = EINVAL;
        return -1;
    }
    if (strcasecmp(name, "Connection") == 0 &&
        strcasecmp(value, "close") == 0) {
        res->close = true;
        return 0;
    }
    if (!is_token(name) || !http_value_valid(value) ||
        strcasecmp(name, "Content-Length") == 0 ||
        strcasecmp(name, "Transfer-Encoding") == 0 ||
        strcasecmp(name, "Connection") == 0 || strcasecmp(name, "Date") == 0) {
        errno = EINVAL;
        return -1;
    }
    if (strcasecmp(name, "Content-Type") == 0)
        res->type = HTTP_TYPE_SET;
    return 1;
}

void http_fields_remove(struct http_response *res, const char *name)
{
    struct http_line **at = &res->lines;
    size_t len = strlen(name);

    while (*at != NULL) {
        struct http_line *l = *at;

        if (l->name_len == len && strncasecmp(l->text, name, len) == 0) {
            res->lines_len -= l->len;
            *at = l->next;
        } else {
            at = &l->next;
        }
    }
    res->lines_end = at;
}

int http_add_header(struct http_response *res, const char *name,
                    const char *value)
{
    size_t name_len = strlen(name), value_len = strlen(value);
    size_t len = name_len + value_len + 4;
    int r = own_field(res, name, value);
    struct http_line *l;

    if (r <= 0)
        return r;
    if (len > HTTP_LINES_MAX - res->lines_len) {
        errno = EMSGSIZE;
        return -1;
    }
    l = http_alloc(&http_work_of_response(res)->req, sizeof *l + len);
    if (l == NULL)
        return -1;
    l->next = NULL;
    l->len = (uint32_t)len;
    l->name_len = (uint32_t)name_len;
    memcpy(l->text, name, name_len);
    memcpy(l->text + name_len, ": ", 2);
    memcpy(l->text + name_len + 2, value, value_len);
    memcpy(l->text + len - 2, "\r\n", 2);
    *res->lines_end = l;
    res->lines_end = &l->next;
    res->lines_len += l->len;
    return 0;
}

int http_set_header(struct http_response *res, const char *name,
                    const char *value)
{
    int r = own_field(res, name, value);

    if (r <= 0)
        return r;
    http_fields_remove(res, name);
    return *value == '\0' ? 0 : http_add_header(res, name, value);
}
