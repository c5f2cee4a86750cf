/* hook.h - libc's blocking calls suspend the coroutine, not the thread.
 *
 * A program that links corten-hook (or runs with LD_PRELOAD=libcorten-hook.so)
 * has other functions of the names read, write, connect, poll, sleep,
 * getaddrinfo ...: in a coroutine they wait as the co_ calls do; on a thread
 * that runs none they are libc's.  They keep the kernel's contract: descriptors
 * keep the flags they have, O_NONBLOCK means EAGAIN, SO_RCVTIMEO and
 * SO_SNDTIMEO hold, nothing is interrupted that would not be.  What is more: a
 * call fails with ETIMEDOUT at the limit of co_limit_deadline(), and with
 * ECANCELED after co_cancel().  co/HOOKS.md has the whole list, and what is not
 * covered.
 *
 * Environment, read once, at the first call:
 *
 *     CORTEN_HOOK=off       all are libc's
 *     CORTEN_HOOK_SLOW=MS   a call that takes its thread, while a coroutine
 *                           runs there, for longer than MS milliseconds is
 *                           written to standard error, with its name
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_HOOK_H
#define CO_HOOK_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Tells which names are not bound to the hooks in this process: calls by that
 * name would block the thread.  report, unless NULL, is called for each with
 * the object that has it instead.  How many there are; 0: all is well.  Shared
 * libraries are asked by what the dynamic linker finds for them, the program by
 * what it was linked with.  [any] */
int co_hook_selftest(void (*report)(const char *name, const char *object,
                                    void *arg),
                     void *arg);

/* The i-th name that is hooked, or NULL past the last.  [any] */
const char *co_hook_name(size_t i);

/* False when CORTEN_HOOK=off.  [any] */
bool co_hook_enabled(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
