/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack.h"
#include "switch/ct-context.h"

#include <fenv.h>

/* The control of the floating-point units belongs to a context; their sticky
 * flags to nobody. */

static CtStackPool *pool;
static CtContext thread_context;
static CtContext task_context;
static CtStack *stack;

static void
go (void)
{
  ct_context_switch (&thread_context, &task_context, FALSE);
}

static void
back (void)
{
  ct_context_switch (&task_context, &thread_context, FALSE);
}

static void
begin (CtContextEntry entry)
{
  stack = ct_stack_pool_acquire (pool, CT_STACK_DEFAULT_BYTES, NULL);
  ct_context_init_thread (&thread_context);
  ct_context_init (&task_context, stack->base, stack->limit, 3, ct_context_get_float_control (), entry, NULL);
}

static void
end (void)
{
  ct_context_clear (&task_context);
  ct_context_clear (&thread_context);
  ct_stack_pool_release (pool, stack);
}

/* ---- rounding mode: every processor that has one keeps it per context ---- */

static int task_rounding;

static void
round_towards_zero (G_GNUC_UNUSED gpointer unused)
{
  ct_context_entered ();
  task_rounding = fegetround ();
  back ();
  fesetround (FE_TOWARDZERO);
  for (;;)
    {
      back ();
      task_rounding = fegetround ();
    }
}

static void
test_the_rounding_mode_is_per_context (void)
{
  begin (round_towards_zero);
  go ();
  go ();

  g_assert_cmpint (fegetround (), ==, FE_TONEAREST);
  fesetround (FE_UPWARD);
  go ();
  g_assert_cmpint (task_rounding, ==, FE_TOWARDZERO);
  g_assert_cmpint (fegetround (), ==, FE_UPWARD);
  fesetround (FE_TONEAREST);
  end ();
}

static void
test_a_new_context_rounds_as_whoever_made_it (void)
{
  fesetround (FE_DOWNWARD);
  begin (round_towards_zero);
  fesetround (FE_TONEAREST);

  go ();

  g_assert_cmpint (task_rounding, ==, FE_DOWNWARD);
  g_assert_cmpint (fegetround (), ==, FE_TONEAREST);
  end ();
}

#if defined(__x86_64__)

/* ---- x86-64: the two floating-point units ---- */

#define MXCSR_FLUSH_TO_ZERO 0x8000u
#define MXCSR_INEXACT_FLAG 0x0020u
#define X87_DEFAULT 0x037fu
#define X87_SINGLE_PRECISION 0x007fu

static guint32
get_mxcsr (void)
{
  guint32 value;

  __asm__ volatile ("stmxcsr %0" : "=m"(value));
  return value;
}

static void
set_mxcsr (guint32 value)
{
  __asm__ volatile ("ldmxcsr %0" : : "m"(value));
}

static guint16
get_x87_control (void)
{
  guint16 value;

  __asm__ volatile ("fnstcw %0" : "=m"(value));
  return value;
}

static void
set_x87_control (guint16 value)
{
  __asm__ volatile ("fldcw %0" : : "m"(value));
}

static guint32 task_mxcsr;
static guint16 task_x87_control;

static void
flush_to_zero (G_GNUC_UNUSED gpointer unused)
{
  ct_context_entered ();
  set_mxcsr (get_mxcsr () | MXCSR_FLUSH_TO_ZERO);
  for (;;)
    {
      back ();
      task_mxcsr = get_mxcsr ();
    }
}

static void
test_mxcsr_control_bits_are_per_context (void)
{
  begin (flush_to_zero);
  go ();

  g_assert_cmphex (get_mxcsr () & MXCSR_FLUSH_TO_ZERO, ==, 0);
  go ();
  g_assert_cmphex (task_mxcsr & MXCSR_FLUSH_TO_ZERO, ==, MXCSR_FLUSH_TO_ZERO);
  g_assert_cmphex (get_mxcsr () & MXCSR_FLUSH_TO_ZERO, ==, 0);
  end ();
}

static void
compute_in_single_precision (G_GNUC_UNUSED gpointer unused)
{
  ct_context_entered ();
  set_x87_control (X87_SINGLE_PRECISION);
  for (;;)
    {
      back ();
      task_x87_control = get_x87_control ();
    }
}

static void
test_the_x87_control_word_is_per_context (void)
{
  begin (compute_in_single_precision);
  go ();

  g_assert_cmphex (get_x87_control (), ==, X87_DEFAULT);
  go ();
  g_assert_cmphex (task_x87_control, ==, X87_SINGLE_PRECISION);
  g_assert_cmphex (get_x87_control (), ==, X87_DEFAULT);
  end ();
}

static void
raise_the_inexact_flag (G_GNUC_UNUSED gpointer unused)
{
  ct_context_entered ();
  for (;;)
    {
      set_mxcsr (get_mxcsr () | MXCSR_INEXACT_FLAG);
      back ();
    }
}

/* Reloading mxcsr costs more than the rest of the switch. Where it was not
 * reloaded, a flag that the task raised is still up. */
static void
test_sticky_flags_alone_force_no_reload (void)
{
  begin (raise_the_inexact_flag);
  if ((guint8 *) task_context.saved < stack->base || (guint8 *) task_context.saved >= stack->limit)
    {
      end ();
      g_test_skip ("this backend leaves the floating-point state to the C library");
      return;
    }
  set_mxcsr (get_mxcsr () & ~MXCSR_INEXACT_FLAG);

  go ();

  g_assert_cmphex (get_mxcsr () & MXCSR_INEXACT_FLAG, ==, MXCSR_INEXACT_FLAG);
  set_mxcsr (get_mxcsr () & ~MXCSR_INEXACT_FLAG);
  end ();
}

#endif

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
  g_test_add_func ("/context/float/the-rounding-mode-is-per-context", test_the_rounding_mode_is_per_context);
  g_test_add_func ("/context/float/a-new-one-rounds-as-whoever-made-it", test_a_new_context_rounds_as_whoever_made_it);
#if defined(__x86_64__)
  g_test_add_func ("/context/float/mxcsr-control-bits-are-per-context", test_mxcsr_control_bits_are_per_context);
  g_test_add_func ("/context/float/the-x87-control-word-is-per-context", test_the_x87_control_word_is_per_context);
  g_test_add_func ("/context/float/sticky-flags-alone-force-no-reload", test_sticky_flags_alone_force_no_reload);
#endif
  result = g_test_run ();
  ct_stack_pool_free (pool);
  return result;
}
