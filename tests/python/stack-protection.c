/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack-protection.h"

#include <stdio.h>
#include <stdlib.h>

/* Python needs three times its margin of 16 KiB. */
#define LEAST_BYTES ((size_t) 48 * 1024)

static unsigned n_calls;

static void
say (void)
{
  printf ("%u stacks were protected\n", n_calls);
}

/* Looks whether what is handed over is the running stack, and all of it there. */
int
PyUnstable_ThreadState_SetStackProtection (struct _ts *state, void *start, size_t bytes)
{
  char *here = __builtin_frame_address (0), *lowest = start;

  if (state == NULL || bytes < LEAST_BYTES || here <= lowest || here > lowest + bytes)
    {
      fprintf (stderr, "protected: %p and %zu bytes, running at %p\n", start, bytes, (void *) here);
      abort ();
    }
  for (volatile char *byte = here - 4096; byte > lowest; byte -= 4096)
    *byte = 1; /* beyond the stack lies a guard page */
  *(volatile char *) lowest = 1;
  if (n_calls++ == 0)
    atexit (say);
  return 0;
}
