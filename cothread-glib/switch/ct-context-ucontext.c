/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "switch/ct-context-sanitizer.h"
#include "switch/ct-context.h"

#include <fenv.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* The portable backend: two system calls a switch (the signal mask), for
 * processors without an assembly file and for shadow-stack (CET) builds, where
 * the C library's swapcontext switches the shadow stack as well. */

/* makecontext() passes ints only, so a pointer travels as two. */
static void
start (unsigned entry_high, unsigned entry_low, unsigned arg_high, unsigned arg_low)
{
  CtContextEntry entry = (CtContextEntry) (((uint64_t) entry_high << 32) | entry_low);
  void *arg = (void *) (((uint64_t) arg_high << 32) | arg_low);

  entry (arg);
}

void
ct_context_init_thread (CtContext *context)
{
  memset (context, 0, sizeof *context);
  context->saved = calloc (1, sizeof (ucontext_t));
  ct_context_sanitizer_init_thread (context);
}

/* What makecontext() starts with is what getcontext() found. */
uint64_t
ct_context_get_float_control (void)
{
  return (uint64_t) fegetround ();
}

void
ct_context_init (CtContext *context, uint8_t *base, uint8_t *limit, CT_UNUSED unsigned color,
                 uint64_t float_control, CtContextEntry entry, void *arg)
{
  ucontext_t *saved = calloc (1, sizeof (ucontext_t));
  uint64_t entry_bits = (uint64_t) (size_t) entry;
  uint64_t arg_bits = (uint64_t) (size_t) arg;
  int rounding;

  memset (context, 0, sizeof *context);
  rounding = fegetround ();
  fesetround ((int) float_control);
  getcontext (saved);
  fesetround (rounding);
  saved->uc_stack.ss_sp = base;
  saved->uc_stack.ss_size = (size_t) (limit - base);
  makecontext (saved, (void (*) (void)) start, 4,
               (unsigned) (entry_bits >> 32), (unsigned) entry_bits,
               (unsigned) (arg_bits >> 32), (unsigned) arg_bits);
  context->saved = saved;
  ct_context_sanitizer_init (context, base, limit);
}

void
ct_context_clear (CtContext *context)
{
  free (context->saved);
  context->saved = NULL;
  ct_context_sanitizer_clear (context);
}

void
ct_context_jump (void **from, void *to)
{
  swapcontext (*from, to);
}

int
ct_context_get_registers (const CtContext *context, CtContextRegisters *registers)
{
  const ucontext_t *saved = context->saved;

  if (saved == NULL)
    return 0;
  memset (registers, 0, sizeof *registers);
#if defined(__x86_64__)
  registers->pc = (uintptr_t) saved->uc_mcontext.gregs[REG_RIP];
  registers->sp = (uintptr_t) saved->uc_mcontext.gregs[REG_RSP];
  registers->fp = (uintptr_t) saved->uc_mcontext.gregs[REG_RBP];
  registers->preserved[0] = (uintptr_t) saved->uc_mcontext.gregs[REG_RBX];
  registers->preserved[1] = (uintptr_t) saved->uc_mcontext.gregs[REG_R12];
  registers->preserved[2] = (uintptr_t) saved->uc_mcontext.gregs[REG_R13];
  registers->preserved[3] = (uintptr_t) saved->uc_mcontext.gregs[REG_R14];
  registers->preserved[4] = (uintptr_t) saved->uc_mcontext.gregs[REG_R15];
  return 1;
#elif defined(__aarch64__)
  registers->pc = (uintptr_t) saved->uc_mcontext.pc;
  registers->sp = (uintptr_t) saved->uc_mcontext.sp;
  registers->fp = (uintptr_t) saved->uc_mcontext.regs[29];
  for (int i = 0; i < 10; i++)
    registers->preserved[i] = (uintptr_t) saved->uc_mcontext.regs[19 + i];
  return 1;
#else
  return 0;
#endif
}
