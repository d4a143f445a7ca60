/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Where the answer comes while nothing else is ready, the task goes on in the
 * dispatch that brought it. The operation here is begun, and answered, by hand. */

static GAsyncReadyCallback answer_to;
static gpointer answer_data;

static void
operate_async (gint number, G_GNUC_UNUSED GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_cmpint (number, ==, 7);
  answer_to = callback;
  answer_data = user_data;
}

static void
answer (void)
{
  g_autoptr (GTask) result = g_task_new (NULL, NULL, NULL, NULL);

  answer_to (NULL, G_ASYNC_RESULT (result), answer_data);
}

static gboolean
answer_in_dispatch (G_GNUC_UNUSED gpointer unused)
{
  say ("<");
  answer ();
  say (">");
  return G_SOURCE_REMOVE;
}

static void
await (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = cothread_await (&error, operate_async, 7);

  g_assert_no_error (error);
  g_assert_nonnull (result);
}

static gpointer
await_twice (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  await ();
  say ("a");
  await ();
  say ("b");
  return NULL;
}

static void
test_it_goes_on_in_the_dispatch_that_brought_the_answer (void)
{
  start ("t", await_twice, NULL);
  settle ();
  add_source (0, answer_in_dispatch, NULL);
  settle ();
  assert_said ("< a >");
  add_source (200, answer_in_dispatch, NULL);
  settle ();
  assert_said ("< b >"); /* and ends there */
  g_assert_cmpuint (live_tasks (), ==, 0);
  assert_scheduler_works ();
}

static void
test_outside_any_dispatch_it_waits_for_the_loop (void)
{
  start ("t", await_twice, NULL);
  settle ();
  answer ();
  assert_said ("");
  settle ();
  assert_said ("a");
  answer ();
  settle ();
  assert_said ("b");
}

static gboolean
spawn_and_answer (G_GNUC_UNUSED gpointer unused)
{
  start ("first", say_own_name, NULL);
  answer ();
  say (">");
  return G_SOURCE_REMOVE;
}

static void
test_who_was_ready_before_goes_first (void)
{
  start ("t", await_twice, NULL);
  settle ();
  add_source (0, spawn_and_answer, NULL);
  settle ();
  assert_said ("> first a");
  answer ();
  settle ();
  assert_said ("b");
}

static gpointer
spawn_others (G_GNUC_UNUSED gpointer unused, GError **error)
{
  await ();
  start ("x", say_own_name, NULL);
  start ("y", say_own_name, NULL);
  say ("spawned");
  cothread_yield (error);
  say ("yielded");
  return NULL;
}

static void
test_only_that_task_goes_on (void)
{
  start ("t", spawn_others, NULL);
  settle ();
  add_source (0, answer_in_dispatch, NULL);
  settle ();
  assert_said ("< spawned > x y yielded");
}

static gpointer
compute (gpointer n, GError **error)
{
  await ();
  for (guint i = 0; i < 5; i++)
    {
      g_assert_true (cothread_checkpoint (error));
      ++*(guint *) n;
    }
  say ("done");
  return NULL;
}

static void
test_a_checkpoint_there_leaves_the_rest_to_a_turn (void)
{
  guint n = 0;

  start ("t", compute, &n);
  settle ();
  add_source (0, answer_in_dispatch, NULL);
  settle ();
  assert_said ("< > done");
  g_assert_cmpuint (n, ==, 5);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
run_a_loop (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);

  await ();
  start ("x", say_own_name, NULL);
  add_source (200, quit, loop);
  g_main_loop_run (loop);
  say ("looped");
  g_assert_true (cothread_sleep (0, error));
  say ("slept");
  return NULL;
}

static void
test_it_may_run_a_nested_loop (void)
{
  start ("t", run_a_loop, NULL);
  settle ();
  add_source (0, answer_in_dispatch, NULL);
  settle ();
  assert_said ("< x looped > slept");
}

static void
say_where (G_GNUC_UNUSED gpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_sleep (0, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  say ("outside");
}

static gpointer
call_outside (G_GNUC_UNUSED gpointer unused, GError **error)
{
  await ();
  cothread_call_on_thread_stack (say_where, NULL);
  g_assert_true (cothread_sleep (0, error));
  say ("slept");
  return NULL;
}

static void
test_it_may_call_on_the_threads_own_stack (void)
{
  start ("t", call_outside, NULL);
  settle ();
  add_source (0, answer_in_dispatch, NULL);
  settle ();
  assert_said ("< outside > slept");
}

static gpointer
cancel_itself (G_GNUC_UNUSED gpointer unused, GError **error)
{
  await ();
  cothread_task_cancel (cothread_task_self ());
  g_assert_false (cothread_sleep (0, error));
  say ("cancelled");
  return NULL;
}

static void
test_it_may_cancel_itself_and_fail (void)
{
  g_autoptr (CothreadTask) task = spawn ("t", cancel_itself, NULL);

  settle ();
  add_source (0, answer_in_dispatch, NULL);
  settle ();
  assert_said ("< > cancelled");
  g_assert_true (cothread_task_is_finished (task));
}

static gpointer
interrupt_main (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  await ();
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  say ("interrupting");
  return NULL;
}

static void
test_it_may_interrupt_main (void)
{
  g_autoptr (GError) error = NULL;

  start ("t", interrupt_main, NULL);
  settle ();
  add_source (0, answer_in_dispatch, NULL);
  g_assert_false (cothread_sleep (30 * G_USEC_PER_SEC, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  assert_said ("< interrupting >");
  assert_scheduler_works ();
}

static gpointer
wake_main (gpointer event, G_GNUC_UNUSED GError **error)
{
  await ();
  cothread_event_signal (event);
  say ("signalled");
  return NULL;
}

static void
test_it_may_wake_main (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (GError) error = NULL;

  start ("t", wake_main, event);
  settle ();
  add_source (0, answer_in_dispatch, NULL);
  g_assert_true (cothread_event_wait (event, 30 * G_USEC_PER_SEC, &error));
  assert_said ("< signalled >");
}

static gpointer
destroy_the_source (gpointer scheduler, G_GNUC_UNUSED GError **error)
{
  await ();
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, "*cannot be shut down from inside*");
  g_source_destroy (g_main_context_find_source_by_user_data (g_main_context_get_thread_default (), scheduler));
  g_test_assert_expected_messages ();
  say ("destroyed");
  return NULL;
}

/* The context's reference to the scheduler is the last one here. */
static void
test_it_may_destroy_the_schedulers_source (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  CothreadScheduler *scheduler;
  gboolean is_alive = TRUE;

  g_main_context_push_thread_default (context);
  scheduler = cothread_scheduler_get_default ();
  g_object_add_weak_pointer (G_OBJECT (scheduler), (gpointer *) &scheduler);
  start ("t", destroy_the_source, scheduler);
  settle ();
  add_source (0, answer_in_dispatch, NULL);
  for (guint i = 0; i < 100 && is_alive; i++)
    {
      g_main_context_iteration (context, FALSE);
      is_alive = scheduler != NULL;
    }
  assert_said ("< destroyed >");
  g_assert_null (scheduler);
  g_main_context_pop_thread_default (context);
}

/* ---- nobody is starved by it ---- */

static gboolean stop;

static gpointer
spin_between_awaits (gpointer n, G_GNUC_UNUSED GError **error)
{
  while (!stop)
    {
      gint64 end_us = g_get_monotonic_time () + 300;

      await ();
      ++*(guint *) n;
      while (g_get_monotonic_time () < end_us)
        ;
    }
  return NULL;
}

static gboolean
answer_if_asked (G_GNUC_UNUSED gpointer unused)
{
  if (answer_to != NULL)
    {
      GAsyncReadyCallback callback = g_steal_pointer (&answer_to);
      g_autoptr (GTask) result = g_task_new (NULL, NULL, NULL, NULL);

      callback (NULL, G_ASYNC_RESULT (result), answer_data);
    }
  return !stop;
}

static gboolean
count (gpointer n)
{
  stop = ++*(guint *) n == 20;
  return !stop;
}

/* The answers come at the priority of the one that is counted: what starves it
 * could only be the task. */
static void
test_its_time_counts_as_that_of_turns (void)
{
  gint64 deadline_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  guint n_awaits = 0, n = 0;

  stop = FALSE;
  use_default_time_slice ();
  start ("t", spin_between_awaits, &n_awaits);
  settle ();
  add_source (150, answer_if_asked, NULL);
  add_source (150, count, &n);
  while (!stop && g_get_monotonic_time () < deadline_us)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_true (stop);
  g_assert_cmpuint (n_awaits, >, 0);
  if (answer_to != NULL)
    answer_if_asked (NULL);
  run_until_no_task_is_left ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) behaviour_add ("/await-at-once/" #name, test_##name)
  ADD (it_goes_on_in_the_dispatch_that_brought_the_answer);
  ADD (outside_any_dispatch_it_waits_for_the_loop);
  ADD (who_was_ready_before_goes_first);
  ADD (only_that_task_goes_on);
  ADD (a_checkpoint_there_leaves_the_rest_to_a_turn);
  ADD (it_may_run_a_nested_loop);
  ADD (it_may_call_on_the_threads_own_stack);
  ADD (it_may_cancel_itself_and_fail);
  ADD (it_may_interrupt_main);
  ADD (it_may_wake_main);
  ADD (it_may_destroy_the_schedulers_source);
  ADD (its_time_counts_as_that_of_turns);
  return g_test_run ();
}
