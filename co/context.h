/* context.h - a saved point of execution on a stack of its own.
 *
 * Private to co/.  This is the whole porting contract: a CPU is one file that
 * defines the functions of the second half; context_make.c uses them for the
 * rest.  A switch saves what the ABI says survives a
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
#include <fenv.h>
#include <setjmp.h>
struct context {
    void *sp;    /* a little below the frame that was left */
    void *frame; /* that frame's address; gdb.py undoes the encryption of
                    regs with it */
    jmp_buf regs;
    femode_t fp;
};
#else
struct context {
    void *sp;
};
#endif

typedef void context_entry(void *arg);

/* ---- context_make.c -------------------------------------------------------
 */

/* Makes c such that the first context_switch() to it calls entry(arg) on the
 * stack [low, low + size).  entry must never return.  The frame is made by
 * makecontext(3) and entered once, here.  Starts with the default
 * floating-point control state.  -1 with errno when the stack is too small. */
int context_make(struct context *c, void *low, size_t size,
                 context_entry *entry, void *arg);

/* The stack pointer saved in c, while it is switched away from: nothing below
 * it is in use. */
static inline void *context_sp(const struct context *c) { return c->sp; }

/* The frame that was left, while c is switched away from, as those who walk
 * frames know it: the caller's frame pointer, then the return address.  A guess
 * on a CPU without a file of its own. */
static inline const void *context_record(const struct context *c)
{
#if defined(CO_CONTEXT_UCONTEXT)
    return c->frame;
#elif defined(__x86_64__)
    return (const char *)c->sp + 48;
#else
    return c->sp;
#endif
}

/* The first C function on a new stack; never returns.  The arguments are halves
 * of a pointer. */
void context_first(unsigned high, unsigned low);

/* ---- context_<cpu>.S, or context_ucontext.c --------------------------------
 */

/* Saves the running context to *from and continues *to, which must have been
 * made or saved before.  Returns when somebody switches to *from. */
void context_switch(struct context *from, struct context *to);

/* Sets the floating-point control state of the running context (rounding,
 * exception masks, precision) to the default; cheap when it is so already. */
void context_reset_fp(void);

/* Saves like context_switch(), but continues in a ucontext_t by setcontext(3).
 */
void context_enter(struct context *from, const void *ucontext);

/* The outermost frame of a stack, where those who walk frames stop; what
 * makecontext(3) is given.  Passes its arguments to context_first(). */
void context_start(unsigned high, unsigned low);

#endif
