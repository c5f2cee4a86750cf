/* text.h - text that grows, for reports.
 *
 * Private to co/.  Running out of memory is remembered and found at the end:
 * what is put then is lost.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_TEXT_H
#define CO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes; /* no zero at the end, unless text_end() was called */
    size_t len, size;
    bool failed; /* ENOMEM */
};

void text_free(struct text *t);
const char *text_end(struct text *t); /* "" when it failed */

void text_put(struct text *t, const char *s);
__attribute__((format(printf, 2, 3))) void text_format(struct text *t,
                                                       const char *format, ...);
void text_count(struct text *t, uint64_t n);     /* 1,234,567 */
void text_duration(struct text *t, int64_t ns);  /* "3.2 s" */
void text_quoted(struct text *t, const char *s); /* control bytes as '?' */

/* A string of JSON, with its quotes; what is no UTF-8 becomes U+FFFD. */
void text_json(struct text *t, const char *s);

#endif
