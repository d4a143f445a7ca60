/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>

#include <glib-unix.h>

/* Precise sleeps, by the real clock. How precise they are is measured in
 * tests/perf (sleepers); here they have to be right. */

#define MS ((gint64) 1000)
#define HOUR (3600 * 1000 * MS)

static void
run_test (gconstpointer test)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  ((void (*) (void)) test) ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
a_sleep_is_never_too_short (void)
{
  for (gint64 timeout_us = 0; timeout_us < 3 * MS; timeout_us += 97)
    {
      gint64 deadline_us = g_get_monotonic_time () + timeout_us;

      g_assert_true (cothread_sleep_precisely (timeout_us, NULL));
      g_assert_cmpint (g_get_monotonic_time (), >=, deadline_us);
      g_assert_true (cothread_sleep_precisely_until (deadline_us, NULL)); /* in the past */
    }
}

typedef struct
{
  guint n_woken;
  gint64 last_us;
} Order;

typedef struct
{
  Order *order;
  gint64 deadline_us;
  gboolean is_precise;
} Sleeper;

static gpointer
sleep_in_order (gpointer data, GError **error)
{
  Sleeper *self = data;

  if (self->is_precise ? cothread_sleep_precisely_until (self->deadline_us, error)
                       : cothread_sleep_until (self->deadline_us, error))
    {
      g_assert_cmpint (g_get_monotonic_time (), >=, self->deadline_us);
      g_assert_cmpint (self->deadline_us, >=, self->order->last_us);
      self->order->last_us = self->deadline_us;
      self->order->n_woken++;
    }
  return NULL;
}

static void
precise_and_other_sleepers_wake_in_the_order_of_their_deadlines (void)
{
  Order order = { 0 };
  Sleeper sleepers[300];
  gint64 begin_us = g_get_monotonic_time () + 20 * MS;

  for (guint i = 0; i < G_N_ELEMENTS (sleepers); i++)
    {
      guint place = (i * 7919) % G_N_ELEMENTS (sleepers); /* all of them, mixed */

      sleepers[i] = (Sleeper) { &order, begin_us + place * 37, i % 3 != 0 };
      cothread_task_unref (cothread_spawn (sleep_in_order, &sleepers[i]));
    }
  while (order.n_woken < G_N_ELEMENTS (sleepers))
    g_assert_true (cothread_sleep (MS, NULL));
}

static void
cancelled_ones_leave_the_others_their_time (void)
{
  Order order = { 0 };
  Sleeper early = { &order, g_get_monotonic_time () + HOUR, TRUE };
  Sleeper late = { &order, 0, TRUE };
  g_autoptr (CothreadTask) first = cothread_spawn (sleep_in_order, &early);
  g_autoptr (GError) error = NULL;

  g_assert_true (cothread_sleep (0, NULL));
  late.deadline_us = g_get_monotonic_time () + 5 * MS;
  cothread_task_unref (cothread_spawn (sleep_in_order, &late));
  g_assert_true (cothread_sleep (0, NULL));
  cothread_task_cancel (first);
  g_assert_false (cothread_task_join (first, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  while (order.n_woken == 0)
    g_assert_true (cothread_sleep (MS, NULL));
}

static gpointer
sleep_for_an_hour (G_GNUC_UNUSED gpointer data, GError **error)
{
  return GINT_TO_POINTER (cothread_sleep_precisely (HOUR, error));
}

static gpointer
sleep_for_a_moment (G_GNUC_UNUSED gpointer data, GError **error)
{
  return GINT_TO_POINTER (cothread_sleep_precisely (10 * MS, error));
}

static gpointer
sleep_shielded (gpointer done, G_GNUC_UNUSED GError **error)
{
  cothread_shield_begin ();
  g_assert_true (cothread_sleep_precisely (20 * MS, NULL));
  g_assert_true (cothread_sleep_precisely (MS, NULL));
  cothread_shield_end ();
  *(gboolean *) done = TRUE;
  return NULL;
}

static void
a_shutdown_ends_them_and_leaves_no_descriptor (void)
{
  guint before = count_descriptors ();
  gboolean done = FALSE;
  g_autoptr (CothreadTask) task = NULL;

  cothread_scheduler_get_default ();
  task = cothread_spawn (sleep_for_an_hour, NULL);
  cothread_task_unref (cothread_spawn (sleep_shielded, &done));
  g_assert_true (cothread_sleep (0, NULL));
  g_assert_cmpuint (count_descriptors (), >, before);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_assert_true (done);
  g_assert_true (cothread_task_is_finished (task));
  g_assert_cmpuint (count_descriptors (), ==, before);
}

static void
a_parked_scheduler_is_not_woken_by_one_that_was_cancelled (void)
{
  g_autoptr (CothreadTask) task = cothread_spawn (sleep_for_an_hour, NULL);
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (CothreadStatistics) before = NULL;
  g_autoptr (CothreadStatistics) after = NULL;

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (CothreadTask) brief = cothread_spawn (sleep_for_a_moment, NULL);

      g_assert_true (cothread_sleep (0, NULL));
      cothread_task_cancel (brief);
      g_assert_true (cothread_sleep (0, NULL));
    }
  before = cothread_scheduler_get_statistics (scheduler);
  g_assert_true (cothread_sleep (20 * MS, NULL));
  after = cothread_scheduler_get_statistics (scheduler);
  g_assert_cmpuint (after->turns - before->turns, <=, 2);
  cothread_task_cancel (task);
}

static void
in_virtual_time_they_are_sleeps_like_any_other (void)
{
  g_autoptr (CothreadTestScheduler) tester = cothread_test_scheduler_new (0, NULL);
  CothreadScheduler *scheduler = cothread_test_scheduler_get_scheduler (tester);
  gint64 begin_us = cothread_scheduler_get_time (scheduler);

  g_assert_true (cothread_sleep_precisely (HOUR + 1, NULL));
  g_assert_cmpint (cothread_scheduler_get_time (scheduler) - begin_us, ==, HOUR + 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/precise/never-too-short", a_sleep_is_never_too_short, run_test);
  g_test_add_data_func ("/precise/order", precise_and_other_sleepers_wake_in_the_order_of_their_deadlines, run_test);
  g_test_add_data_func ("/precise/cancel", cancelled_ones_leave_the_others_their_time, run_test);
  g_test_add_data_func ("/precise/shutdown", a_shutdown_ends_them_and_leaves_no_descriptor, run_test);
  g_test_add_data_func ("/precise/idle", a_parked_scheduler_is_not_woken_by_one_that_was_cancelled, run_test);
  g_test_add_data_func ("/precise/virtual", in_virtual_time_they_are_sleeps_like_any_other, run_test);
  return g_test_run ();
}
