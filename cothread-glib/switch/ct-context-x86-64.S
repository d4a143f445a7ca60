/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* System V ABI, x86-64: what a callee must preserve is rbx, rbp, r12-r15, the
 * stack pointer, and the control bits of mxcsr and of the x87 unit
 * (AMD64 psABI 1.0, section 3.2.1 and 3.2.3).
 *
 * What is saved of a stack hangs below its stack pointer, in the 128 bytes that
 * neither the kernel nor Valgrind touch:
 *
 *    -24  mxcsr (4 bytes), x87 control word (2 bytes), 2 unused
 *    -16  rbp
 *     -8  where to go on
 *
 * Whoever goes on there restores the other registers itself: this function
 * from its own frame; where ct_context_jump_inline() stands, the compiler has
 * put away what it needs.
 *
 * Going on with a jump, and leaving by a `ret` for the `call` that came in, keep
 * the processor's return predictor in step: tasks that all suspend at one place,
 * four frames deep and more, return as predicted. */

	.text

	.globl	ct_context_jump
	.hidden	ct_context_jump
	.type	ct_context_jump, @function
	.p2align 4
ct_context_jump:
	.cfi_startproc
	endbr64
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	leaq	.Lgo_on(%rip), %rax
	stmxcsr	-24(%rsp)
	fnstcw	-20(%rsp)
	movq	%rbp, -16(%rsp)
	movq	%rax, -8(%rsp)
	movl	-24(%rsp), %ecx
	movzwl	-20(%rsp), %edx
	movq	%rsp, (%rdi)

	/* Until the jump, to an unwinder, the caller is whoever is gone on with. */
	movq	%rsi, %rsp
	.cfi_remember_state
	.cfi_def_cfa rsp, 0
	.cfi_offset rip, -8
	.cfi_offset rbp, -16
	.cfi_same_value rbx
	.cfi_same_value r12
	.cfi_same_value r13
	.cfi_same_value r14
	.cfi_same_value r15
	movq	-16(%rsi), %rbp

	/* Reloading costs 32-60 ns where only the sticky exception flags (the low
	 * six bits) differ, so those are left alone, as the ABI allows. */
	xorl	-24(%rsi), %ecx
	testl	$0xffffffc0, %ecx
	jne	.Lreload_mxcsr
.Lmxcsr_done:
	cmpw	-20(%rsi), %dx
	jne	.Lreload_x87
.Lx87_done:
	jmp	*-8(%rsi)
.Lreload_mxcsr:
	ldmxcsr	-24(%rsi)
	jmp	.Lmxcsr_done
.Lreload_x87:
	fldcw	-20(%rsi)
	jmp	.Lx87_done

	/* An unwinder looks for the caller one byte before where that goes on. */
	.cfi_restore_state
	nop
.Lgo_on:
	endbr64
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
	.cfi_endproc
	.size	ct_context_jump, .-ct_context_jump

/* Where a new stack begins: on it are the entry function and its argument. The
 * undefined return address tells an unwinder that this is the last frame. */
	.globl	ct_context_start
	.hidden	ct_context_start
	.type	ct_context_start, @function
	.p2align 4
ct_context_start:
	.cfi_startproc
	.cfi_undefined rip
	/* ... so the address that a new stack goes on at is not the first. */
	nop
	.globl	ct_context_start_here
	.hidden	ct_context_start_here
ct_context_start_here:
	endbr64
	movq	8(%rsp), %rdi
	xorl	%ebp, %ebp
	call	*(%rsp)
	ud2
	.cfi_endproc
	.size	ct_context_start, .-ct_context_start

	.section .note.GNU-stack,"",@progbits

/* For builds with -fcf-protection: every target of an indirect branch is marked
 * (IBT). Shadow stacks (SHSTK) are not switched, so they are not promised: the
 * loader leaves them off in a program that links to this. */
#if defined __CET__ && (__CET__ & 1)
	.section .note.gnu.property,"a",@note
	.p2align 3
	.long	4			/* "GNU" */
	.long	16			/* the property and its padding */
	.long	5			/* NT_GNU_PROPERTY_TYPE_0 */
	.asciz	"GNU"
	.long	0xc0000002		/* GNU_PROPERTY_X86_FEATURE_1_AND */
	.long	4
	.long	1			/* ..._IBT */
	.long	0
#endif
