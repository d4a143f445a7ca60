/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

/* The test scheduler among the other sources of its main context, and beside
 * what goes on outside. */

static gpointer
sleep_and_say (gpointer ms, GError **error)
{
  if (cothread_sleep (GPOINTER_TO_INT (ms) * MS, error))
    say ("%s", own_name ());
  return NULL;
}

static gpointer
sleep_and_quit (gpointer loop, GError **error)
{
  if (cothread_sleep (3600 * 1000 * MS, error))
    g_main_loop_quit (loop);
  return NULL;
}

static void
time_jumps_in_a_main_loop_as_well (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (g_main_context_get_thread_default (), FALSE);
  gint64 begin_us = now ();

  start ("a", sleep_and_say, GINT_TO_POINTER (1000));
  start ("b", sleep_and_quit, loop);
  g_main_loop_run (loop);
  assert_said ("a");
  g_assert_cmpint (now () - begin_us, ==, 3600 * 1000 * MS);
}

static gpointer
run_a_nested_loop (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  time_jumps_in_a_main_loop_as_well ();
  say ("nested");
  return NULL;
}

static void
time_jumps_in_a_nested_loop_that_a_task_runs (void)
{
  start ("opener", run_a_nested_loop, NULL);
  start ("other", sleep_and_say, GINT_TO_POINTER (7200 * 1000));
  run_until_no_task_is_left ();
  assert_said ("nested other");
}

static gboolean
count_down (gpointer left)
{
  return --*(guint *) left > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
attach (GSource *source, GSourceFunc func, gpointer data)
{
  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_source_unref (source);
}

static gpointer
sleep_and_check_nothing_left (gpointer left, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (1, NULL);
  g_assert_cmpuint (*(guint *) left, ==, 0);
  say ("after");
  return NULL;
}

static void
time_does_not_pass_while_an_idle_source_has_work (void)
{
  guint left = 1000;
  GSource *idle = g_idle_source_new ();

  g_source_set_priority (idle, G_PRIORITY_LOW);
  attach (idle, count_down, &left);
  start ("a", sleep_and_check_nothing_left, &left);
  run_until_no_task_is_left ();
  assert_said ("after");
}

static gboolean
signal_event (gpointer event)
{
  cothread_event_signal (event);
  return G_SOURCE_REMOVE;
}

/* Real time, which the virtual clock does not see. */
static void
another_source_that_waits_keeps_main_from_a_deadlock (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  gint64 begin_us = now ();

  attach (g_timeout_source_new (20), signal_event, event);
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, NULL));
  g_assert_cmpint (now (), ==, begin_us);
}

static void
signal_posted (gpointer event)
{
  cothread_event_signal (event);
}

typedef struct
{
  CothreadCallbackQueue *queue;
  CothreadEvent *event;
} Poster;

static gpointer
post_late (gpointer data)
{
  Poster *poster = data;

  wait_until_main_thread_sleeps ();
  g_assert_true (cothread_callback_queue_post (poster->queue, signal_posted, poster->event, NULL, NULL));
  return NULL;
}

static void
while_held_time_stands_still_and_the_loop_really_waits (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  Poster poster = { cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()), event };
  gint64 begin_us = now ();
  GThread *thread;

  cothread_test_scheduler_hold (test_scheduler ());
  thread = g_thread_new ("poster", post_late, &poster);
  g_assert_true (cothread_event_wait (event, 3600 * 1000 * MS, NULL)); /* does not time out */
  g_assert_cmpint (now (), ==, begin_us);
  g_thread_join (thread);
  cothread_test_scheduler_release (test_scheduler ());
}

static gpointer
await_a_file (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/proc/self/status");
  g_autoptr (GAsyncResult) result = cothread_await (error, g_file_load_contents_async, file);
  g_autofree char *contents = NULL;

  if (result != NULL && g_file_load_contents_finish (file, result, &contents, NULL, NULL, error))
    say ("file@%" G_GINT64_FORMAT, now () - G_USEC_PER_SEC);
  return NULL;
}

static void
main_waits_for_an_answer_of_gio (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", await_a_file, NULL);

  g_assert_true (cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL)); /* no deadlock */
  assert_said ("file@0");
}

static gpointer
await_virtual_time (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_autoptr (GAsyncResult) result = cothread_await (error, cothread_sleep_async, 1000 * MS);

  if (result != NULL && cothread_sleep_finish (result, error))
    say ("time@%" G_GINT64_FORMAT, now () - G_USEC_PER_SEC);
  return NULL;
}

static void
an_answer_may_itself_need_virtual_time (void)
{
  start ("a", await_virtual_time, NULL);
  run_until_no_task_is_left ();
  assert_said ("time@1000000");
}

static void
releasing_what_was_not_held_is_a_critical (void)
{
  expect_critical ("*holds > 0*");
  cothread_test_scheduler_release (test_scheduler ());
  g_test_assert_expected_messages ();
}

static void
a_context_has_one_scheduler (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (cothread_test_scheduler_new (0, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_true (cothread_scheduler_get_default () == cothread_test_scheduler_get_scheduler (test_scheduler ()));
}

static gpointer
make_one_in_a_foreign_context (G_GNUC_UNUSED gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (cothread_test_scheduler_new (0, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
  return NULL;
}

static void
the_default_context_belongs_to_the_main_thread (void)
{
  g_thread_join (g_thread_new ("other", make_one_in_a_foreign_context, NULL));
}

static gpointer
use_in_a_wrong_thread (gpointer tester)
{
  cothread_test_scheduler_advance (tester, 1);
  g_assert_false (cothread_test_scheduler_run (tester, NULL));
  cothread_test_scheduler_set_ready (tester, 3, G_IO_IN);
  cothread_test_scheduler_hold (tester);
  return NULL;
}

static void
in_a_wrong_thread_it_does_nothing (void)
{
  gint64 begin_us = now ();

  expect_critical ("*is_usable*");
  expect_critical ("*is_own_thread*");
  expect_critical ("*is_usable*");
  expect_critical ("*is_usable*");
  g_thread_join (g_thread_new ("other", use_in_a_wrong_thread, test_scheduler ()));
  g_test_assert_expected_messages ();
  g_assert_cmpint (now (), ==, begin_us);
}

static gpointer
note_the_end (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, NULL);
  say ("unwound");
  return NULL;
}

static gpointer
be_stubborn_for_a_while (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  cothread_shield_begin ();
  g_assert_true (cothread_sleep (500 * MS, NULL));
  cothread_shield_end ();
  say ("stubborn");
  return NULL;
}

static void
shutting_it_down_unwinds_its_tasks_in_virtual_time (void)
{
  start ("a", note_the_end, NULL);
  start ("b", be_stubborn_for_a_while, NULL);
  settle ();
  cothread_scheduler_shutdown (cothread_test_scheduler_get_scheduler (test_scheduler ()));
  assert_said ("unwound stubborn");
  g_assert_false (cothread_test_scheduler_run (test_scheduler (), NULL));
  expect_critical ("*is_usable*");
  cothread_test_scheduler_advance (test_scheduler (), 1);
  g_test_assert_expected_messages ();
}

static void
a_context_can_die_before_it (void)
{
  GMainContext *context = g_main_context_new ();
  CothreadTestScheduler *tester;

  g_main_context_push_thread_default (context);
  tester = cothread_test_scheduler_new (7, NULL);
  start ("a", note_the_end, NULL);
  g_assert_true (cothread_sleep (1000 * MS, NULL));
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  assert_said ("unwound");
  g_assert_finalize_object (tester);
}

static void
one_after_another_in_one_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < 3; i++)
    {
      CothreadTestScheduler *tester = cothread_test_scheduler_new (i, NULL);
      gint64 begin_us = cothread_scheduler_get_time (cothread_scheduler_get_default ());

      g_assert_nonnull (tester);
      g_assert_true (cothread_sleep (1000 * MS, NULL));
      g_assert_cmpint (cothread_scheduler_get_time (cothread_scheduler_get_default ()) - begin_us, ==, 1000 * MS);
      g_assert_finalize_object (tester);
    }
  g_main_context_pop_thread_default (context);
}

static void
a_real_scheduler_tells_the_real_time (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gint64 before_us, between_us;

  g_main_context_push_thread_default (context);
  before_us = g_get_monotonic_time ();
  between_us = cothread_scheduler_get_time (cothread_scheduler_get_default ());
  g_assert_cmpint (between_us, >=, before_us);
  g_assert_cmpint (between_us, <=, g_get_monotonic_time ());
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/test-scheduler-context/main-loop", time_jumps_in_a_main_loop_as_well);
  sync_test_add ("/test-scheduler-context/nested-loop", time_jumps_in_a_nested_loop_that_a_task_runs);
  sync_test_add ("/test-scheduler-context/idle-first", time_does_not_pass_while_an_idle_source_has_work);
  sync_test_add ("/test-scheduler-context/real-timeout", another_source_that_waits_keeps_main_from_a_deadlock);
  sync_test_add ("/test-scheduler-context/hold", while_held_time_stands_still_and_the_loop_really_waits);
  sync_test_add ("/test-scheduler-context/gio", main_waits_for_an_answer_of_gio);
  sync_test_add ("/test-scheduler-context/gio-in-virtual-time", an_answer_may_itself_need_virtual_time);
  sync_test_add ("/test-scheduler-context/release-alone", releasing_what_was_not_held_is_a_critical);
  sync_test_add ("/test-scheduler-context/exists", a_context_has_one_scheduler);
  sync_test_add ("/test-scheduler-context/foreign-context", the_default_context_belongs_to_the_main_thread);
  sync_test_add ("/test-scheduler-context/wrong-thread", in_a_wrong_thread_it_does_nothing);
  sync_test_add ("/test-scheduler-context/shutdown", shutting_it_down_unwinds_its_tasks_in_virtual_time);
  sync_test_add ("/test-scheduler-context/context-dies", a_context_can_die_before_it);
  sync_test_add ("/test-scheduler-context/one-after-another", one_after_another_in_one_context);
  sync_test_add ("/test-scheduler-context/real-time", a_real_scheduler_tells_the_real_time);
  return g_test_run ();
}
