/* show.c - differences for people.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_differ/differ.h"
#include <stdio.h>
#include <string.h>

static void show(const char *who, const struct said *s)
{
    static const char *const states[] = { "more", "complete", "refused" };

    fprintf(stderr, "%s: %s %s\n  %s%s%s\n  body '%s'\n", who, states[s->state],
            s->why ? s->why : "", s->head ? s->line : "",
            s->keep_alive ? " keep" : "", s->upgrade ? " upgrade" : "",
            s->body);
}

static void print(const char *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)buf[i];

        if (c == '\n')
            fprintf(stderr, "\\n\n");
        else if (c == '\r')
            fprintf(stderr, "\\r");
        else if (c >= ' ' && c < 127)
            fputc(c, stderr);
        else
            fprintf(stderr, "\\x%02x", c);
    }
    fprintf(stderr, "\n");
}

bool said_shown(const char *why)
{
    static const char *kinds[256];
    static unsigned count;

    for (unsigned i = 0; i < count; i++)
        if (strcmp(kinds[i], why) == 0)
            return true;
    if (count < sizeof kinds / sizeof *kinds)
        kinds[count++] = why;
    return false;
}

void said_print(unsigned long number, bool response, const char *why,
                const struct said *ours, const struct said *theirs,
                const char *buf, size_t len)
{
    fprintf(stderr, "--- %s %lu: %s\n", response ? "response" : "request",
            number, why != NULL ? why : "");
    print(buf, len);
    show("ours", ours);
    show("theirs", theirs);
}
