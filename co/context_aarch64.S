/* context_aarch64.S - the switch on 64-bit Arm (AAPCS64).
 *
 * A context that is switched away from is its stack pointer; there stand, 176
 * bytes: x29 x30, x19 to x28, d8 to d15 (of v8 to v15 a call preserves the low
 * halves), fpcr.  fpcr is written only on a difference, since that
 * may wait for all floating-point work in flight.  fpsr holds status, which a
 * call does not preserve.
 *
 * SPDX-License-Identifier: MIT
 */

#define FRAME 176
#define FPCR 160

        .macro save
        stp x29, x30, [sp, #-FRAME]!
        .cfi_adjust_cfa_offset FRAME
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        stp x19, x20, [sp, #16]
        .cfi_rel_offset x19, 16
        .cfi_rel_offset x20, 24
        stp x21, x22, [sp, #32]
        .cfi_rel_offset x21, 32
        .cfi_rel_offset x22, 40
        stp x23, x24, [sp, #48]
        .cfi_rel_offset x23, 48
        .cfi_rel_offset x24, 56
        stp x25, x26, [sp, #64]
        .cfi_rel_offset x25, 64
        .cfi_rel_offset x26, 72
        stp x27, x28, [sp, #80]
        .cfi_rel_offset x27, 80
        .cfi_rel_offset x28, 88
        stp d8, d9, [sp, #96]
        stp d10, d11, [sp, #112]
        stp d12, d13, [sp, #128]
        stp d14, d15, [sp, #144]
        mrs x9, fpcr
        str x9, [sp, #FPCR]
        mov x10, sp
        str x10, [x0]
        .endm

        .macro restore
        ldp x19, x20, [sp, #16]
        ldp x21, x22, [sp, #32]
        ldp x23, x24, [sp, #48]
        ldp x25, x26, [sp, #64]
        ldp x27, x28, [sp, #80]
        ldp d8, d9, [sp, #96]
        ldp d10, d11, [sp, #112]
        ldp d12, d13, [sp, #128]
        ldp d14, d15, [sp, #144]
        ldp x29, x30, [sp], #FRAME
        .cfi_adjust_cfa_offset -FRAME
        .irp reg, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30
        .cfi_restore \reg
        .endr
        ret
        .endm

        .macro function name
        .globl \name
        .hidden \name
        .type \name, %function
        .p2align 4
\name:
        .cfi_startproc
        .endm

        .macro end name
        .cfi_endproc
        .size \name, . - \name
        .endm

        .text

/* void context_switch(struct context *from, struct context *to) */
        function context_switch
        save
        ldr x10, [x1]
        mov sp, x10
        ldr x11, [sp, #FPCR]
        cmp x9, x11
        b.ne 2f
1:      .cfi_remember_state
        restore
        .cfi_restore_state
2:      msr fpcr, x11
        b 1b
        end context_switch

/* void context_enter(struct context *from, const void *ucontext)
 * Comes back by a switch; the call returns only when it fails. */
        function context_enter
        save
        mov x0, x1
        bl setcontext
        restore
        end context_enter

/* void context_start(unsigned high, unsigned low), entered by setcontext() as
 * if called.  Frames end here: no frame pointer, no return address. */
        function context_start
        .cfi_undefined x30
        mov x29, #0
        mov x30, #0
        bl context_first
        brk #0
        end context_start

/* void context_reset_fp(void) */
        function context_reset_fp
        mrs x9, fpcr
        cbnz x9, 1f
        ret
1:      msr fpcr, xzr
        ret
        end context_reset_fp

        .section .note.GNU-stack, "", %progbits
