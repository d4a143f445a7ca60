/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib/gstdio.h>

/* The loop sleeps when there is nothing to do, and only then. */

static GMainContext *
context (void)
{
  return g_main_context_get_thread_default ();
}

static gpointer
sleep_very_long (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (1000 * G_USEC_PER_SEC, error);
  return NULL;
}

static gpointer
wait_for_event_and_say (gpointer event, GError **error)
{
  if (cothread_event_wait (event, COTHREAD_FOREVER, error))
    say ("%s", own_name ());
  return NULL;
}

static gpointer
wait_for_descriptor (gpointer fd, GError **error)
{
  cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error);
  return NULL;
}

static guint n_prepared;

static gboolean
count_prepare (G_GNUC_UNUSED GSource *source, gint *timeout_ms)
{
  n_prepared++;
  *timeout_ms = -1;
  return FALSE;
}

static gboolean
set_flag (gpointer flag)
{
  *(gboolean *) flag = TRUE;
  return G_SOURCE_REMOVE;
}

/* How many times the loop went round until a timeout of its own. */
static guint
count_iterations_in_a_while (void)
{
  static GSourceFuncs funcs = { .prepare = count_prepare };
  g_autoptr (GSource) counter = g_source_new (&funcs, sizeof (GSource));
  g_autoptr (GSource) end = g_timeout_source_new (300);
  gboolean is_over = FALSE;

  n_prepared = 0;
  g_source_attach (counter, context ());
  g_source_set_callback (end, set_flag, &is_over, NULL);
  g_source_attach (end, context ());
  while (!is_over)
    g_main_context_iteration (context (), TRUE);
  g_source_destroy (counter);
  return n_prepared;
}

static void
do_nothing (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer unused)
{
}

static void
test_parked_tasks_wake_nobody (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTimer) timer = cothread_timer_new (1000 * G_USEC_PER_SEC, COTHREAD_TIMER_REUSE, do_nothing, NULL, NULL);
  gint ends[2];

  make_pipe (ends);
  g_assert_nonnull (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()));
  for (guint i = 0; i < 10; i++)
    {
      start ("sleeper", sleep_very_long, NULL);
      start ("waiter", wait_for_event_and_say, event);
      start ("reader", wait_for_descriptor, GINT_TO_POINTER (ends[0]));
    }
  settle ();
  for (guint i = 0; i < 100; i++)
    g_assert_false (g_main_context_iteration (context (), FALSE));
  /* GLib itself goes round once more when descriptors have changed. */
  g_assert_cmpuint (count_iterations_in_a_while (), <=, 5);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
test_after_a_turn_that_was_cut_the_loop_sleeps_again (void)
{
  use_default_time_slice ();
  for (guint i = 0; i < 20000; i++)
    start ("task", sleep_very_long, NULL);
  settle ();

  g_assert_cmpuint (live_tasks (), ==, 20000);
  g_assert_cmpuint (count_iterations_in_a_while (), <=, 5);
}

static void
signal_event (gpointer event)
{
  cothread_event_signal (event);
}

typedef struct
{
  CothreadCallbackQueue *callbacks;
  CothreadEvent *event;
} Post;

static gpointer
post_from_a_thread (gpointer data)
{
  Post *post = data;

  wait_until_main_thread_sleeps ();
  cothread_callback_queue_post (post->callbacks, signal_event, post->event, NULL, NULL);
  return NULL;
}

static void
test_a_post_from_another_thread_wakes_the_loop (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  Post post = { cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()), event };
  GThread *thread = g_thread_new ("post", post_from_a_thread, &post);

  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, NULL));
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/source/sleep/parked-tasks-wake-nobody", test_parked_tasks_wake_nobody);
  behaviour_add ("/source/sleep/comes-back-after-a-turn-that-was-cut", test_after_a_turn_that_was_cut_the_loop_sleeps_again);
  behaviour_add_isolated ("/source/sleep/a-post-from-another-thread-wakes-the-loop", test_a_post_from_another_thread_wakes_the_loop);
  return g_test_run ();
}
