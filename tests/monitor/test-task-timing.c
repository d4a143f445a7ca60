/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* The time that tasks run, measured in the process's own time: however long
 * the system keeps it waiting, a run lasts at least as long as it computes. */

static void
compute (gint64 us)
{
  gint64 end_us = g_get_monotonic_time () + us;

  while (g_get_monotonic_time () < end_us)
    ;
}

static gpointer
compute_then_sleep (gpointer us, GError **error)
{
  compute (GPOINTER_TO_INT (us));
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
compute_in_steps (gpointer steps, GError **error)
{
  for (gint i = 0; i < GPOINTER_TO_INT (steps); i++)
    {
      compute (100);
      cothread_yield (error);
    }
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static CothreadTaskInfo *
look (CothreadTask *task)
{
  return cothread_task_get_info (task);
}

static void
set_timing (CothreadTaskTiming timing)
{
  cothread_scheduler_set_task_timing (cothread_scheduler_get_default (), timing);
}

static void
test_nothing_is_measured_unless_asked_for (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", compute_then_sleep, GINT_TO_POINTER (1000));
  g_autoptr (CothreadTaskInfo) info = NULL;

  settle ();
  info = look (task);

  g_assert_cmpint (info->run_us, ==, -1);
  g_assert_cmpint (info->longest_run_us, ==, -1);
}

static void
check_a_long_run (CothreadTaskTiming timing)
{
  g_autoptr (CothreadTask) busy = NULL;
  g_autoptr (CothreadTask) idle = NULL;
  g_autoptr (CothreadTaskInfo) of_busy = NULL;
  g_autoptr (CothreadTaskInfo) of_idle = NULL;
  gint64 start_us = g_get_monotonic_time ();

  use_default_time_slice ();
  set_timing (timing);
  idle = spawn ("idle", compute_then_sleep, GINT_TO_POINTER (0));
  busy = spawn ("busy", compute_then_sleep, GINT_TO_POINTER (50000));
  settle ();
  of_busy = look (busy);
  of_idle = look (idle);

  g_assert_cmpint (of_busy->run_us, >=, 49000);
  g_assert_cmpint (of_busy->run_us, <=, g_get_monotonic_time () - start_us + 1000);
  g_assert_cmpint (of_busy->longest_run_us, >=, 49000);
  g_assert_cmpint (of_idle->run_us, <, of_busy->run_us);
}

static void
test_a_long_run_is_measured_exactly (void)
{
  check_a_long_run (COTHREAD_TASK_TIMING_EXACT);
}

static void
test_a_long_run_is_not_missed_by_sampling (void)
{
  check_a_long_run (COTHREAD_TASK_TIMING_SAMPLED);
}

static gpointer
yield_then_compute (G_GNUC_UNUSED gpointer unused, GError **error)
{
  /* Far beyond the runs that are measured one by one. */
  for (guint i = 0; i < 200; i++)
    cothread_yield (error);
  compute (50000);
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
yield_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < 300; i++)
    cothread_yield (error);
  return NULL;
}

static void
test_a_long_run_in_the_middle_of_a_busy_turn_is_not_missed (void)
{
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (CothreadTaskInfo) info = NULL;

  use_default_time_slice ();
  set_timing (COTHREAD_TASK_TIMING_SAMPLED);
  start ("other", yield_for_ever, NULL);
  task = spawn ("late", yield_then_compute, NULL);
  settle ();
  info = look (task);

  /* At least what was beyond the end of the slice. */
  g_assert_cmpint (info->longest_run_us, >=, 47000);
}

static void
check_many_short_runs (CothreadTaskTiming timing)
{
  g_autoptr (CothreadTask) much = NULL;
  g_autoptr (CothreadTask) little = NULL;
  g_autoptr (CothreadTaskInfo) of_much = NULL;
  g_autoptr (CothreadTaskInfo) of_little = NULL;

  set_timing (timing);
  much = spawn ("much", compute_in_steps, GINT_TO_POINTER (3000));
  little = spawn ("little", compute_in_steps, GINT_TO_POINTER (30));
  settle ();
  of_much = look (much);
  of_little = look (little);

  /* 300 ms; sampled, half of it is ten standard deviations away. */
  g_assert_cmpint (of_much->run_us, >=, 150000);
  g_assert_cmpint (of_little->run_us, <, of_much->run_us);
  g_assert_cmpint (of_much->longest_run_us, >=, 99);
}

static void
test_many_short_runs_add_up_exactly (void)
{
  check_many_short_runs (COTHREAD_TASK_TIMING_EXACT);
}

static void
test_many_short_runs_add_up_by_sampling (void)
{
  check_many_short_runs (COTHREAD_TASK_TIMING_SAMPLED);
}

static gpointer
run_a_loop (G_GNUC_UNUSED gpointer unused, GError **error)
{
  start ("inner", compute_then_sleep, GINT_TO_POINTER (50000));
  settle ();
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_what_runs_in_a_nested_loop_is_not_the_openers (void)
{
  g_autoptr (CothreadTask) opener = NULL;
  g_autoptr (CothreadTaskInfo) info = NULL;
  g_autoptr (GPtrArray) all = NULL;
  const CothreadTaskInfo *inner;

  set_timing (COTHREAD_TASK_TIMING_EXACT);
  opener = spawn ("opener", run_a_loop, NULL);
  settle ();
  info = look (opener);
  all = cothread_scheduler_list_task_infos (cothread_scheduler_get_default (), 0);
  inner = all->pdata[1];

  g_assert_cmpstr (inner->name, ==, "inner");
  g_assert_cmpint (inner->run_us, >=, 49000);
  g_assert_cmpint (info->run_us, <, inner->run_us);
}

static gpointer
switch_timing_off (G_GNUC_UNUSED gpointer unused, GError **error)
{
  set_timing (COTHREAD_TASK_TIMING_OFF);
  set_timing (COTHREAD_TASK_TIMING_SAMPLED);
  set_timing (COTHREAD_TASK_TIMING_OFF);
  cothread_yield (error);
  return NULL;
}

static void
test_it_can_be_switched_off_by_a_task_that_is_being_measured (void)
{
  set_timing (COTHREAD_TASK_TIMING_EXACT);
  start ("switch", switch_timing_off, NULL);
  settle ();

  g_assert_cmpint (cothread_scheduler_get_task_timing (cothread_scheduler_get_default ()), ==, COTHREAD_TASK_TIMING_OFF);
  assert_scheduler_works ();
}

static gpointer
spawn_and_end (gpointer depth, G_GNUC_UNUSED GError **error)
{
  if (GPOINTER_TO_INT (depth) > 0)
    start ("child", spawn_and_end, GINT_TO_POINTER (GPOINTER_TO_INT (depth) - 1));
  return NULL;
}

static void
nothing (G_GNUC_UNUSED gpointer unused)
{
}

static void
test_tasks_and_callbacks_may_end_while_they_are_measured (void)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());

  for (CothreadTaskTiming timing = COTHREAD_TASK_TIMING_SAMPLED; timing <= COTHREAD_TASK_TIMING_EXACT; timing++)
    {
      set_timing (timing);
      for (guint i = 0; i < 100; i++)
        {
          start ("parent", spawn_and_end, GINT_TO_POINTER (20));
          cothread_callback_queue_post (queue, nothing, NULL, NULL, NULL);
          if (i % 10 == 0)
            settle ();
        }
      settle ();
    }
  cothread_callback_queue_close (queue);
  settle ();
  g_assert_cmpuint (live_tasks (), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/task-timing/off-unless-asked-for", test_nothing_is_measured_unless_asked_for);
  behaviour_add ("/task-timing/exact/long-run", test_a_long_run_is_measured_exactly);
  behaviour_add ("/task-timing/exact/many-short-runs", test_many_short_runs_add_up_exactly);
  behaviour_add ("/task-timing/exact/nested-loop", test_what_runs_in_a_nested_loop_is_not_the_openers);
  behaviour_add ("/task-timing/sampled/long-run", test_a_long_run_is_not_missed_by_sampling);
  behaviour_add ("/task-timing/sampled/long-run-in-a-busy-turn", test_a_long_run_in_the_middle_of_a_busy_turn_is_not_missed);
  behaviour_add ("/task-timing/sampled/many-short-runs", test_many_short_runs_add_up_by_sampling);
  behaviour_add ("/task-timing/switched-off-while-measured", test_it_can_be_switched_off_by_a_task_that_is_being_measured);
  behaviour_add ("/task-timing/ends-while-measured", test_tasks_and_callbacks_may_end_while_they_are_measured);
  return g_test_run ();
}
