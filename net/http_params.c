/* http_params.c - values with parameters.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_params.h"
#include <string.h>

static char *skip_space(char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Behind the word at p.  Boundaries are written with more characters than a
 * token has, also without quotes. */
static char *skip_word(char *p)
{
    while ((unsigned char)*p > ' ' && *p != 0x7f && *p != ';' && *p != '"')
        p++;
    return p;
}

/* Ends what stands before p, at the semicolon or the end that follows; NULL
 * where something else does. */
static char *finish(char *p)
{
    char *end = p;

    p = skip_space(p);
    if (*p != ';' && *p != '\0')
        return NULL;
    if (*p == ';')
        p++;
    *end = '\0';
    return p;
}

char *http_params_word(char *text, char **rest)
{
    char *word = skip_space(text), *end = skip_word(word);

    if (end == word || (*rest = finish(end)) == NULL)
        return NULL;
    return word;
}

/* What stands between quotes; *end is behind them. */
static char *unquote(char *p, char **end)
{
    char *begin = p, *out = p;

    for (; *p != '"'; p++) {
        if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        if (*p == '\0')
            return NULL;
        *out++ = *p;
    }
    *end = p + 1;
    *out = '\0';
    return begin;
}

int http_params_next(char **rest, char **name, char **value)
{
    char *p = *rest, *equals, *end;

    do
        p = skip_space(p);
    while (*p == ';' && p++);
    if (*p == '\0')
        return 0;
    *name = p;
    end = skip_word(p);
    equals = memchr(p, '=', (size_t)(end - p));
    if (equals == NULL || equals == p)
        return -1;
    *equals = '\0';
    *value = p = equals + 1;
    if (*p == '"')
        *value = unquote(p + 1, &end);
    else if (p == end)
        return -1;
    if (*value == NULL)
        return -1;
    p = finish(end);
    if (p == NULL)
        return -1;
    *rest = p;
    return 1;
}
