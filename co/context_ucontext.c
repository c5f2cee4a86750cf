/* context_ucontext.c - the portable switch: _setjmp() and _longjmp().
 *
 * ISO C forbids a longjmp() into a function of another stack, but every Unix
 * lets it pass, for _setjmp() keeps registers and nothing else: no signal mask,
 * so no system call.  It leaves out the floating-point control state, too,
 * which is therefore kept here.  Must be built without _FORTIFY_SOURCE: its
 * longjmp() takes a jump to another stack for an error.
 *
 * The call of _longjmp() never returns, so the CPU's prediction of the returns
 * that follow is off by one: that, and not the instructions, makes this switch
 * four times as slow as the assembly.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "co/context.h"

/* More than one frame of the functions below takes under its frame address. */
enum { FRAME_MAX = 512 };

static void save(struct context *c, void *frame)
{
    c->sp = (char *)frame - FRAME_MAX;
    c->frame = frame;
    c->fp = (femode_t){ 0 }; /* it has gaps, and is compared as bytes */
    /* Cannot fail: the Linux implementations only read registers. */
    (void)fegetmode(&c->fp);
}

/* fp may hold more than control bits: then the exception flags, which only ever
 * accumulate, make it differ at times, and the call is superfluous. */
static void resume(const struct context *c, const femode_t *current)
{
    if (memcmp(&c->fp, current, sizeof(*current)) != 0)
        (void)fesetmode(&c->fp);
}

void context_switch(struct context *from, struct context *to)
{
    save(from, __builtin_frame_address(0));
    resume(to, &from->fp);
    if (_setjmp(from->regs) == 0)
        _longjmp(to->regs, 1);
}

void context_enter(struct context *from, const void *ucontext)
{
    save(from, __builtin_frame_address(0));
    if (_setjmp(from->regs) == 0)
        (void)setcontext(ucontext); /* failed when it returns */
}

void context_start(unsigned high, unsigned low) { context_first(high, low); }

void context_reset_fp(void) { (void)fesetmode(FE_DFL_MODE); }
