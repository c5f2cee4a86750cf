/* bug.h - stops the process on an error of the programmer.
 *
 * Private to co/ and net/.  On in every build: a caller that breaks the
 * contract of a function learns of it where it happened.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_BUG_H
#define CO_BUG_H

#include <stdio.h>
#include <stdlib.h>

/* Prints one line and aborts when cond is true; why is what the programmer did
 * wrong, in words. */
#define BUG_ON(cond, why)                                                      \
    do {                                                                       \
        if (__builtin_expect(!!(cond), 0))                                     \
            bug(__FILE__, __LINE__, why);                                      \
    } while (0)

__attribute__((noreturn, cold, noinline, unused)) static void bug(
    const char *file, int line, const char *why)
{
    fprintf(stderr, "corten: %s:%d: BUG: %s\n", file, line, why);
    abort();
}

#endif
