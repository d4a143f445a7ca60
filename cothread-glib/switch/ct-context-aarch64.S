/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AAPCS64: what a callee must preserve is x19-x28, the frame pointer x29, the
 * low halves of v8-v15, the stack pointer, and FPCR (Arm IHI 0055, section
 * 6.1). The link register x30 is where we come back to.
 *
 * A saved stack looks like this, lowest address first:
 *
 *      0  x19 x20 x21 x22 x23 x24 x25 x26 x27 x28
 *     80  x29 x30
 *     96  d8 d9 d10 d11 d12 d13 d14 d15
 *    160  FPCR, 8 unused
 */

#define FRAME 176

	.text

	.globl	ct_context_jump
	.hidden	ct_context_jump
	.type	ct_context_jump, %function
	.p2align 4
ct_context_jump:
	.cfi_startproc
	hint	#34			/* bti c */
	sub	sp, sp, #FRAME
	.cfi_def_cfa_offset FRAME
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	.cfi_offset x19, -FRAME
	.cfi_offset x20, 8-FRAME
	.cfi_offset x21, 16-FRAME
	.cfi_offset x22, 24-FRAME
	.cfi_offset x23, 32-FRAME
	.cfi_offset x24, 40-FRAME
	.cfi_offset x25, 48-FRAME
	.cfi_offset x26, 56-FRAME
	.cfi_offset x27, 64-FRAME
	.cfi_offset x28, 72-FRAME
	.cfi_offset x29, 80-FRAME
	.cfi_offset x30, 88-FRAME
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mrs	x9, fpcr
	str	x9, [sp, #160]

	mov	x10, sp
	str	x10, [x0]
	/* Both stacks have the same layout here, so the CFI stays true. */
	mov	sp, x1

	/* Writing FPCR is slow; it seldom differs. */
	ldr	x11, [sp, #160]
	cmp	x9, x11
	b.eq	1f
	msr	fpcr, x11
1:
	ldp	d14, d15, [sp, #144]
	ldp	d12, d13, [sp, #128]
	ldp	d10, d11, [sp, #112]
	ldp	d8, d9, [sp, #96]
	ldp	x29, x30, [sp, #80]
	ldp	x27, x28, [sp, #64]
	ldp	x25, x26, [sp, #48]
	ldp	x23, x24, [sp, #32]
	ldp	x21, x22, [sp, #16]
	ldp	x19, x20, [sp, #0]
	add	sp, sp, #FRAME
	.cfi_restore x19
	.cfi_restore x20
	.cfi_restore x21
	.cfi_restore x22
	.cfi_restore x23
	.cfi_restore x24
	.cfi_restore x25
	.cfi_restore x26
	.cfi_restore x27
	.cfi_restore x28
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	ret
	.cfi_endproc
	.size	ct_context_jump, .-ct_context_jump

/* Where a new stack begins: x19 is the entry function, x20 its argument. The
 * undefined return address tells an unwinder that this is the last frame. */
	.globl	ct_context_start
	.hidden	ct_context_start
	.type	ct_context_start, %function
	.p2align 4
ct_context_start:
	.cfi_startproc
	.cfi_undefined x30
	/* An unwinder looks for the caller just before a return address, so the
	 * address that a new stack returns to is not the function's first. */
	nop
	.globl	ct_context_start_return
	.hidden	ct_context_start_return
ct_context_start_return:
	mov	x0, x20
	mov	x29, xzr
	mov	x30, xzr
	blr	x19
	brk	#0
	.cfi_endproc
	.size	ct_context_start, .-ct_context_start

	.section .note.GNU-stack,"",%progbits

/* For builds with -mbranch-protection: every target of an indirect branch is
 * marked (BTI). Signed return addresses (PAC) stay on the stack that they were
 * signed for, and this file signs none. */
#if defined __ARM_FEATURE_BTI_DEFAULT && __ARM_FEATURE_BTI_DEFAULT
	.section .note.gnu.property,"a",%note
	.p2align 3
	.word	4			/* "GNU" */
	.word	16			/* the property and its padding */
	.word	5			/* NT_GNU_PROPERTY_TYPE_0 */
	.asciz	"GNU"
	.word	0xc0000000		/* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
	.word	4
# if defined __ARM_FEATURE_PAC_DEFAULT && __ARM_FEATURE_PAC_DEFAULT
	.word	3			/* ..._BTI and _PAC */
# else
	.word	1			/* ..._BTI */
# endif
	.word	0
#endif
