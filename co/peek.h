/* peek.h - reads memory that others write, or that may be gone.
 *
 * Private to co/.  For reports: they say what they find, right or not, and must
 * neither fault nor be taken for a race by a sanitizer.  Safe in a signal
 * handler.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_PEEK_H
#define CO_PEEK_H

#include <stdbool.h>
#include <stddef.h>

/* Copies words (bytes is a multiple of 8, both sides are aligned) from what is
 * mapped for certain, a stack say, while its owner may be at work. */
void peek_words(void *to, const void *from, size_t bytes);

/* Copies from what may be gone.  False when it is, or a part of it. */
bool peek(void *to, const void *from, size_t bytes);

/* Copies a string that may be gone, cut off after size - 1 bytes.  What cannot
 * be read ends it; false when not even the first byte could. */
bool peek_string(char *to, const char *from, size_t size);

/* Whether the 8 bytes around p can be read now. */
bool peek_readable(const void *p);

#endif
