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
  uintptr_t preserved[10]; /* x86-64: rbx, r12-r15; AArch64: x19-x28 */
} CtContextRegisters;

/* FALSE: it never began, or this backend cannot tell. */
int ct_context_get_registers (const CtContext *context, CtContextRegisters *registers);

/* The backend: saves the caller in *from, continues `to`. */
void ct_context_jump (void **from, void *to);

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

/* To be called first in every entry function. */
static inline void
ct_context_entered (void)
{
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber (NULL, NULL, NULL);
#endif
}
