/* overflow.h - says which coroutine ran off the end of its stack.
 *
 * Private to co/.  A SIGSEGV handler on an alternate stack: a fault in a guard
 * is reported in one message, then the handler that was there before runs, or
 * the process dies of the original signal.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_OVERFLOW_H
#define CO_OVERFLOW_H

#include <stddef.h>

int overflow_open(void);   /* once a runtime; 0, or -1 with errno */
void overflow_close(void); /* puts the old handler back */

/* The alternate stack of the calling thread, made and given back by it. */
int overflow_open_thread(void); /* 0, or -1 ENOMEM */
void overflow_close_thread(void);

/* A system call failed with EFAULT for [buf, buf + len): when that reaches into
 * a guard, this is an overflow, too, and does not return. */
void overflow_check(const void *buf, size_t len);

#endif
