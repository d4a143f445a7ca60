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
  void *rbp;
  void (*go_on) (void);
} SavedFrame;

/* What ct_context_start finds above it. */
typedef struct
{
  CtContextEntry entry;
  void *arg;
} FirstFrame;

void ct_context_start_here (void); /* in ct_context_start */

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
  FirstFrame *first = (FirstFrame *) (void *) top - 1;
  SavedFrame *frame = (SavedFrame *) (void *) first - 1;

  memset (context, 0, sizeof *context);
  *first = (FirstFrame) { entry, arg };
  *frame = (SavedFrame) {
    .mxcsr = (uint32_t) float_control,
    .x87_control = (uint16_t) (float_control >> 32),
    .go_on = ct_context_start_here,
  };
  context->saved = first;
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
  const SavedFrame *frame;

  if (context->saved == NULL)
    return 0;
  frame = (const SavedFrame *) context->saved - 1;
  /* The others are in the innermost frame, and its unwind table knows where. */
  *registers = (CtContextRegisters) {
    .pc = (uintptr_t) frame->go_on,
    .sp = (uintptr_t) context->saved,
    .fp = (uintptr_t) frame->rbp,
  };
  return 1;
}
