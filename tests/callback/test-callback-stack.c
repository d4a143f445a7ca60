/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Whose stack runs what: a callback may be a foreign closure, which can run
 * nowhere but on the thread's own stack. */

static guint n_on_own_stack;
static guint n_on_other_stack;

static void
count_stack (G_GNUC_UNUSED CallbackFixture *f)
{
  if (callback_is_on_own_stack ())
    n_on_own_stack++;
  else
    n_on_other_stack++;
}

static void
forget_stacks (void)
{
  n_on_own_stack = n_on_other_stack = 0;
}

static void
test_a_callback_runs_on_the_threads_own_stack (CallbackFixture *f)
{
  Parcel parcel = { .then = count_stack };

  forget_stacks ();
  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_run_idle (f);

  callback_assert_parcel (&parcel, 1);
  g_assert_cmpuint (n_on_own_stack, ==, 1);
}

static gpointer
post_and_let_run (gpointer data, G_GNUC_UNUSED GError **error)
{
  Parcel *parcel = data;

  g_assert_false (callback_is_on_own_stack ());
  callback_post_parcel (parcel->fixture, COTHREAD_CALLBACK_DEFAULT, parcel, NULL);
  while (g_atomic_int_get (&parcel->destroyed) == 0)
    cothread_yield (NULL);
  return NULL;
}

static void
test_a_callback_that_a_task_posts_runs_on_the_threads_own_stack (CallbackFixture *f)
{
  Parcel parcel = { .fixture = f, .then = count_stack };

  forget_stacks ();
  callback_in_task (f, post_and_let_run, &parcel);

  callback_assert_parcel (&parcel, 1);
  g_assert_cmpuint (n_on_own_stack, ==, 1);
  g_assert_true (parcel.destroyed_on_own_stack);
}

static gpointer
post_and_run_a_loop (gpointer data, G_GNUC_UNUSED GError **error)
{
  Parcel *parcel = data;

  callback_post_parcel (parcel->fixture, COTHREAD_CALLBACK_DEFAULT, parcel, NULL);
  callback_run_until (parcel->fixture, g_atomic_int_get (&parcel->destroyed) > 0);
  return NULL;
}

static void
test_a_callback_runs_on_the_threads_own_stack_even_if_a_task_runs_the_loop (CallbackFixture *f)
{
  Parcel parcel = { .fixture = f, .then = count_stack };

  forget_stacks ();
  callback_in_task (f, post_and_run_a_loop, &parcel);

  callback_assert_parcel (&parcel, 1);
  g_assert_cmpuint (n_on_own_stack, ==, 1);
  g_assert_true (parcel.destroyed_on_own_stack);
}

static void
post_for_the_task (gpointer data)
{
  Parcel *parcel = data;

  g_assert_true (callback_is_on_own_stack ());
  callback_post_parcel (parcel->fixture, COTHREAD_CALLBACK_DEFAULT, parcel, NULL);
}

static gpointer
call_on_thread_stack (gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_call_on_thread_stack (post_for_the_task, data);
  return NULL;
}

static void
test_a_post_works_from_the_threads_own_stack_for_a_task (CallbackFixture *f)
{
  Parcel parcel = { .fixture = f, .then = count_stack };

  forget_stacks ();
  callback_in_task (f, call_on_thread_stack, &parcel);
  callback_run_idle (f);

  callback_assert_parcel (&parcel, 1);
  g_assert_cmpuint (n_on_own_stack, ==, 1);
}

static void
test_among_many_of_both_kinds_only_those_that_may_wait_leave_the_own_stack (CallbackFixture *f)
{
  Parcel parcels[300] = { 0 };

  forget_stacks ();
  for (guint i = 0; i < G_N_ELEMENTS (parcels); i++)
    {
      parcels[i].then = count_stack;
      callback_post_parcel (f, i % 3 == 0 ? COTHREAD_CALLBACK_MAY_WAIT : COTHREAD_CALLBACK_DEFAULT, &parcels[i], NULL);
    }
  callback_run_idle (f);

  g_assert_cmpuint (n_on_own_stack, ==, 200);
  g_assert_cmpuint (n_on_other_stack, ==, 100);
}

static void
try_to_sleep (G_GNUC_UNUSED CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_sleep (0, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
}

static void
test_a_wait_in_a_callback_is_an_error_and_the_queue_goes_on (CallbackFixture *f)
{
  Parcel parcel = { .name = "a", .then = try_to_sleep };

  callback_post_parcel (f, COTHREAD_CALLBACK_DEFAULT, &parcel, NULL);
  callback_post_word (f, "b");
  callback_run_idle (f);

  callback_assert_said (f, "a b");
}

static void
sleep_in_task (G_GNUC_UNUSED CallbackFixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (cothread_task_self ());
  g_assert_false (callback_is_on_own_stack ());
  cothread_sleep (0, &error);
  g_assert_no_error (error);
}

static void
test_a_callback_that_may_wait_runs_in_a_task (CallbackFixture *f)
{
  Parcel parcel = { .then = sleep_in_task };

  callback_post_parcel (f, COTHREAD_CALLBACK_MAY_WAIT, &parcel, NULL);
  callback_run_idle (f);

  callback_assert_parcel (&parcel, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("stack", a_callback_runs_on_the_threads_own_stack);
  callback_test_add ("stack", a_callback_that_a_task_posts_runs_on_the_threads_own_stack);
  callback_test_add ("stack", a_callback_runs_on_the_threads_own_stack_even_if_a_task_runs_the_loop);
  callback_test_add ("stack", a_post_works_from_the_threads_own_stack_for_a_task);
  callback_test_add ("stack", among_many_of_both_kinds_only_those_that_may_wait_leave_the_own_stack);
  callback_test_add ("stack", a_wait_in_a_callback_is_an_error_and_the_queue_goes_on);
  callback_test_add ("stack", a_callback_that_may_wait_runs_in_a_task);
  return g_test_run ();
}
