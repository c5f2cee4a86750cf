/* context_x86_64.S - the switch on x86-64 (System V ABI).
 *
 * A context that is switched away from is its stack pointer; there stands:
 *
 *   0 mxcsr   4 x87 control word   8 r15 r14 r13 r12 rbx rbp   56 return address
 *
 * The floating-point control words are always stored, which is cheap, but loaded
 * only where their control bits differ: ldmxcsr takes some 50 ns when the sticky
 * exception flags differ, and they nearly always do.  The flags themselves are
 * not part of what a call preserves.  `ret` ends the switch, not a jump: calls
 * and returns stay balanced, and contexts that wait in the same place return to
 * where the CPU predicts.
 *
 * No note says that this file copes with shadow stacks, so the linker marks no
 * program that has it as one that does, and the kernel leaves them off.
 *
 * SPDX-License-Identifier: MIT
 */

#define MXCSR_CONTROL 0xffc0
#define MXCSR_DEFAULT 0x1f80
#define X87_DEFAULT 0x037f

        .macro save
        .irp reg, rbp, rbx, r12, r13, r14, r15
        pushq %\reg
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \reg, 0
        .endr
        subq $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw 4(%rsp)
        movq %rsp, (%rdi)
        .endm

        .macro restore
        addq $8, %rsp
        .cfi_adjust_cfa_offset -8
        .irp reg, r15, r14, r13, r12, rbx, rbp
        popq %\reg
        .cfi_adjust_cfa_offset -8
        .cfi_restore \reg
        .endr
        ret
        .endm

        .macro function name
        .globl \name
        .hidden \name
        .type \name, @function
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
        /* One load for each store: a wider one could not be forwarded. */
        movl (%rsp), %eax
        movzwl 4(%rsp), %ecx
        movq (%rsi), %rsp
        xorl (%rsp), %eax
        testl $MXCSR_CONTROL, %eax
        jne 2f
1:      cmpw 4(%rsp), %cx
        jne 3f
4:      .cfi_remember_state
        restore
        .cfi_restore_state
2:      ldmxcsr (%rsp)
        jmp 1b
        /* An exception that the other context left pending, masked, would be
         * raised here once it is unmasked. */
3:      fnclex
        fldcw 4(%rsp)
        jmp 4b
        end context_switch

/* void context_enter(struct context *from, const void *ucontext)
 * Comes back by a switch; the call returns only when it fails. */
        function context_enter
        save
        movq %rsi, %rdi
        call setcontext@PLT
        restore
        end context_enter

/* void context_start(unsigned high, unsigned low), entered by setcontext() as
 * if called.  Frames end here: no frame pointer, no return address. */
        function context_start
        .cfi_undefined rip
        xorl %ebp, %ebp
        subq $8, %rsp
        .cfi_adjust_cfa_offset 8
        call context_first@PLT
        ud2
        end context_start

/* void context_reset_fp(void) */
        function context_reset_fp
        stmxcsr -8(%rsp)
        fnstcw -4(%rsp)
        movl -8(%rsp), %eax
        movl %eax, %ecx
        xorl $MXCSR_DEFAULT, %ecx
        testl $MXCSR_CONTROL, %ecx
        jne 2f
1:      cmpw $X87_DEFAULT, -4(%rsp)
        jne 3f
        ret
2:      andl $~MXCSR_CONTROL, %eax
        orl $MXCSR_DEFAULT, %eax
        movl %eax, -8(%rsp)
        ldmxcsr -8(%rsp)
        jmp 1b
3:      movw $X87_DEFAULT, -4(%rsp)
        fldcw -4(%rsp)
        ret
        end context_reset_fp

        .section .note.GNU-stack, "", @progbits
