/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* How long turns held the main loop, and which tasks there are. */

static CothreadStatistics *
look (void)
{
  return cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
}

static GArray *
look_at_turns (void)
{
  return cothread_scheduler_get_recent_turns (cothread_scheduler_get_default ());
}

static gpointer
do_nothing (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static gpointer
block_for_data (gpointer time_us, G_GNUC_UNUSED GError **error)
{
  gint64 end_us = g_get_monotonic_time () + GPOINTER_TO_INT (time_us);

  while (g_get_monotonic_time () < end_us)
    ;
  return NULL;
}

/* One turn each. */
static void
take_turns (guint n)
{
  for (guint i = 0; i < n; i++)
    {
      start ("task", do_nothing, NULL);
      settle ();
    }
}

static void
test_every_turn_is_counted_and_remembered (void)
{
  g_autoptr (CothreadStatistics) statistics = NULL;
  g_autoptr (GArray) turns = NULL;

  take_turns (5);
  statistics = look ();
  turns = look_at_turns ();

  g_assert_cmpuint (statistics->turns, ==, 5);
  g_assert_cmpuint (turns->len, ==, 5);
  g_assert_cmpint (g_array_index (turns, gint64, 4), ==, statistics->last_turn_us);
}

static void
test_there_are_none_at_first (void)
{
  g_autoptr (GArray) turns = look_at_turns ();

  g_assert_cmpuint (turns->len, ==, 0);
}

static void
test_the_last_256_turns_are_remembered_oldest_first (void)
{
  g_autoptr (GArray) turns = NULL;

  take_turns (100);
  start ("slow", block_for_data, GINT_TO_POINTER (20 * MS));
  settle ();
  take_turns (255);
  turns = look_at_turns ();
  g_assert_cmpuint (turns->len, ==, 256);
  g_assert_cmpint (g_array_index (turns, gint64, 0), >=, 20 * MS);
  g_clear_pointer (&turns, g_array_unref);
  take_turns (1);
  turns = look_at_turns ();

  g_assert_cmpuint (turns->len, ==, 256);
}

static void
test_a_turn_is_as_long_as_the_task_that_held_it (void)
{
  g_autoptr (CothreadStatistics) statistics = NULL;

  start ("slow", block_for_data, GINT_TO_POINTER (20 * MS));
  settle ();
  statistics = look ();

  g_assert_cmpint (statistics->last_turn_us, >=, 20 * MS);
  g_assert_cmpint (statistics->longest_turn_us, >=, 20 * MS);
}

static void
test_the_longest_turn_stays_until_it_is_reset (void)
{
  g_autoptr (CothreadStatistics) before = NULL;
  g_autoptr (CothreadStatistics) reset = NULL;
  g_autoptr (CothreadStatistics) after = NULL;

  start ("slow", block_for_data, GINT_TO_POINTER (20 * MS));
  settle ();
  take_turns (1);
  before = look ();
  cothread_scheduler_reset_longest_turn (cothread_scheduler_get_default ());
  reset = look ();
  take_turns (1);
  after = look ();

  g_assert_cmpint (before->longest_turn_us, >=, 20 * MS);
  g_assert_cmpint (reset->longest_turn_us, ==, 0);
  g_assert_cmpint (after->longest_turn_us, ==, after->last_turn_us);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
run_a_loop (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  g_autoptr (GSource) end = g_timeout_source_new (400);

  g_source_set_callback (end, quit, loop, NULL);
  g_source_attach (end, context);
  g_main_loop_run (loop);
  return NULL;
}

static void
test_a_turn_that_opened_a_main_loop_did_not_hold_it (void)
{
  g_autoptr (CothreadStatistics) statistics = NULL;

  start ("modal", run_a_loop, NULL);
  run_until_no_task_is_left ();
  statistics = look ();

  g_assert_cmpint (statistics->longest_turn_us, <, 200 * MS);
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
say_tasks (void)
{
  g_autoptr (GPtrArray) tasks = cothread_scheduler_list_tasks (cothread_scheduler_get_default ());

  for (guint i = 0; i < tasks->len; i++)
    say ("%s", cothread_task_get_name (tasks->pdata[i]));
}

static gpointer
say_tasks_in_task (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  say_tasks ();
  return NULL;
}

static void
test_every_live_task_is_listed_in_the_order_they_were_spawned (void)
{
  g_autoptr (CothreadTask) b = NULL;

  say_tasks ();
  assert_said ("");
  start ("a", sleep_for_ever, NULL);
  b = spawn ("b", sleep_for_ever, NULL);
  settle ();
  start ("lister", say_tasks_in_task, NULL);
  start ("c", sleep_for_ever, NULL);
  settle ();
  assert_said ("a b lister c");
  cothread_task_cancel (b);
  settle ();
  say_tasks ();

  assert_said ("a c");
}

static void
test_the_list_keeps_its_tasks (void)
{
  g_autoptr (GPtrArray) tasks = NULL;

  start ("a", do_nothing, NULL);
  tasks = cothread_scheduler_list_tasks (cothread_scheduler_get_default ());
  settle ();

  g_assert_cmpuint (tasks->len, ==, 1);
  g_assert_true (cothread_task_is_finished (tasks->pdata[0]));
  g_assert_cmpstr (cothread_task_get_name (tasks->pdata[0]), ==, "a");
}

static void
do_nothing_in_timer (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer unused)
{
}

static void
test_timers_and_callback_queues_are_listed_too (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (1000 * G_USEC_PER_SEC, COTHREAD_TIMER_DEFAULT, do_nothing_in_timer, NULL, NULL);

  g_assert_nonnull (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()));
  g_assert_cmpuint (live_tasks (), ==, 2);
  settle ();
  g_assert_cmpuint (live_tasks (), ==, 2);
}

static void
test_a_copy_is_the_same (void)
{
  g_autoptr (CothreadStatistics) now = look ();
  g_autoptr (CothreadStatistics) copy = cothread_statistics_copy (now);

  g_assert_cmpmem (copy, sizeof *copy, now, sizeof *now);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/statistics/turns/there-are-none-at-first", test_there_are_none_at_first);
  behaviour_add ("/statistics/turns/every-one-is-counted-and-remembered", test_every_turn_is_counted_and_remembered);
  behaviour_add ("/statistics/turns/the-last-256-are-remembered-oldest-first", test_the_last_256_turns_are_remembered_oldest_first);
  behaviour_add ("/statistics/turns/one-is-as-long-as-the-task-that-held-it", test_a_turn_is_as_long_as_the_task_that_held_it);
  behaviour_add ("/statistics/turns/the-longest-stays-until-it-is-reset", test_the_longest_turn_stays_until_it_is_reset);
  behaviour_add ("/statistics/turns/one-that-opened-a-main-loop-did-not-hold-it", test_a_turn_that_opened_a_main_loop_did_not_hold_it);
  behaviour_add ("/statistics/list/every-live-task-in-the-order-they-were-spawned", test_every_live_task_is_listed_in_the_order_they_were_spawned);
  behaviour_add ("/statistics/list/keeps-its-tasks", test_the_list_keeps_its_tasks);
  behaviour_add ("/statistics/list/timers-and-callback-queues-are-tasks-too", test_timers_and_callback_queues_are_listed_too);
  behaviour_add ("/statistics/a-copy-is-the-same", test_a_copy_is_the_same);
  return g_test_run ();
}
