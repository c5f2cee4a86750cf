/* context.h - a saved point of execution on a stack of its own.
 *
 * Private to co/.  This is the whole porting contract: a CPU is one file that
 * defines the functions below.  A switch saves what the ABI says survives a
 * call (callee-saved registers, stack pointer, the control bits of the
 * floating-point units), makes no system call, and never asks whether its
 * target is fresh: context_make() has already run the new context up to its
 * entry.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_CONTEXT_H
#define CO_CONTEXT_H

#include <stddef.h>

#ifdef CO_CONTEXT_UCONTEXT
#include <setjmp.h>
struct context {
    jmp_buf regs;
};
#else
struct context {
    void *sp;
};
#endif

typedef void context_entry(void *arg);

/* Makes c such that the first context_switch() to it calls entry(arg) on the
 * stack [low, low + size).  entry must never return.  The frame is made by
 * makecontext(3) and entered once, here.  Starts with the default
 * floating-point control state.  -1 with errno when the stack is too small. */
int context_make(struct context *c, void *low, size_t size,
                 context_entry *entry, void *arg);

/* Saves the running context to *from and continues *to, which must have been
 * made or saved before.  Returns when somebody switches to *from. */
void context_switch(struct context *from, struct context *to);

/* Sets the floating-point control state of the running context (rounding,
 * exception masks, precision) to the default; cheap when it is so already. */
void context_reset_fp(void);

/* The stack pointer saved in c, while it is switched away from. */
void *context_sp(const struct context *c);

#endif
