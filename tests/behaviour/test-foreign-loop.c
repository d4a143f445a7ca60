/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "poll-loop.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* The same scheduler in a loop of a few lines over poll(2), and in GLib's: the
 * same things happen in the same order. Run with each poller (COTHREAD_POLLER). */

static gint ends[2];
static CothreadEvent *event;
static CothreadEventQueue *queue;

static gpointer
have_a_child (G_GNUC_UNUSED gpointer unused, GError **error)
{
  say ("parent");
  start ("child", say_own_name, NULL);
  cothread_sleep (0, error);
  say ("parent-again");
  return NULL;
}

static gpointer
yield_once (G_GNUC_UNUSED gpointer unused, GError **error)
{
  say ("yields");
  cothread_yield (error);
  say ("yielded");
  return NULL;
}

static gpointer
write_later (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (50 * MS, error);
  say ("writes");
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  return NULL;
}

static gpointer
read_and_signal (G_GNUC_UNUSED gpointer unused, GError **error)
{
  char byte;

  g_assert_cmpint (cothread_wait_fd (ends[0], G_IO_IN, COTHREAD_FOREVER, error), ==, G_IO_IN);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
  say ("reads");
  cothread_event_signal (event);
  return NULL;
}

static void
fill_queue (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer unused)
{
  say ("timer");
  cothread_event_queue_signal (queue, queue);
  cothread_event_queue_signal (queue, queue);
  cothread_event_queue_close (queue);
}

static gpointer
wait_and_start_a_timer (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, error));
  say ("event");
  g_object_unref (cothread_timer_new (10 * MS, COTHREAD_TIMER_DEFAULT, fill_queue, NULL, NULL));
  return NULL;
}

static gpointer
empty_queue (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  while (cothread_event_queue_wait (queue, COTHREAD_FOREVER, NULL, NULL))
    say ("item");
  say ("closed");
  return NULL;
}

static const char scenario_in_order[] = "parent yields child parent-again yielded writes reads event timer item item closed";

static void
begin_scenario (CothreadScheduler *scheduler)
{
  make_pipe (ends);
  event = cothread_event_new (TRUE);
  queue = cothread_event_queue_new (0, NULL);
  cothread_scheduler_set_time_slice (scheduler, G_USEC_PER_SEC);
  spawn_on (scheduler, have_a_child);
  spawn_on (scheduler, yield_once);
  spawn_on (scheduler, write_later);
  spawn_on (scheduler, read_and_signal);
  spawn_on (scheduler, wait_and_start_a_timer);
  spawn_on (scheduler, empty_queue);
}

static void
end_scenario (void)
{
  assert_said (scenario_in_order);
  g_clear_object (&event);
  g_clear_object (&queue);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
test_the_order_in_a_loop_over_poll (void)
{
  Loop loop;

  loop_init (&loop);
  begin_scenario (loop.scheduler);
  while (loop_turn (&loop, NULL) && live_tasks_on (loop.scheduler) > 0)
    loop_poll (&loop);
  end_scenario ();
  loop_clear (&loop);
}

static void
test_the_order_in_glibs_loop (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);

  g_assert_true (cothread_scheduler_attach (scheduler, context));
  begin_scenario (scheduler);
  while (live_tasks_on (scheduler) > 0)
    g_main_context_iteration (context, TRUE);
  end_scenario ();
  cothread_scheduler_shutdown (scheduler);
}

static void
test_an_interrupt_ends_one_turn_and_everything_goes_on (void)
{
  Loop loop;
  g_autoptr (GError) error = NULL;

  loop_init (&loop);
  begin_scenario (loop.scheduler);
  cothread_scheduler_interrupt (loop.scheduler);
  g_assert_false (loop_turn (&loop, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  while (loop_turn (&loop, NULL) && live_tasks_on (loop.scheduler) > 0)
    loop_poll (&loop);
  end_scenario ();
  loop_clear (&loop);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/foreign-loop/the-order-in-a-loop-over-poll", test_the_order_in_a_loop_over_poll);
  behaviour_add ("/foreign-loop/the-order-in-glibs-loop-is-the-same", test_the_order_in_glibs_loop);
  behaviour_add ("/foreign-loop/an-interrupt-ends-one-turn-and-everything-goes-on", test_an_interrupt_ends_one_turn_and_everything_goes_on);
  return g_test_run ();
}
