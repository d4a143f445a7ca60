/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack.h"
#include "switch/ct-context.h"

#define STACK_BYTES ((gsize) 1024 * 1024)

/* One other context beside the thread's own, and what its function is told. */
typedef struct _Other Other;

struct _Other
{
  CtContext thread;
  CtContext context;
  CtStack *stack;
  void (*body) (Other *other);
  gpointer data;
  gint value;
  gboolean has_ended;
};

static CtStackPool *pool;

static void
back (Other *other)
{
  ct_context_switch (&other->context, &other->thread, FALSE);
}

static void
go (Other *other)
{
  ct_context_switch (&other->thread, &other->context, FALSE);
}

static void
enter (gpointer data)
{
  Other *other = data;

  ct_context_entered ();
  other->body (other);
  other->has_ended = TRUE;
  ct_context_switch (&other->context, &other->thread, TRUE);
  g_assert_not_reached ();
}

static void
begin (Other *other, void (*body) (Other *other), guint color)
{
  other->body = body;
  other->stack = ct_stack_pool_acquire (pool, STACK_BYTES, NULL);
  ct_context_init_thread (&other->thread);
  ct_context_init (&other->context, other->stack->base, other->stack->limit, color, ct_context_get_float_control (), enter, other);
}

static void
end (Other *other)
{
  g_assert_true (other->has_ended);
  ct_context_clear (&other->context);
  ct_context_clear (&other->thread);
  ct_stack_pool_release (pool, other->stack);
}

static void
do_nothing (G_GNUC_UNUSED Other *other)
{
}

static void
test_nothing_runs_before_the_first_switch (void)
{
  Other other = { 0 };

  begin (&other, do_nothing, 0);

  g_assert_false (other.has_ended);
  go (&other);
  end (&other);
}

static void
say_what_was_given (Other *other)
{
  *(const char **) other->data = "given";
}

static void
test_the_entry_function_gets_its_argument (void)
{
  const char *answer = NULL;
  Other other = { .data = &answer };

  begin (&other, say_what_was_given, 0);
  go (&other);

  g_assert_cmpstr (answer, ==, "given");
  end (&other);
}

static void
count_up (Other *other)
{
  for (gint i = 1; i <= 1000; i++)
    {
      other->value = i;
      back (other);
    }
}

static void
test_ping_pong_goes_on_where_each_side_left_off (void)
{
  Other other = { 0 };

  begin (&other, count_up, 0);
  for (gint i = 1; i <= 1000; i++)
    {
      go (&other);
      g_assert_cmpint (other.value, ==, i);
    }
  go (&other);
  end (&other);
}

/* Switches in the depth of the recursion and on the way back. */
static guint __attribute__ ((noinline))
descend (Other *other, guint depth)
{
  volatile guint local[16];
  guint below;

  for (guint i = 0; i < G_N_ELEMENTS (local); i++)
    local[i] = depth * 31 + i;
  if (depth % 64 == 0)
    back (other);
  below = depth == 0 ? 0 : descend (other, depth - 1);
  if (depth % 64 == 0)
    back (other);
  for (guint i = 0; i < G_N_ELEMENTS (local); i++)
    g_assert_cmpuint (local[i], ==, depth * 31 + i);
  return below + 1;
}

static void
recurse_deeply (Other *other)
{
  other->value = (gint) descend (other, 2000);
}

static guint __attribute__ ((noinline))
descend_on_the_thread (Other *other, guint depth)
{
  volatile guint local = depth;

  if (!other->has_ended)
    go (other);
  if (depth > 0)
    descend_on_the_thread (other, depth - 1);
  g_assert_cmpuint (local, ==, depth);
  return local;
}

static void
test_two_deep_recursions_do_not_disturb_each_other (void)
{
  Other other = { 0 };

  begin (&other, recurse_deeply, 0);
  descend_on_the_thread (&other, 100);

  g_assert_cmpint (other.value, ==, 2001);
  end (&other);
}

static void
note_frame (Other *other)
{
  *(guint8 **) other->data = __builtin_frame_address (0);
}

static void
test_the_entry_function_runs_on_the_given_stack_whatever_its_color (void)
{
  for (guint color = 0; color < 3 * CT_CONTEXT_COLORS; color++)
    {
      guint8 *frame = NULL;
      Other other = { .data = &frame };

      begin (&other, note_frame, color);
      go (&other);

      g_assert_true (frame >= other.stack->base && frame < other.stack->limit);
      g_assert_true (frame >= other.stack->limit - 8192);
      end (&other);
    }
}

/* The compiler stores 16 bytes at once into such a variable, with instructions
 * that fault where the stack is not aligned as the ABI says. */
static void
use_aligned_storage (Other *other)
{
  typedef gint Four __attribute__ ((vector_size (16)));
  volatile Four aligned = { 1, 2, 3, 4 };

  aligned += (Four) { 1, 1, 1, 1 };
  g_assert_cmpuint ((gsize) &aligned % 16, ==, 0);
  other->value = aligned[3];
}

static void
test_the_first_frame_is_aligned_as_the_abi_says_whatever_its_color (void)
{
  for (guint color = 0; color < CT_CONTEXT_COLORS; color++)
    {
      Other other = { 0 };

      begin (&other, use_aligned_storage, color);
      go (&other);

      g_assert_cmpint (other.value, ==, 5);
      end (&other);
    }
}

static void
test_a_finished_contexts_stack_can_be_used_again (void)
{
  for (guint i = 0; i < 1000; i++)
    {
      Other other = { 0 };

      begin (&other, recurse_deeply, i);
      while (!other.has_ended)
        go (&other);

      g_assert_cmpint (other.value, ==, 2001);
      end (&other);
    }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
  g_test_add_func ("/context/nothing-runs-before-the-first-switch", test_nothing_runs_before_the_first_switch);
  g_test_add_func ("/context/the-entry-function-gets-its-argument", test_the_entry_function_gets_its_argument);
  g_test_add_func ("/context/ping-pong-goes-on-where-each-side-left-off", test_ping_pong_goes_on_where_each_side_left_off);
  g_test_add_func ("/context/two-deep-recursions-do-not-disturb-each-other", test_two_deep_recursions_do_not_disturb_each_other);
  g_test_add_func ("/context/the-entry-function-runs-on-the-given-stack-whatever-its-color",
                   test_the_entry_function_runs_on_the_given_stack_whatever_its_color);
  g_test_add_func ("/context/the-first-frame-is-aligned-as-the-abi-says-whatever-its-color",
                   test_the_first_frame_is_aligned_as_the_abi_says_whatever_its_color);
  g_test_add_func ("/context/a-finished-ones-stack-can-be-used-again", test_a_finished_contexts_stack_can_be_used_again);
  result = g_test_run ();
  ct_stack_pool_free (pool);
  return result;
}
