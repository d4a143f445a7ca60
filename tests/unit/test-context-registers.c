/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack.h"
#include "switch/ct-context.h"

/* What the ABI makes a called function keep, a switch keeps too. */

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

/* ---- any processor: more live values than there are registers ---- */

static guint64 scramble_state = 1;

static guint64 __attribute__ ((noinline))
scramble (void)
{
  scramble_state = scramble_state * 6364136223846793005u + 1442695040888963407u;
  return scramble_state;
}

static guint64 __attribute__ ((noinline))
keep_many_values_alive (void (*leave) (void), guint64 seed)
{
  guint64 a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13, g = seed * 17, h = seed * 19;
  double x = (double) seed, y = (double) seed * 0.5;

  for (guint i = 0; i < 1000; i++)
    {
      leave ();
      a += b ^ i;
      b += c;
      c ^= d + i;
      d += e;
      e ^= f;
      f += g;
      g ^= h;
      h += a;
      x = x * 0.5 + (double) i;
      y = y + x;
    }
  return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ (guint64) (gint64) y;
}

static void
stay_here (void)
{
  scramble ();
}

static guint64 task_result;

static void
keep_values_in_a_task (G_GNUC_UNUSED gpointer unused)
{
  ct_context_entered ();
  task_result = keep_many_values_alive (back, 0x123456789);
  for (;;)
    back ();
}

static void
test_local_values_survive_on_both_sides (void)
{
  guint64 expected_here = keep_many_values_alive (stay_here, 0xabcdef);
  guint64 expected_there = keep_many_values_alive (stay_here, 0x123456789);

  begin (keep_values_in_a_task);

  g_assert_cmphex (keep_many_values_alive (go, 0xabcdef), ==, expected_here);
  go ();
  g_assert_cmphex (task_result, ==, expected_there);
  end ();
}

#if defined(__x86_64__)

/* ---- x86-64: each register by name ---- */

/* register_probe (from, to, in[6], out[6]): loads rbx, rbp, r12 to r15 with
 * `in`, jumps, and stores what they are afterwards in `out`. */
void register_probe (void **from, void *to, const guint64 *in, guint64 *out);

__asm__ (".text\n"
         ".type register_probe, @function\n"
         "register_probe:\n"
         "  pushq %rbx\n  pushq %rbp\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
         "  pushq %rcx\n"
         "  movq 0(%rdx), %rbx\n  movq 8(%rdx), %rbp\n  movq 16(%rdx), %r12\n"
         "  movq 24(%rdx), %r13\n  movq 32(%rdx), %r14\n  movq 40(%rdx), %r15\n"
         "  call ct_context_jump\n"
         "  popq %rcx\n"
         "  movq %rbx, 0(%rcx)\n  movq %rbp, 8(%rcx)\n  movq %r12, 16(%rcx)\n"
         "  movq %r13, 24(%rcx)\n  movq %r14, 32(%rcx)\n  movq %r15, 40(%rcx)\n"
         "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbp\n  popq %rbx\n"
         "  ret\n"
         ".size register_probe, .-register_probe\n");

static const guint64 thread_pattern[6] = { 0x1111111111111111, 0x2222222222222222, 0x3333333333333333,
                                           0x4444444444444444, 0x5555555555555555, 0x6666666666666666 };
static const guint64 task_pattern[6] = { 0xa1a1a1a1a1a1a1a1, 0xb2b2b2b2b2b2b2b2, 0xc3c3c3c3c3c3c3c3,
                                         0xd4d4d4d4d4d4d4d4, 0xe5e5e5e5e5e5e5e5, 0xf6f6f6f6f6f6f6f6 };
static guint64 task_saw[6];

/* Around the bare jump, what ct_context_switch() tells the sanitizers. */
static void
probe (CtContext *from, CtContext *to, const guint64 *in, guint64 *out)
{
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber (&from->fake_stack, to->bottom, to->size);
#endif
#ifdef __SANITIZE_THREAD__
  __tsan_switch_to_fiber (to->fiber, 0);
#endif
  register_probe (&from->saved, to->saved, in, out);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber (from->fake_stack, NULL, NULL);
#endif
}

static void
probe_in_a_task (G_GNUC_UNUSED gpointer unused)
{
  ct_context_entered ();
  for (;;)
    probe (&task_context, &thread_context, task_pattern, task_saw);
}

static void
test_callee_saved_registers_are_kept_on_both_sides (void)
{
  guint64 thread_saw[6] = { 0 };

  begin (probe_in_a_task);
  probe (&thread_context, &task_context, thread_pattern, thread_saw);
  probe (&thread_context, &task_context, thread_pattern, thread_saw);

  g_assert_cmpmem (thread_saw, sizeof thread_saw, thread_pattern, sizeof thread_pattern);
  g_assert_cmpmem (task_saw, sizeof task_saw, task_pattern, sizeof task_pattern);
  end ();
}

#endif

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
  g_test_add_func ("/context/registers/local-values-survive-on-both-sides", test_local_values_survive_on_both_sides);
#if defined(__x86_64__)
  g_test_add_func ("/context/registers/callee-saved-ones-are-kept-on-both-sides", test_callee_saved_registers_are_kept_on_both_sides);
#endif
  result = g_test_run ();
  ct_stack_pool_free (pool);
  return result;
}
