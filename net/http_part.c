/* http_part.c - the heads of a multipart body, and its Content-Type.
 *
 * Strict where a guess could be another one's other guess: what is there twice
 * is refused.  Percent signs in names stay: browsers write %22 for a quotation
 * mark, but a file may be called so.  filename* is ignored (RFC 7578 4.2).
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_params.h"
#include "net/http_parts.h"
#include <string.h>
#include <strings.h>

static const char *bare_name(const char *path)
{
    const char *name = path;

    for (; *path != '\0'; path++)
        if (*path == '/' || *path == '\\')
            name = path + 1;
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? "" : name;
}

/* form-data; name="..."; filename="..." */
static int open_disposition(struct http_part *part, char *value)
{
    char *rest, *name;
    const char *kind = http_params_word(value, &rest);
    int r;

    if (kind == NULL || strcasecmp(kind, "form-data") != 0 ||
        part->name != NULL)
        return 400;
    while ((r = http_params_next(&rest, &name, &value)) > 0) {
        const char **field = strcasecmp(name, "name") == 0 ? &part->name
                             : strcasecmp(name, "filename") == 0
                                 ? &part->filename
                                 : NULL;

        if (field == NULL)
            continue;
        if (*field != NULL)
            return 400;
        *field = value;
    }
    if (r < 0 || part->name == NULL)
        return 400;
    if (part->filename != NULL)
        part->filename = bare_name(part->filename);
    return 0;
}

static int open_field(struct http_part *part, const char *name, char *value)
{
    if (strcasecmp(name, "Content-Disposition") == 0)
        return open_disposition(part, value);
    if (strcasecmp(name, "Content-Type") == 0) {
        if (part->type != NULL)
            return 400;
        part->type = value;
    }
    /* What is encoded besides would be stored so.  RFC 7578 4.7: nobody does.
     */
    if (strcasecmp(name, "Content-Transfer-Encoding") == 0 &&
        strcasecmp(value, "binary") != 0 && strcasecmp(value, "8bit") != 0 &&
        strcasecmp(value, "7bit") != 0)
        return 415;
    return 0;
}

/* A line from p to end, which becomes two strings; 0 or the status. */
static int open_line(struct http_part *part, char *p, char *end)
{
    char *colon = memchr(p, ':', (size_t)(end - p));

    if (colon == NULL || colon == p)
        return 400;
    for (char *s = p; s < end; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return 400;
    /* A space there would be a continued line, or a name that others take for
     * another one. */
    for (char *s = p; s < colon; s++)
        if (*s == ' ' || *s == '\t')
            return 400;
    *colon++ = '\0';
    while (colon < end && (*colon == ' ' || *colon == '\t'))
        colon++;
    while (end > colon && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    return open_field(part, p, colon);
}

int http_part_open(struct http_part *part, char *head, size_t len)
{
    char *end = head + len, *next;

    *part = (struct http_part){ 0 };
    for (char *p = head; p < end; p = next + 2) {
        int status;

        next = memmem(p, (size_t)(end - p), "\r\n", 2);
        if (next == NULL)
            return 400;
        status = open_line(part, p, next);
        if (status != 0)
            return status;
    }
    if (part->type == NULL || *part->type == '\0')
        part->type = "text/plain";
    return part->name == NULL ? 400 : 0;
}

const char *http_part_boundary(char *type, int *status)
{
    char *rest, *name, *value;
    const char *word = http_params_word(type, &rest), *boundary = NULL;
    int r;

    *status = 415;
    if (word == NULL || strcasecmp(word, "multipart/form-data") != 0)
        return NULL;
    *status = 400;
    while ((r = http_params_next(&rest, &name, &value)) > 0)
        if (strcasecmp(name, "boundary") == 0) {
            if (boundary != NULL)
                return NULL;
            boundary = value;
        }
    return r < 0 ? NULL : boundary;
}
