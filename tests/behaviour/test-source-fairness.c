/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <sys/eventfd.h>
#include <unistd.h>

/* Nobody starves: neither the rest of the program, whatever tasks do, nor the
 * tasks, whatever the rest of the program does. Counted in turns, or with the
 * margin of a factor of four and more. */

#define TURNS 40

static gboolean is_over;
static guint n_dispatched;

static guint64
count_turns (void)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());

  return statistics->turns;
}

static gboolean
count_dispatch (G_GNUC_UNUSED gpointer unused)
{
  n_dispatched++;
  return !is_over;
}

/* A source that is always ready has to be dispatched about once a turn, and by
 * far not only at the end. */
static void
assert_source_is_served (int priority)
{
  guint64 end = count_turns () + TURNS;

  use_default_time_slice ();
  is_over = FALSE;
  n_dispatched = 0;
  add_source (priority, count_dispatch, NULL);
  while (count_turns () < end)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (n_dispatched, >=, TURNS / 2);
  is_over = TRUE;
  run_until_no_task_is_left ();
}

static gpointer
yield_until_over (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (!is_over && cothread_yield (error))
    ;
  return NULL;
}

static gpointer
sleep_for_no_time_until_over (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (!is_over && cothread_sleep (0, error))
    ;
  return NULL;
}

static gpointer
compute_until_over (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (!is_over && cothread_checkpoint (error))
    ;
  return NULL;
}

static gpointer
spawn_until_over (gpointer data, G_GNUC_UNUSED GError **error)
{
  if (!is_over)
    start ("next", spawn_until_over, data);
  return NULL;
}

static CothreadPulse *ping;

static gpointer
wake_each_other_until_over (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (!is_over)
    {
      cothread_pulse_signal (ping, FALSE);
      if (!cothread_pulse_wait (ping, COTHREAD_FOREVER, error))
        break;
    }
  cothread_pulse_signal (ping, TRUE);
  return NULL;
}

typedef struct
{
  const char *path;
  CothreadTaskFunc flood;
  int priority;
} Flood;

static const Flood floods[] = {
  { "/source/fairness/endless-yielders-stop-no-idle-handler", yield_until_over, G_PRIORITY_DEFAULT_IDLE },
  { "/source/fairness/endless-yielders-stop-no-redraw", yield_until_over, 120 },
  { "/source/fairness/endless-sleepers-for-no-time-stop-no-idle-handler", sleep_for_no_time_until_over, G_PRIORITY_DEFAULT_IDLE },
  { "/source/fairness/endless-sleepers-for-no-time-stop-no-redraw", sleep_for_no_time_until_over, 120 },
  { "/source/fairness/a-computation-with-checkpoints-stops-no-idle-handler", compute_until_over, G_PRIORITY_DEFAULT_IDLE },
  { "/source/fairness/a-computation-with-checkpoints-stops-no-redraw", compute_until_over, 120 },
  { "/source/fairness/a-flood-of-spawns-stops-no-idle-handler", spawn_until_over, G_PRIORITY_DEFAULT_IDLE },
  { "/source/fairness/a-flood-of-spawns-stops-no-redraw", spawn_until_over, 120 },
  { "/source/fairness/tasks-that-wake-each-other-stop-no-idle-handler", wake_each_other_until_over, G_PRIORITY_DEFAULT_IDLE },
  { "/source/fairness/tasks-that-wake-each-other-stop-no-redraw", wake_each_other_until_over, 120 },
};

static void
test_flood (void)
{
  ping = cothread_pulse_new ();
  for (guint i = 0; i < G_N_ELEMENTS (floods); i++)
    if (g_str_equal (floods[i].path, g_test_get_path ()))
      {
        is_over = FALSE;
        for (guint k = 0; k < 4; k++)
          start ("flood", floods[i].flood, NULL);
        assert_source_is_served (floods[i].priority);
      }
  g_clear_object (&ping);
}

static gpointer
wait_for_fd_until_over (gpointer fd, GError **error)
{
  while (!is_over && cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error) != 0)
    ;
  return NULL;
}

/* The loop's own poll finds them ready whenever it looks. */
static void
test_descriptors_that_are_always_ready_stop_no_redraw (void)
{
  gint64 end = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  int fds[50];

  use_default_time_slice ();
  is_over = FALSE;
  n_dispatched = 0;
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = eventfd (1, EFD_NONBLOCK | EFD_CLOEXEC);
      start ("reader", wait_for_fd_until_over, GINT_TO_POINTER (fds[i]));
    }
  add_source (120, count_dispatch, NULL);
  while (n_dispatched < TURNS && g_get_monotonic_time () < end)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (n_dispatched, >=, TURNS);
  is_over = TRUE;
  run_until_no_task_is_left ();
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
}

static gpointer
count_yields (gpointer count, GError **error)
{
  for (guint i = 0; i < 1000; i++)
    {
      g_assert_true (cothread_sleep (0, error));
      ++*(guint *) count;
    }
  return NULL;
}

static gboolean
do_little (G_GNUC_UNUSED gpointer unused)
{
  return !is_over;
}

static void
assert_tasks_go_on_beside (int priority)
{
  guint count = 0;
  g_autoptr (CothreadTask) task = spawn ("task", count_yields, &count);

  use_default_time_slice ();
  is_over = FALSE;
  add_source (priority, do_little, NULL);
  while (!cothread_task_is_finished (task))
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  is_over = TRUE;
  settle ();

  g_assert_cmpuint (count, ==, 1000);
}

static void
test_a_source_that_is_always_ready_does_not_stop_the_tasks (void)
{
  assert_tasks_go_on_beside (G_PRIORITY_DEFAULT);
  assert_tasks_go_on_beside (120);
  assert_tasks_go_on_beside (G_PRIORITY_DEFAULT_IDLE);
}

static gboolean
be_slow (G_GNUC_UNUSED gpointer unused)
{
  gint64 end_us = g_get_monotonic_time () + 5 * MS;

  while (g_get_monotonic_time () < end_us)
    ;
  return !is_over;
}

/* The part of the time that turns took, of a while in which both sides would
 * have taken all of it. */
static double
measure_share_beside_a_slow_source (int priority)
{
  gint64 begin_us = g_get_monotonic_time ();
  gint64 elapsed_us, busy_us = 0;
  g_autoptr (GArray) recent = NULL;

  use_default_time_slice ();
  is_over = FALSE;
  start ("computing", compute_until_over, NULL);
  add_source (priority, be_slow, NULL);
  while (count_turns () < 30)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  elapsed_us = g_get_monotonic_time () - begin_us;
  recent = cothread_scheduler_get_recent_turns (cothread_scheduler_get_default ());
  for (guint i = 0; i < recent->len; i++)
    busy_us += g_array_index (recent, gint64, i);
  is_over = TRUE;
  run_until_no_task_is_left ();
  return (double) busy_us / (double) elapsed_us;
}

static void
test_tasks_keep_a_share_beside_a_slow_redraw_that_is_always_due (void)
{
  cothread_scheduler_set_minimum_share (cothread_scheduler_get_default (), 0.2);

  g_assert_cmpfloat (measure_share_beside_a_slow_source (120), >=, 0.05);
}

static void
test_a_slow_redraw_keeps_its_share_beside_tasks_that_never_rest (void)
{
  cothread_scheduler_set_minimum_share (cothread_scheduler_get_default (), 0.2);

  g_assert_cmpfloat (measure_share_beside_a_slow_source (120), <=, 0.8);
}

static void
test_tasks_with_descriptors_keep_a_share_beside_a_slow_redraw (void)
{
  int fd = eventfd (1, EFD_NONBLOCK | EFD_CLOEXEC);
  g_autoptr (CothreadStatistics) statistics = NULL;
  gint64 begin_us = g_get_monotonic_time (), elapsed_us;

  use_default_time_slice ();
  cothread_scheduler_set_minimum_share (cothread_scheduler_get_default (), 0.2);
  is_over = FALSE;
  start ("reader", wait_for_fd_until_over, GINT_TO_POINTER (fd));
  add_source (120, be_slow, NULL);
  while ((elapsed_us = g_get_monotonic_time () - begin_us) < G_USEC_PER_SEC)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  statistics = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
  is_over = TRUE;
  run_until_no_task_is_left ();
  close (fd);

  g_assert_cmpuint (statistics->busy_us, >=, (guint64) elapsed_us / 50);
}

static void
test_a_turn_is_cut_when_its_slice_is_used_up (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (CothreadStatistics) statistics = NULL;

  is_over = FALSE;
  cothread_scheduler_set_time_slice (scheduler, MS);
  start ("computing", compute_until_over, NULL);
  while (count_turns () < TURNS)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  statistics = cothread_scheduler_get_statistics (scheduler);
  is_over = TRUE;
  run_until_no_task_is_left ();

  g_assert_cmpuint (statistics->turns_cut, ==, statistics->turns);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (floods); i++)
    behaviour_add (floods[i].path, test_flood);
  behaviour_add ("/source/fairness/descriptors-that-are-always-ready-stop-no-redraw", test_descriptors_that_are_always_ready_stop_no_redraw);
  behaviour_add ("/source/fairness/tasks-with-descriptors-keep-a-share-beside-a-slow-redraw", test_tasks_with_descriptors_keep_a_share_beside_a_slow_redraw);
  behaviour_add ("/source/fairness/a-source-that-is-always-ready-does-not-stop-the-tasks", test_a_source_that_is_always_ready_does_not_stop_the_tasks);
  behaviour_add ("/source/fairness/tasks-keep-a-share-beside-a-slow-redraw-that-is-always-due", test_tasks_keep_a_share_beside_a_slow_redraw_that_is_always_due);
  behaviour_add ("/source/fairness/a-slow-redraw-keeps-its-share-beside-tasks-that-never-rest", test_a_slow_redraw_keeps_its_share_beside_tasks_that_never_rest);
  behaviour_add ("/source/fairness/a-turn-is-cut-when-its-slice-is-used-up", test_a_turn_is_cut_when_its_slice_is_used_up);
  return g_test_run ();
}
