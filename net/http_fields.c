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
    return 1;
}

/* Whether the line has that name, and its value begins with prefix. */
static bool is_line(const struct http_line *l, const char *name, size_t len,
                    const char *prefix)
{
    return l->name_len == len && strncasecmp(l->text, name, len) == 0 &&
           strncmp(l->text + len + 2, prefix, strlen(prefix)) == 0;
}

static void remove_lines(struct http_response *res, const char *name,
                         const char *prefix)
{
    struct http_line **at = &res->lines;
    size_t len = strlen(name);

    while (*at != NULL) {
        struct http_line *l = *at;

        if (is_line(l, name, len, prefix)) {
            res->lines_len -= l->len;
            *at = l->next;
        } else {
            at = &l->next;
        }
    }
    res->lines_end = at;
}

void http_fields_remove(struct http_response *res, const char *name)
{
    remove_lines(res, name, "");
}

/* How many bytes that would take away. */
static uint32_t bytes_of(const struct http_response *res, const char *name,
                         const char *prefix)
{
    size_t len = strlen(name);
    uint32_t bytes = 0;

    for (const struct http_line *l = res->lines; l != NULL; l = l->next)
        if (is_line(l, name, len, prefix))
            bytes += l->len;
    return bytes;
}

/* NULL when it would be too long beside other bytes of lines. */
static struct http_line *new_line(struct http_response *res, const char *name,
                                  const char *value, uint32_t other)
{
    size_t name_len = strlen(name), value_len = strlen(value);
    size_t len = name_len + value_len + 4;
    struct http_line *l;

    if (len > HTTP_LINES_MAX - other) {
        errno = EMSGSIZE;
        return NULL;
    }
    l = http_alloc(&http_work_of_response(res)->req, sizeof *l + len);
    if (l == NULL)
        return NULL;
    l->next = NULL;
    l->len = (uint32_t)len;
    l->name_len = (uint32_t)name_len;
    memcpy(l->text, name, name_len);
    memcpy(l->text + name_len, ": ", 2);
    memcpy(l->text + name_len + 2, value, value_len);
    memcpy(l->text + len - 2, "\r\n", 2);
    return l;
}

static void link_line(struct http_response *res, struct http_line *l)
{
    *res->lines_end = l;
    res->lines_end = &l->next;
    res->lines_len += l->len;
}

/* The handler's word is the last one on it, also when it wants none. */
static void note_type(struct http_response *res, const char *name)
{
    if (strcasecmp(name, "Content-Type") == 0)
        res->type = HTTP_TYPE_SET;
}

int http_add_header(struct http_response *res, const char *name,
                    const char *value)
{
    int r = own_field(res, name, value);
    struct http_line *l;

    if (r <= 0)
        return r;
    l = new_line(res, name, value, res->lines_len);
    if (l == NULL)
        return -1;
    link_line(res, l);
    note_type(res, name);
    return 0;
}

int http_fields_replace(struct http_response *res, const char *name,
                        const char *prefix, const char *value)
{
    int r = own_field(res, name, value);
    struct http_line *l = NULL;

    if (r <= 0)
        return r;
    if (*value != '\0') {
        l = new_line(res, name, value,
                     res->lines_len - bytes_of(res, name, prefix));
        if (l == NULL)
            return -1;
    }
    remove_lines(res, name, prefix);
    if (l != NULL)
        link_line(res, l);
    note_type(res, name);
    return 0;
}

int http_set_header(struct http_response *res, const char *name,
                    const char *value)
{
    return http_fields_replace(res, name, "", value);
}
