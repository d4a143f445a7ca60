/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The switch alone, free of GLib, so that it runs under qemu-user for other
 * processors as well. Prints TAP. */

#include "switch/ct-context.h"

#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (64 * 1024)
#define MANY 200

static CtContext main_context;
static int n_tests;
static int n_failed;

static void
check (int condition, const char *name)
{
  printf ("%sok %d - %s\n", condition ? "" : "not ", ++n_tests, name);
  n_failed += !condition;
}

typedef struct
{
  CtContext context;
  uint8_t *stack;
  int number;
  int steps;
  int wrong;
} Coroutine;

static void
leave (Coroutine *self)
{
  ct_context_switch (&self->context, &main_context, 0);
}

static void
resume (Coroutine *self)
{
  ct_context_switch (&main_context, &self->context, 0);
}

static void
start (Coroutine *self, void (*entry) (void *), int number)
{
  memset (self, 0, sizeof *self);
  self->number = number;
  self->stack = aligned_alloc (4096, STACK_BYTES);
  ct_context_init (&self->context, self->stack, self->stack + STACK_BYTES, (unsigned) number, ct_context_get_float_control (), entry, self);
}

static void
stop (Coroutine *self)
{
  ct_context_clear (&self->context);
  free (self->stack);
}

/* Keeps more live values than there are registers to keep them in, so that all
 * callee-saved ones hold something of this coroutine's. */
static int
busy (Coroutine *self, int depth)
{
  volatile int seed = self->number * 1000 + depth;
  int a = seed + 1, b = seed + 2, c = seed + 3, d = seed + 4, e = seed + 5, f = seed + 6, g = seed + 7, h = seed + 8;
  double p = seed + 0.5, q = seed + 1.5, r = seed + 2.5, s = seed + 3.5, t = seed + 4.5, u = seed + 5.5;
  int wrong = depth > 0 ? busy (self, depth - 1) : 0;

  leave (self);
  self->steps++;
  wrong += a != seed + 1 || b != seed + 2 || c != seed + 3 || d != seed + 4;
  wrong += e != seed + 5 || f != seed + 6 || g != seed + 7 || h != seed + 8;
  wrong += p != seed + 0.5 || q != seed + 1.5 || r != seed + 2.5 || s != seed + 3.5 || t != seed + 4.5 || u != seed + 5.5;
  return wrong;
}

static void
run_busy (void *arg)
{
  Coroutine *self = arg;

  ct_context_entered ();
  for (;;)
    {
      self->wrong += busy (self, 5);
      leave (self);
    }
}

static void
test_registers_and_locals_survive_switches_among_many (void)
{
  static Coroutine coroutines[MANY];
  int steps = 0, wrong = 0;

  for (int i = 0; i < MANY; i++)
    start (&coroutines[i], run_busy, i);
  for (int round = 0; round < 1000; round++)
    for (int i = 0; i < MANY; i++)
      resume (&coroutines[i]);
  for (int i = 0; i < MANY; i++)
    {
      steps += coroutines[i].steps;
      wrong += coroutines[i].wrong;
      stop (&coroutines[i]);
    }
  check (steps > MANY * 800, "coroutines go on where they left");
  check (wrong == 0, "registers and locals survive switches among many");
}

static void
run_rounding_up (void *arg)
{
  Coroutine *self = arg;

  ct_context_entered ();
  fesetround (FE_UPWARD);
  for (;;)
    {
      leave (self);
      self->wrong += fegetround () != FE_UPWARD;
      self->steps++;
    }
}

static void
test_the_rounding_mode_belongs_to_the_context (void)
{
  Coroutine coroutine;
  int kept = 1;

  start (&coroutine, run_rounding_up, 3);
  for (int i = 0; i < 10; i++)
    {
      resume (&coroutine);
      kept &= fegetround () == FE_TONEAREST;
    }
  check (kept, "a rounding mode set in a coroutine does not reach its resumer");
  check (coroutine.steps == 9 && coroutine.wrong == 0, "a rounding mode set in a coroutine stays there");
  stop (&coroutine);
}

static void
run_argument (void *arg)
{
  Coroutine *self = arg;
  uintptr_t here = (uintptr_t) __builtin_frame_address (0);

  ct_context_entered ();
  self->steps = self->number;
#ifndef __SANITIZE_ADDRESS__ /* its frames may be elsewhere */
  self->wrong = here < (uintptr_t) self->stack || here >= (uintptr_t) self->stack + STACK_BYTES;
#endif
  (void) here;
  for (;;)
    leave (self);
}

static void
test_an_entry_gets_its_argument_on_its_own_stack (void)
{
  Coroutine coroutine;

  start (&coroutine, run_argument, 42);
  resume (&coroutine);
  check (coroutine.steps == 42, "an entry gets its argument");
  check (coroutine.wrong == 0, "an entry runs on its own stack");
  stop (&coroutine);
}

int
main (void)
{
  ct_context_init_thread (&main_context);
  test_registers_and_locals_survive_switches_among_many ();
  test_the_rounding_mode_belongs_to_the_context ();
  test_an_entry_gets_its_argument_on_its_own_stack ();
  ct_context_clear (&main_context);
  printf ("1..%d\n", n_tests);
  return n_failed != 0;
}
