/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "switch/ct-context-sanitizer.h"
#include "switch/ct-context.h"

#include <string.h>

#define CACHE_LINE 64

/* The layout that ct-context-x86-64.S describes. */
typedef struct
{
  uint32_t mxcsr;
  uint16_t x87_control;
  uint16_t unused;
  void *r15, *r14, *r13, *r12, *rbx, *rbp;
  void (*return_address) (void);
} SavedFrame;

void ct_context_start_return (void); /* in ct_context_start */

void
ct_context_init_thread (CtContext *context)
{
  memset (context, 0, sizeof *context);
  ct_context_sanitizer_init_thread (context);
}

uint64_t
ct_context_get_float_control (void)
{
  uint32_t mxcsr;
  uint16_t x87_control;

  __asm__ ("stmxcsr %0" : "=m"(mxcsr));
  __asm__ ("fnstcw %0" : "=m"(x87_control));
  return mxcsr | (uint64_t) x87_control << 32;
}

void
ct_context_init (CtContext *context, uint8_t *base, uint8_t *limit, unsigned color,
                 uint64_t float_control, CtContextEntry entry, void *arg)
{
  uint8_t *top = limit - (color % CT_CONTEXT_COLORS) * CACHE_LINE;
  /* ct_context_start is reached by `ret`, with the stack aligned for a call. */
  SavedFrame *frame = (SavedFrame *) (void *) top - 1;

  memset (context, 0, sizeof *context);
  memset (frame, 0, sizeof *frame);
  frame->mxcsr = (uint32_t) float_control;
  frame->x87_control = (uint16_t) (float_control >> 32);
  frame->r12 = (void *) entry;
  frame->r13 = arg;
  frame->return_address = ct_context_start_return;
  context->saved = frame;
  ct_context_sanitizer_init (context, base, limit);
}

void
ct_context_clear (CtContext *context)
{
  ct_context_sanitizer_clear (context);
  context->saved = NULL;
}

int
ct_context_get_registers (const CtContext *context, CtContextRegisters *registers)
{
  const SavedFrame *frame = context->saved;

  if (frame == NULL)
    return 0;
  *registers = (CtContextRegisters) {
    .pc = (uintptr_t) frame->return_address,
    .sp = (uintptr_t) (frame + 1),
    .fp = (uintptr_t) frame->rbp,
    .preserved = { (uintptr_t) frame->rbx, (uintptr_t) frame->r12, (uintptr_t) frame->r13,
                   (uintptr_t) frame->r14, (uintptr_t) frame->r15 },
  };
  return 1;
}
