/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

/* A hundred thousand tasks that wait, and what ends their waits. */

#define N_TASKS 100000
#define STACK_BYTES (16 * 1024)

typedef struct
{
  StressFixture base; /* first */
  CothreadEvent *event;
  guint n_tasks;
  guint n_waiting;
  guint n_woken;
  guint n_cancelled;
  guint n_timed_out;
} Park;

typedef struct
{
  Park *park;
  guint number;
  gint64 timeout_us;
} Parked;

static gpointer
wait_parked (gpointer data, G_GNUC_UNUSED GError **error)
{
  Parked *self = data;
  Park *park = self->park;
  g_autoptr (GError) failure = NULL;

  g_assert_cmpuint (self->number, ==, park->n_waiting);
  park->n_waiting++;
  if (cothread_event_wait (park->event, self->timeout_us, &failure))
    {
      g_assert_cmpuint (self->number, ==, park->n_woken);
      park->n_woken++;
    }
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    park->n_cancelled++;
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    park->n_timed_out++;
  else
    g_assert_no_error (failure);
  return NULL;
}

/* FALSE: the system gives no more stacks (vm.max_map_count on old kernels). */
static gboolean
spawn_parked (Park *park, guint number, gint64 timeout_us)
{
  CothreadSpawnOptions options = { .stack_bytes = STACK_BYTES, .user_data_destroy = g_free };
  Parked *parked = g_new (Parked, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (CothreadTask) task = NULL;

  *parked = (Parked) { park, number, timeout_us };
  task = cothread_spawn_full (wait_parked, parked, &options, &error);
  if (task == NULL)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  return task != NULL;
}

static void
run_idle (Park *park)
{
  while (g_main_context_iteration (park->base.context, FALSE))
    ;
}

static void
park_tasks (Park *park, gboolean auto_reset, gint64 timeout_us)
{
  guint wanted = stress_scale_tasks (N_TASKS);

  *park = (Park) { 0 };
  stress_begin (&park->base);
  park->event = cothread_event_new (auto_reset);
  while (park->n_tasks < wanted && spawn_parked (park, park->n_tasks, timeout_us))
    park->n_tasks++;
  g_assert_cmpuint (park->n_tasks, >=, MIN (wanted, 10000));
  if (park->n_tasks < wanted)
    g_test_message ("The system has stacks for %u tasks only", park->n_tasks);
  stress_run_until (&park->base, park->n_waiting == park->n_tasks);
}

static void
assert_counts (Park *park, guint waiting, guint timers)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (park->base.scheduler);

  g_assert_cmpuint (statistics->waiting, ==, waiting + 1); /* the callback queue's task */
  g_assert_cmpuint (statistics->tasks, ==, statistics->waiting + statistics->ready + statistics->running);
  g_assert_cmpuint (statistics->timers, >=, timers);
  g_assert_cmpuint (statistics->timers, <=, timers + 1); /* unused stacks are given back later */
}

static void
end (Park *park)
{
  g_object_unref (park->event);
  stress_end (&park->base);
}

static void
test_one_signal_wakes_all_in_the_order_in_which_they_began_to_wait (void)
{
  Park park;

  park_tasks (&park, FALSE, COTHREAD_FOREVER);
  assert_counts (&park, park.n_tasks, 0);
  cothread_event_signal (park.event);
  run_idle (&park);

  g_assert_cmpuint (park.n_woken, ==, park.n_tasks);
  assert_counts (&park, 0, 0);
  end (&park);
}

static void
test_signals_wake_one_each_in_the_order_in_which_they_began_to_wait (void)
{
  Park park;

  park_tasks (&park, TRUE, COTHREAD_FOREVER);
  for (guint i = 1; i <= park.n_tasks; i++)
    {
      cothread_event_signal (park.event);
      run_idle (&park);
      g_assert_cmpuint (park.n_woken, ==, i);
    }

  assert_counts (&park, 0, 0);
  end (&park);
}

static void
test_waits_with_a_timeout_that_are_woken_leave_no_timer (void)
{
  Park park;

  park_tasks (&park, FALSE, G_GINT64_CONSTANT (3600000000));
  assert_counts (&park, park.n_tasks, park.n_tasks);
  cothread_event_signal (park.event);
  run_idle (&park);

  g_assert_cmpuint (park.n_woken, ==, park.n_tasks);
  assert_counts (&park, 0, 0);
  end (&park);
}

static void
test_waits_that_time_out_together_leave_no_waiter (void)
{
  Park park;

  park_tasks (&park, TRUE, 10000);
  stress_run_until (&park.base, park.n_timed_out == park.n_tasks);

  assert_counts (&park, 0, 0);
  cothread_event_signal (park.event);
  g_assert_true (cothread_event_is_signalled (park.event));
  end (&park);
}

static void
test_a_shutdown_unwinds_all (void)
{
  Park park;

  park_tasks (&park, TRUE, COTHREAD_FOREVER);
  cothread_scheduler_shutdown (park.base.scheduler);

  g_assert_cmpuint (park.n_cancelled, ==, park.n_tasks);
  end (&park);
}

static void
test_all_can_be_cancelled_one_by_one (void)
{
  Park park;
  g_autoptr (GPtrArray) tasks = NULL;

  park_tasks (&park, TRUE, COTHREAD_FOREVER);
  tasks = cothread_scheduler_list_tasks (park.base.scheduler);
  g_assert_cmpuint (tasks->len, ==, park.n_tasks + 1);
  for (guint i = 0; i < tasks->len; i++)
    if (!g_str_has_prefix (cothread_task_get_name (tasks->pdata[i]), "callback queue"))
      cothread_task_cancel (tasks->pdata[i]);
  run_idle (&park);

  g_assert_cmpuint (park.n_cancelled, ==, park.n_tasks);
  assert_counts (&park, 0, 0);
  end (&park);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stress/parked/one-signal-wakes-all-in-the-order-in-which-they-began-to-wait",
                   test_one_signal_wakes_all_in_the_order_in_which_they_began_to_wait);
  g_test_add_func ("/stress/parked/signals-wake-one-each-in-the-order-in-which-they-began-to-wait",
                   test_signals_wake_one_each_in_the_order_in_which_they_began_to_wait);
  g_test_add_func ("/stress/parked/waits-with-a-timeout-that-are-woken-leave-no-timer",
                   test_waits_with_a_timeout_that_are_woken_leave_no_timer);
  g_test_add_func ("/stress/parked/waits-that-time-out-together-leave-no-waiter",
                   test_waits_that_time_out_together_leave_no_waiter);
  g_test_add_func ("/stress/parked/a-shutdown-unwinds-all", test_a_shutdown_unwinds_all);
  g_test_add_func ("/stress/parked/all-can-be-cancelled-one-by-one", test_all_can_be_cancelled_one_by_one);
  return g_test_run ();
}
