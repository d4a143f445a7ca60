/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* System V ABI, x86-64: what a callee must preserve is rbx, rbp, r12-r15, the
 * stack pointer, and the control bits of mxcsr and of the x87 unit
 * (AMD64 psABI 1.0, section 3.2.1 and 3.2.3).
 *
 * A saved stack looks like this, lowest address first:
 *
 *      0  mxcsr (4 bytes), x87 control word (2 bytes), 2 unused
 *      8  r15, r14, r13, r12, rbx, rbp
 *     56  return address
 *
 * The jump returns with `ret` to the address that the matching `call` pushed:
 * tasks that all suspend at one place keep the processor's return predictor
 * in step, four frames deep and more. */

	.text

	.globl	ct_context_jump
	.hidden	ct_context_jump
	.type	ct_context_jump, @function
	.p2align 4
ct_context_jump:
	.cfi_startproc
	endbr64
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
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
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	movl	(%rsp), %ecx
	movzwl	4(%rsp), %edx

	movq	%rsp, (%rdi)

	/* Reloading costs 32-60 ns where only the sticky exception flags (the low
	 * six bits) differ, so those are left alone, as the ABI allows. */
	movl	(%rsi), %eax
	xorl	%ecx, %eax
	testl	$0xffffffc0, %eax
	jne	.Lreload_mxcsr
.Lmxcsr_done:
	cmpw	4(%rsi), %dx
	jne	.Lreload_x87
.Lx87_done:
	movq	8(%rsi), %r15
	movq	16(%rsi), %r14
	movq	24(%rsi), %r13
	movq	32(%rsi), %r12
	movq	40(%rsi), %rbx
	movq	48(%rsi), %rbp
	leaq	56(%rsi), %rsp
	.cfi_def_cfa_offset 8
	.cfi_restore r15
	.cfi_restore r14
	.cfi_restore r13
	.cfi_restore r12
	.cfi_restore rbx
	.cfi_restore rbp
	ret

	.cfi_def_cfa_offset 64
	.cfi_rel_offset rbp, 48
	.cfi_rel_offset rbx, 40
	.cfi_rel_offset r12, 32
	.cfi_rel_offset r13, 24
	.cfi_rel_offset r14, 16
	.cfi_rel_offset r15, 8
.Lreload_mxcsr:
	ldmxcsr	(%rsi)
	jmp	.Lmxcsr_done
.Lreload_x87:
	fldcw	4(%rsi)
	jmp	.Lx87_done
	.cfi_endproc
	.size	ct_context_jump, .-ct_context_jump

/* Where a new stack begins: r12 is the entry function, r13 its argument. The
 * undefined return address tells an unwinder that this is the last frame. */
	.globl	ct_context_start
	.hidden	ct_context_start
	.type	ct_context_start, @function
	.p2align 4
ct_context_start:
	.cfi_startproc
	.cfi_undefined rip
	/* An unwinder looks for the caller one byte before a return address, so
	 * the address that a new stack returns to is not the function's first. */
	nop
	.globl	ct_context_start_return
	.hidden	ct_context_start_return
ct_context_start_return:
	movq	%r13, %rdi
	xorl	%ebp, %ebp
	call	*%r12
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
