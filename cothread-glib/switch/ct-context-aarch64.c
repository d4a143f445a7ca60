/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "switch/ct-context-sanitizer.h"
#include "switch/ct-context.h"

#include <string.h>

#define CACHE_LINE 64

/* The layout that ct-context-aarch64.S describes. */
typedef struct
{
  void *x19, *x20, *x21_to_x28[8];
  void *x29;
  void (*x30) (void);
  uint64_t d8_to_d15[8];
  uint64_t fpcr;
  uint64_t unused;
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
  uint64_t fpcr;

  __asm__ volatile ("mrs %0, fpcr" : "=r"(fpcr));
  return fpcr;
}

void
ct_context_init (CtContext *context, uint8_t *base, uint8_t *limit, unsigned color,
                 uint64_t float_control, CtContextEntry entry, void *arg)
{
  uint8_t *top = limit - (color % CT_CONTEXT_COLORS) * CACHE_LINE;
  SavedFrame *frame = (SavedFrame *) (void *) top - 1;

  memset (context, 0, sizeof *context);
  memset (frame, 0, sizeof *frame);
  frame->fpcr = float_control;
  frame->x19 = (void *) entry;
  frame->x20 = arg;
  frame->x30 = ct_context_start_return;
  context->saved = frame;
  ct_context_sanitizer_init (context, base, limit);
}

void
ct_context_clear (CtContext *context)
{
  ct_context_sanitizer_clear (context);
  context->saved = 0;
}

int
ct_context_get_registers (const CtContext *context, CtContextRegisters *registers)
{
  const SavedFrame *frame = context->saved;

  if (frame == NULL)
    return 0;
  *registers = (CtContextRegisters) {
    .pc = (uintptr_t) frame->x30,
    .sp = (uintptr_t) (frame + 1),
    .fp = (uintptr_t) frame->x29,
    .preserved = { (uintptr_t) frame->x19, (uintptr_t) frame->x20 },
  };
  memcpy (&registers->preserved[2], frame->x21_to_x28, sizeof frame->x21_to_x28);
  return 1;
}
