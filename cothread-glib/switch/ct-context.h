/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Free of GLib, so that this folder's test runs wherever a compiler does. */

#include <stddef.h>
#include <stdint.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#define CT_UNUSED __attribute__ ((unused))

/* A place to come back to: the registers that the ABI makes a function keep,
 * saved on the stack they belong to. One backend is compiled in; all switch
 * only between stacks of one thread. */

typedef void (*CtContextEntry) (void *arg);

typedef struct
{
  void *saved; /* x86-64: the stack pointer; ucontext: a ucontext_t */
#ifdef __SANITIZE_ADDRESS__
  void *fake_stack;
  const void *bottom;
  size_t size;
#endif
#ifdef __SANITIZE_THREAD__
  void *fiber;
#endif
} CtContext;

/* The context of the calling thread's own stack; filled in by the first switch
 * away from it. */
void ct_context_init_thread (CtContext *context);

/* How the caller computes at the moment: rounding, traps. */
uint64_t ct_context_get_float_control (void);

/* A context that, at the first switch to it, calls entry (arg) on the given
 * stack, computing as float_control says; entry must not return. `color` moves the first frame by a few cache
 * lines, so that stacks of equal alignment do not fight for the same cache
 * sets. */
void ct_context_init (CtContext *context, uint8_t *base, uint8_t *limit, unsigned color,
                      uint64_t float_control, CtContextEntry entry, void *arg);

/* Frees what a backend or a sanitizer holds; the stack is the caller's. */
void ct_context_clear (CtContext *context);

#define CT_CONTEXT_COLORS 16

/* Where a context that nobody is on will go on: for whoever walks its stack. */
typedef struct
{
  uintptr_t pc;
  uintptr_t sp; /* as it will be at pc */
  uintptr_t fp;
  uintptr_t preserved[10]; /* AArch64: x19-x28; ucontext on x86-64: rbx, r12-r15 */
} CtContextRegisters;

/* FALSE: it never began, or this backend cannot tell. */
int ct_context_get_registers (const CtContext *context, CtContextRegisters *registers);

/* The backend: saves the caller in *from, continues `to`. */
void ct_context_jump (void **from, void *to);

#ifdef CT_CONTEXT_X86_64
#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define CT_CFI(directives) directives
#else
#define CT_CFI(directives) ""
#endif

/* The same without a call, for the hottest of the switches; the layout is that
 * of ct-context-x86-64.S. Only for a function that calls others as well: then
 * the compiler keeps nothing below the stack pointer. The compiler is told that
 * every register is lost, so it puts away those that its caller needs. */
static inline __attribute__ ((always_inline)) void
ct_context_jump_inline (void **from, void *to)
{
  __asm__ volatile ("leaq 3f(%%rip), %%rax\n\t"
                    "stmxcsr -24(%%rsp)\n\t"
                    "fnstcw -20(%%rsp)\n\t"
                    "movq %%rbp, -16(%%rsp)\n\t"
                    "movq %%rax, -8(%%rsp)\n\t"
                    "movl -24(%%rsp), %%ecx\n\t"
                    "movzwl -20(%%rsp), %%edx\n\t"
                    "movq %%rsp, (%0)\n\t"
                    "movq %1, %%rsp\n\t"
                    CT_CFI (".cfi_remember_state\n\t"
                            ".cfi_def_cfa rsp, 0\n\t"
                            ".cfi_offset rip, -8\n\t"
                            ".cfi_offset rbp, -16\n\t"
                            ".cfi_same_value rbx\n\t"
                            ".cfi_same_value r12\n\t"
                            ".cfi_same_value r13\n\t"
                            ".cfi_same_value r14\n\t"
                            ".cfi_same_value r15\n\t")
                    "movq -16(%1), %%rbp\n\t"
                    "xorl -24(%1), %%ecx\n\t"
                    "testl $0xffffffc0, %%ecx\n\t"
                    "jne 4f\n"
                    "1:\t"
                    "cmpw -20(%1), %%dx\n\t"
                    "jne 5f\n"
                    "2:\t"
                    "jmp *-8(%1)\n"
                    "4:\t"
                    "ldmxcsr -24(%1)\n\t"
                    "jmp 1b\n"
                    "5:\t"
                    "fldcw -20(%1)\n\t"
                    "jmp 2b\n\t"
                    CT_CFI (".cfi_restore_state\n\t")
                    "nop\n"
                    "3:\t"
                    "endbr64"
                    : "+D"(from), "+S"(to)
                    :
                    : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                      "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                      "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
#ifdef __AVX512F__
                      "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
                      "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31",
                      "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#endif
#ifdef __APX_F__
                      "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23",
                      "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31",
#endif
                      "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
                      "memory", "cc");
}
#else
#define ct_context_jump_inline ct_context_jump
#endif

static inline __attribute__ ((always_inline)) void
ct_context_switch (CtContext *from, CtContext *to, CT_UNUSED int from_is_finished)
{
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber (from_is_finished ? NULL : &from->fake_stack, to->bottom, to->size);
#endif
#ifdef __SANITIZE_THREAD__
  __tsan_switch_to_fiber (to->fiber, 0);
#endif
  ct_context_jump (&from->saved, to->saved);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber (from->fake_stack, NULL, NULL);
#endif
}

static inline __attribute__ ((always_inline)) void
ct_context_switch_inline (CtContext *from, CtContext *to)
{
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber (&from->fake_stack, to->bottom, to->size);
#endif
#ifdef __SANITIZE_THREAD__
  __tsan_switch_to_fiber (to->fiber, 0);
#endif
  ct_context_jump_inline (&from->saved, to->saved);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber (from->fake_stack, NULL, NULL);
#endif
}

/* To be called first in every entry function. */
static inline void
ct_context_entered (void)
{
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber (NULL, NULL, NULL);
#endif
}
