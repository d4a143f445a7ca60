/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language.h"

#include <string.h>

/* When a language is called, and what becomes of what it does not answer. */

/* The layout that cothread_stackless_runner_get_memory() documents. */
static gint32 *
integers (Language *self)
{
  g_autoptr (GBytes) bytes = cothread_stackless_runner_get_memory (runner (self));

  return (gint32 *) (gpointer) g_bytes_get_data (bytes, NULL);
}

static void
request (Language *self, guint n, gint32 op, guint id, double argument)
{
  gint32 *record = (gint32 *) (gpointer) ((char *) integers (self) + integers (self)[6] + 16 * n);

  record[0] = op;
  record[1] = (gint32) id;
  memcpy (&record[2], &argument, sizeof argument);
}

static const gint32 *
ready (Language *self, guint n)
{
  return (gint32 *) (gpointer) ((char *) integers (self) + integers (self)[7] + 16 * n);
}

static void
test_requests_stand_in_the_memory_and_are_carried_out_in_order (void)
{
  g_autoptr (Language) self = language_new ();

  request (self, 0, COTHREAD_STACKLESS_OP_SPAWN, 5, self->function);
  request (self, 1, COTHREAD_STACKLESS_OP_SPAWN, 9, self->function);
  request (self, 2, COTHREAD_STACKLESS_OP_PARK | 1 << 8, 5, -1);
  request (self, 3, COTHREAD_STACKLESS_OP_COUNT, 0, 10);
  g_assert_cmpuint (cothread_stackless_runner_exchange (runner (self), 4, 0, COTHREAD_STACKLESS_REST), ==, 0);
  {
    g_autoptr (CothreadStatistics) now = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
    g_autoptr (CothreadTask) task = cothread_stackless_runner_get_task (runner (self), 5);
    g_autofree char *reason = cothread_task_dup_wait_reason (task);

    g_assert_cmpuint (now->tasks, ==, 2);
    g_assert_cmpuint (now->spawned, ==, 12);
    g_assert_cmpuint (now->waiting, ==, 1);
    g_assert_cmpstr (reason, ==, "sleep");
  }
  request (self, 0, COTHREAD_STACKLESS_OP_FINISH, 9, 0);
  request (self, 1, COTHREAD_STACKLESS_OP_CANCEL, 5, 0);
  request (self, 2, COTHREAD_STACKLESS_OP_FINISH, 5, 0);
  cothread_stackless_runner_exchange (runner (self), 3, 0, COTHREAD_STACKLESS_REST);
  g_assert_cmpuint (live_tasks (), ==, 0);
}

static guint n_acknowledged, n_handed_over;

static void
lose_all_but_two (Language *self)
{
  n_handed_over = cothread_stackless_runner_exchange (runner (self), 0, n_acknowledged, COTHREAD_STACKLESS_REST);
  n_acknowledged = MIN (2, n_handed_over);
  for (guint i = 0; i < n_acknowledged; i++)
    {
      Woken one = { .id = (guint) ready (self, i)[0], .wake = (CothreadStacklessWake) ready (self, i)[1] };

      g_array_append_val (self->woken, one);
    }
}

static void
test_what_is_not_acknowledged_is_handed_over_again_in_order (void)
{
  g_autoptr (Language) self = language_new ();

  n_acknowledged = 0;
  self->called = lose_all_but_two;
  for (guint i = 0; i < 7; i++)
    cothread_stackless_runner_park (runner (self), spawn_task (self), 0);
  run_until_woken (self, 7);
  for (guint i = 0; i < 7; i++)
    {
      g_assert_cmpuint (woken (self, i)->id, ==, i + 1);
      g_assert_cmpint (woken (self, i)->wake, ==, COTHREAD_STACKLESS_WAKE_TIMEOUT);
    }
  self->called = take_all;
}

static void
answer_the_fourth_call (Language *self)
{
  if (self->n_calls >= 4)
    take_all (self);
}

static void
test_a_language_that_does_not_answer_is_called_again (void)
{
  g_autoptr (Language) self = language_new ();

  self->called = answer_the_fourth_call;
  cothread_stackless_runner_park (runner (self), spawn_task (self), 0);
  run_until_woken (self, 1);
  g_assert_cmpuint (self->n_calls, ==, 4);
}

static guint left_to_do;

static void
work_in_portions (Language *self)
{
  take_all (self);
  say ("toy");
  left_to_do--;
  cothread_stackless_runner_rest (runner (self), left_to_do > 0 ? COTHREAD_STACKLESS_MORE : COTHREAD_STACKLESS_REST);
}

static gpointer
yield_thrice (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < 3; i++)
    {
      say ("native");
      cothread_sleep (0, error);
    }
  return NULL;
}

static void
test_a_language_with_more_to_do_takes_turns_with_native_tasks (void)
{
  g_autoptr (Language) self = language_new ();

  self->called = work_in_portions;
  left_to_do = 3;
  start ("native", yield_thrice, NULL);
  cothread_stackless_runner_wake (runner (self));
  settle ();
  assert_said ("native toy toy native toy native");
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
run_a_loop_the_first_time (Language *self)
{
  guint n = self->n_calls;

  take_all (self);
  if (n == 1)
    {
      g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);
      g_autoptr (GSource) source = g_timeout_source_new (20);

      g_source_set_callback (source, quit, loop, NULL);
      g_source_attach (source, g_main_context_get_thread_default ());
      cothread_stackless_runner_park (runner (self), spawn_task (self), 0);
      start ("native", say_own_name, NULL);
      g_main_loop_run (loop);
      g_assert_cmpuint (self->n_calls, >, 1);
      g_assert_cmpuint (self->woken->len, ==, 1);
      cothread_stackless_runner_rest (runner (self), COTHREAD_STACKLESS_REST);
    }
  else
    g_assert_cmpuint (self->depth, ==, 2);
}

static void
test_a_language_that_runs_a_main_loop_is_called_inside_it (void)
{
  g_autoptr (Language) self = language_new ();

  self->called = run_a_loop_the_first_time;
  cothread_stackless_runner_wake (runner (self));
  run_until_woken (self, 1);
  settle ();
  assert_said ("native");
  self->called = take_all;
  cothread_stackless_runner_park (runner (self), woken (self, 0)->id, 0);
  run_until_woken (self, 2);
}

static void
wake_itself (Language *self)
{
  take_all (self);
  if (self->n_calls < 3)
    cothread_stackless_runner_wake (runner (self));
}

static void
test_a_wake_during_the_call_is_not_lost (void)
{
  g_autoptr (Language) self = language_new ();

  self->called = wake_itself;
  cothread_stackless_runner_wake (runner (self));
  settle ();
  g_assert_cmpuint (self->n_calls, ==, 3);
}

static gpointer
be_on_own_stack (gpointer data, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadStatistics) now = NULL;

  cothread_stackless_runner_wake (data);
  now = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
  g_assert_cmpuint (TEST_LANGUAGE (data)->n_tells, ==, 1);
  return NULL;
}

static void
test_who_takes_statistics_has_the_language_tell_what_it_did_not_tell (void)
{
  g_autoptr (Language) self = language_new ();

  start ("native", be_on_own_stack, self);
  settle ();
  g_assert_cmpuint (self->n_tells, ==, 1);
  g_assert_cmpuint (self->n_calls, ==, 1);
}

static void
test_a_shutdown_cancels_its_tasks_and_lets_go_of_the_language (void)
{
  Language *self = language_new ();
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  gpointer watched = self;

  for (guint i = 0; i < 100; i++)
    {
      guint id = spawn_task (self);

      if (i % 2 == 0)
        cothread_stackless_runner_park (runner (self), id, COTHREAD_FOREVER);
    }
  g_object_add_weak_pointer (G_OBJECT (self), &watched);
  g_object_ref (scheduler);
  cothread_scheduler_shutdown (scheduler);
  g_assert_cmpuint (spawn_task (self), ==, 0);
  g_assert_cmpuint (self->woken->len, ==, 0);
  g_object_unref (self);
  g_assert_null (watched);
  g_object_unref (scheduler);
}

static void
test_misuse_is_a_critical_and_changes_nothing (void)
{
  g_autoptr (Language) self = language_new ();
  guint id = spawn_task (self);

  expect_critical ("*has no task 77*");
  cothread_stackless_runner_park (runner (self), 77, 0);
  g_test_assert_expected_messages ();
  cothread_stackless_runner_park (runner (self), id, COTHREAD_FOREVER);
  expect_critical ("*cannot be parked*");
  cothread_stackless_runner_park (runner (self), id, 0);
  g_test_assert_expected_messages ();
  expect_critical ("*no such function*");
  g_assert_cmpuint (cothread_stackless_runner_spawn (runner (self), 12345), ==, 0);
  g_test_assert_expected_messages ();
  request (self, 0, 99, id, 0);
  expect_critical ("*Request 99 is none*");
  cothread_stackless_runner_exchange (runner (self), 1, 0, COTHREAD_STACKLESS_REST);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (live_tasks (), ==, 1);
  cothread_stackless_runner_finish (runner (self), id, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/runner-calls/requests-stand-in-the-memory-and-are-carried-out-in-order",
                 test_requests_stand_in_the_memory_and_are_carried_out_in_order);
  behaviour_add ("/runner-calls/what-is-not-acknowledged-is-handed-over-again-in-order",
                 test_what_is_not_acknowledged_is_handed_over_again_in_order);
  behaviour_add ("/runner-calls/a-language-that-does-not-answer-is-called-again", test_a_language_that_does_not_answer_is_called_again);
  behaviour_add ("/runner-calls/a-language-with-more-to-do-takes-turns-with-native-tasks",
                 test_a_language_with_more_to_do_takes_turns_with_native_tasks);
  behaviour_add ("/runner-calls/a-language-that-runs-a-main-loop-is-called-inside-it",
                 test_a_language_that_runs_a_main_loop_is_called_inside_it);
  behaviour_add ("/runner-calls/a-wake-during-the-call-is-not-lost", test_a_wake_during_the_call_is_not_lost);
  behaviour_add ("/runner-calls/who-takes-statistics-has-the-language-tell-what-it-did-not-tell",
                 test_who_takes_statistics_has_the_language_tell_what_it_did_not_tell);
  behaviour_add ("/runner-calls/a-shutdown-cancels-its-tasks-and-lets-go-of-the-language",
                 test_a_shutdown_cancels_its_tasks_and_lets_go_of_the_language);
  behaviour_add ("/runner-calls/misuse-is-a-critical-and-changes-nothing", test_misuse_is_a_critical_and_changes_nothing);
  return g_test_run ();
}
