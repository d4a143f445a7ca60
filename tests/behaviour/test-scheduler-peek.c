/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>

static void
test_looking_makes_nothing (void)
{
  CothreadScheduler *scheduler;

  g_assert_null (cothread_scheduler_peek_default ());
  g_assert_null (g_main_context_find_source_by_id (NULL, 1)); /* and no source was attached */

  scheduler = cothread_scheduler_get_default ();
  g_assert_true (cothread_scheduler_peek_default () == scheduler);

  g_assert_null (cothread_scheduler_peek_callback_queue (scheduler));
  g_assert_true (cothread_scheduler_get_callback_queue (scheduler) ==
                 cothread_scheduler_peek_callback_queue (scheduler));

  cothread_scheduler_shutdown (scheduler);
  g_assert_null (cothread_scheduler_peek_default ());
}

static gpointer
peek (gpointer data)
{
  gboolean has_own_context = GPOINTER_TO_INT (data);
  g_autoptr (GMainContext) context = g_main_context_new ();
  gpointer found;

  if (has_own_context)
    g_main_context_push_thread_default (context);
  found = cothread_scheduler_peek_default ();
  if (has_own_context)
    g_main_context_pop_thread_default (context);
  return found;
}

static void
test_another_threads_scheduler_is_not_shown (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();

  g_assert_null (g_thread_join (g_thread_new ("peek", peek, GINT_TO_POINTER (FALSE))));
  g_assert_null (g_thread_join (g_thread_new ("peek", peek, GINT_TO_POINTER (TRUE))));
  cothread_scheduler_shutdown (scheduler);
}

static gpointer
peek_in_task (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  return cothread_scheduler_peek_default ();
}

static void
test_a_task_sees_the_scheduler_that_runs_it (void)
{
  CothreadTask *task = cothread_spawn (peek_in_task, NULL);
  gpointer found;

  g_assert_true (cothread_task_join (task, 20 * G_USEC_PER_SEC, &found, NULL));
  g_assert_true (found == cothread_scheduler_get_default ());
  cothread_task_unref (task);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/scheduler-peek/looking-makes-nothing", test_looking_makes_nothing);
  g_test_add_func ("/scheduler-peek/another-threads-scheduler-is-not-shown", test_another_threads_scheduler_is_not_shown);
  g_test_add_func ("/scheduler-peek/a-task-sees-the-scheduler-that-runs-it", test_a_task_sees_the_scheduler_that_runs_it);

  return g_test_run ();
}
