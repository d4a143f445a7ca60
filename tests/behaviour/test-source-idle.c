/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib/gstdio.h>

/* What a scheduler costs that has nothing to do, counted where the main context
 * asks the system to wait. Run with each poller (COTHREAD_POLLER). */

#define N_WAKES 10
#define PERIOD_MS 100

static guint n_sleeps;   /* polls that could wait */
static guint n_for_ever; /* of these, with no end in sight */

/* In place of a sleep for ever it comes back at once. */
static gint
count_poll (GPollFD *fds, guint n_fds, gint timeout_ms)
{
  n_sleeps += timeout_ms != 0;
  n_for_ever += timeout_ms < 0;
  return g_poll (fds, n_fds, timeout_ms < 0 ? 0 : timeout_ms);
}

static GMainContext *
context (void)
{
  return g_main_context_get_thread_default ();
}

static void
start_counting (void)
{
  g_main_context_set_poll_func (context (), count_poll);
  n_sleeps = n_for_ever = 0;
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
wait_for_event (gpointer event, GError **error)
{
  cothread_event_wait (event, COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
wait_for_item (gpointer queue, GError **error)
{
  cothread_event_queue_wait (queue, COTHREAD_FOREVER, NULL, error);
  return NULL;
}

static gpointer
wait_for_descriptor (gpointer fd, GError **error)
{
  cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error);
  return NULL;
}

static void
park_tasks (CothreadEvent *event, CothreadEventQueue *queue)
{
  g_assert_nonnull (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()));
  for (guint i = 0; i < 100; i++)
    {
      start ("sleeper", sleep_for_ever, NULL);
      start ("waiter", wait_for_event, event);
      start ("taker", wait_for_item, queue);
    }
  settle ();
}

static void
test_a_parked_scheduler_sleeps_for_ever_at_once (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  park_tasks (event, queue);
  start_counting ();
  for (guint i = 0; i < 100; i++)
    g_main_context_iteration (context (), TRUE);

  g_assert_cmpuint (n_sleeps, ==, 100);
  g_assert_cmpuint (n_for_ever, ==, 100);
}

/* In place of a sleep for ever it comes back after a long time. */
static gint
count_wakes (GPollFD *fds, guint n_fds, gint timeout_ms)
{
  gint n = g_poll (fds, n_fds, timeout_ms < 0 ? 3000 : timeout_ms);

  n_sleeps += timeout_ms != 0;
  n_for_ever += timeout_ms < 0 && n == 0;
  return n;
}

/* A look at what was closed comes a second after the last event, and then no
 * more; the poller that asks poll(2) is told and has none. */
static void
test_a_parked_scheduler_with_descriptors_sleeps_for_ever_after_one_look (void)
{
  gint ends[2];

  make_pipe (ends);
  for (guint i = 0; i < 10; i++)
    start ("reader", wait_for_descriptor, GINT_TO_POINTER (ends[0]));
  settle ();
  g_main_context_set_poll_func (context (), count_wakes);
  n_sleeps = n_for_ever = 0;
  while (n_for_ever == 0 && n_sleeps < 10)
    g_main_context_iteration (context (), TRUE);

  g_assert_cmpuint (n_for_ever, ==, 1);
  g_assert_cmpuint (n_sleeps, <=, 3);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

/* A timeout that the kernel has to set up and take down in each iteration would
 * be a part of the time that a wake takes. */
static void
test_a_loop_with_descriptors_is_polled_without_a_timeout (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("reader", wait_for_descriptor, GINT_TO_POINTER (ends[0]));
  settle ();
  start_counting ();
  for (guint i = 0; i < 100; i++)
    g_main_context_iteration (context (), TRUE);

  g_assert_cmpuint (n_for_ever, >=, 95);
  g_assert_cmpuint (n_sleeps, ==, n_for_ever);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static gpointer
wake_now_and_then (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < N_WAKES; i++)
    g_assert_true (cothread_sleep (PERIOD_MS * MS, error));
  return NULL;
}

static void
assert_one_sleep_a_wake (void)
{
  g_autoptr (CothreadTask) task = spawn ("waker", wake_now_and_then, NULL);

  settle ();
  start_counting ();
  while (!cothread_task_is_finished (task))
    g_main_context_iteration (context (), TRUE);

  g_test_message ("%u sleeps for %u wakes", n_sleeps, N_WAKES);
  g_assert_cmpuint (n_sleeps, <=, N_WAKES);
  g_assert_cmpuint (n_for_ever, ==, 0);
}

static void
test_a_task_that_wakes_now_and_then_costs_one_wakeup_each_time (void)
{
  assert_one_sleep_a_wake ();
}

static void
test_so_it_does_among_parked_tasks (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadEventQueue) queue = cothread_event_queue_new (0, NULL);

  park_tasks (event, queue);
  assert_one_sleep_a_wake ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/source/idle/a-parked-scheduler-sleeps-for-ever-at-once", test_a_parked_scheduler_sleeps_for_ever_at_once);
  behaviour_add ("/source/idle/a-parked-scheduler-with-descriptors-sleeps-for-ever-after-one-look",
                 test_a_parked_scheduler_with_descriptors_sleeps_for_ever_after_one_look);
  behaviour_add ("/source/idle/a-loop-with-descriptors-is-polled-without-a-timeout", test_a_loop_with_descriptors_is_polled_without_a_timeout);
  behaviour_add ("/source/idle/a-task-that-wakes-now-and-then-costs-one-wakeup-each-time",
                 test_a_task_that_wakes_now_and_then_costs_one_wakeup_each_time);
  behaviour_add ("/source/idle/so-it-does-among-parked-tasks", test_so_it_does_among_parked_tasks);
  return g_test_run ();
}
