/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Timers: a function in a task of its own after a while, once or again and
 * again. */

static guint n_freed;

static void
count_freed (G_GNUC_UNUSED gpointer data)
{
  n_freed++;
}

static void
say_data (G_GNUC_UNUSED CothreadTimer *timer, gpointer text)
{
  say ("%s", (const char *) text);
}

static char a[] = "a";
static char b[] = "b";
static char c[] = "c";

/* A timer that looks after itself. */
static void
start_timer (gint64 timeout_us, CothreadTimerFunc func, gpointer data)
{
  g_object_unref (cothread_timer_new (timeout_us, COTHREAD_TIMER_DEFAULT, func, data, count_freed));
}

/* The program is busy for a while. */
static void
block_for (gint64 time_us)
{
  cothread_test_scheduler_advance (test_scheduler (), time_us);
}

/* Timers that are pending keep nobody waiting, so it is time that has to pass. */
static void
let_time_pass (void)
{
  g_assert_true (cothread_sleep (G_USEC_PER_SEC, NULL));
}

static void
test_it_runs_once_and_is_over (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (MS, COTHREAD_TIMER_DEFAULT, say_data, a, NULL);

  g_assert_true (cothread_timer_is_pending (timer));
  let_time_pass ();

  assert_said ("a");
  g_assert_false (cothread_timer_is_pending (timer));
}

static void
note_time (G_GNUC_UNUSED CothreadTimer *timer, gpointer time_us)
{
  *(gint64 *) time_us = now ();
}

static void
test_it_never_runs_early (void)
{
  gint64 begin_us = now ();
  gint64 time_us = 0;

  start_timer (3 * MS + 1, note_time, &time_us);
  while (time_us == 0)
    g_assert_true (cothread_sleep (MS, NULL));

  g_assert_cmpint (time_us - begin_us, >=, 3 * MS + 1);
}

static void
wait_in_callback (CothreadTimer *timer, gpointer text)
{
  g_assert_nonnull (cothread_task_self ());
  g_assert_true (cothread_sleep (MS, NULL));
  g_assert_false (cothread_timer_is_pending (timer));
  say ("%s", (const char *) text);
}

static void
test_the_function_runs_in_a_task_and_may_wait (void)
{
  start_timer (0, wait_in_callback, a);
  let_time_pass ();

  assert_said ("a");
}

static void
test_it_lives_by_itself_until_it_has_run_and_frees_its_data_once (void)
{
  n_freed = 0;
  start_timer (MS, say_data, a);
  settle ();
  let_time_pass ();

  assert_said ("a");
  g_assert_cmpuint (n_freed, ==, 1);
}

static void
test_timers_run_in_the_order_of_their_deadlines (void)
{
  start_timer (30 * MS, say_data, c);
  start_timer (0, say_data, a);
  start_timer (15 * MS, say_data, b);
  settle ();
  block_for (50 * MS);
  let_time_pass ();

  assert_said ("a b c");
}

typedef struct
{
  guint n;
  gint64 last_end_us;
  gint64 shortest_us;
} Periods;

static void
run_and_take_long (CothreadTimer *timer, gpointer data)
{
  Periods *periods = data;

  if (periods->n++ > 0)
    periods->shortest_us = MIN (periods->shortest_us, now () - periods->last_end_us);
  cothread_sleep (10 * MS, NULL);
  periods->last_end_us = now ();
  if (periods->n == 4)
    cothread_timer_cancel (timer);
}

static void
test_retriggering_counts_from_the_end_of_the_function (void)
{
  Periods periods = { .shortest_us = G_MAXINT64 };

  g_object_unref (cothread_timer_new (5 * MS, COTHREAD_TIMER_RETRIGGER, run_and_take_long, &periods, NULL));
  while (periods.n < 4)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_true (cothread_sleep (100 * MS, NULL));

  g_assert_cmpuint (periods.n, ==, 4); /* it was cancelled in its own function */
  g_assert_cmpint (periods.shortest_us, >=, 5 * MS);
}

static void
test_cancelling_a_pending_one_stops_it (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (MS, COTHREAD_TIMER_DEFAULT, say_data, a, NULL);

  cothread_timer_cancel (timer);
  g_assert_false (cothread_timer_is_pending (timer));
  let_time_pass ();
  cothread_timer_cancel (timer);
}

static void
test_cancelling_beats_a_timer_that_is_due (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (MS, COTHREAD_TIMER_DEFAULT, say_data, a, NULL);

  settle ();
  block_for (2 * MS);
  cothread_timer_cancel (timer);
  let_time_pass ();
}

static gint64 deadline_us;

static gpointer
cancel_at_the_deadline (gpointer timer, GError **error)
{
  cothread_sleep_until (deadline_us, error);
  cothread_timer_cancel (timer);
  return NULL;
}

static void
test_cancelling_beats_a_function_whose_task_has_not_begun (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (10 * MS, COTHREAD_TIMER_DEFAULT, say_data, a, NULL);

  /* Later than the timer, but both are due when the tasks run next: the timer
   * spawns its task, and is cancelled in the same tick. */
  deadline_us = now () + 10 * MS;
  start ("canceller", cancel_at_the_deadline, timer);
  settle ();
  block_for (12 * MS);
  let_time_pass ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/sync/timer/runs-once-and-is-over", test_it_runs_once_and_is_over);
  behaviour_add ("/sync/timer/never-runs-early", test_it_never_runs_early);
  behaviour_add_virtual ("/sync/timer/the-function-runs-in-a-task-and-may-wait", test_the_function_runs_in_a_task_and_may_wait);
  behaviour_add_virtual ("/sync/timer/lives-by-itself-until-it-has-run", test_it_lives_by_itself_until_it_has_run_and_frees_its_data_once);
  behaviour_add_virtual ("/sync/timer/timers-run-in-the-order-of-their-deadlines", test_timers_run_in_the_order_of_their_deadlines);
  behaviour_add_virtual ("/sync/timer/retriggering-counts-from-the-end-of-the-function", test_retriggering_counts_from_the_end_of_the_function);
  behaviour_add_virtual ("/sync/timer/cancel/stops-a-pending-one", test_cancelling_a_pending_one_stops_it);
  behaviour_add_virtual ("/sync/timer/cancel/beats-one-that-is-due", test_cancelling_beats_a_timer_that_is_due);
  behaviour_add_virtual ("/sync/timer/cancel/beats-a-function-whose-task-has-not-begun", test_cancelling_beats_a_function_whose_task_has_not_begun);
  return g_test_run ();
}
