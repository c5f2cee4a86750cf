/* differ.h - what two parsers say about the same bytes, as text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_HTTP_DIFFER_H
#define TESTS_HTTP_DIFFER_H

#include <stdbool.h>
#include <stddef.h>

enum { SAID_MAX = 4096 };

enum said_state {
    SAID_MORE,     /* the message is not complete */
    SAID_COMPLETE, /* with its body */
    SAID_REFUSED,
};

/* The first message of some bytes. */
struct said {
    enum said_state state;
    const char *why;     /* refused: in its own words */
    bool head;           /* the head was complete */
    bool keep_alive;     /* complete */
    bool upgrade;        /* complete: what follows is another protocol */
    char line[SAID_MAX]; /* method and target or status, version */
    char fields[SAID_MAX];
    char body[SAID_MAX];
};

/* printf() to the end of text. */
void said_add(char *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void said_by_us(struct said *s, const char *buf, size_t len, bool response);
void said_by_http_parser(struct said *s, const char *buf, size_t len,
                         bool response);

/* A message made from the number, never the same; its length. */
size_t generate(char *buf, size_t size, unsigned long number, bool response);

enum verdict { THEY_AGREE, THEY_DIFFER, UNEXPLAINED };

/* Whether they differ, and the section of an RFC that says why they may;
 * without one, *why is what differs. */
enum verdict explain(const struct said *ours, const struct said *theirs,
                     const char *buf, size_t len, const char **why);

/* Whether a difference of this kind was shown already, and shows one. */
bool said_shown(const char *why);
void said_print(unsigned long number, bool response, const char *why,
                const struct said *ours, const struct said *theirs,
                const char *buf, size_t len);

#endif
