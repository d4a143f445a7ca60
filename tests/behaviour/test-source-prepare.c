/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* What other code makes ready in the prepare function of a source of its own,
 * which GLib calls when the scheduler has said already that it may sleep. */

static gpointer
sleep_very_long (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (1000 * G_USEC_PER_SEC, error);
  return NULL;
}

static CothreadEvent *event;
static CothreadEventQueue *queue;
static CothreadTimer *timer;
static CothreadTask *parked;

static void
signal_the_event (void)
{
  cothread_event_signal (event);
}

static void
signal_the_queue (void)
{
  cothread_event_queue_signal (queue, queue);
}

static void
reset_the_timer (void)
{
  cothread_timer_reset (timer, 0);
}

static void
cancel_the_task (void)
{
  cothread_task_cancel (parked);
}

static gpointer
signal_in_task (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  signal_the_event ();
  return NULL;
}

static void
spawn_one_that_signals (void)
{
  start ("signaller", signal_in_task, NULL);
}

static void
signal_in_callback (G_GNUC_UNUSED gpointer unused)
{
  signal_the_event ();
}

static void
signal_in_timer (G_GNUC_UNUSED CothreadTimer *self, G_GNUC_UNUSED gpointer unused)
{
  signal_the_event ();
}

static void
post_a_callback (void)
{
  CothreadCallbackQueue *callbacks = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());

  cothread_callback_queue_post (callbacks, signal_in_callback, NULL, NULL, NULL);
}

static void
interrupt_main (void)
{
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
}

static void (*action) (void);

static gboolean
prepare_action (G_GNUC_UNUSED GSource *source, gint *timeout_ms)
{
  void (*func) (void) = g_steal_pointer (&action);

  if (func != NULL)
    func ();
  *timeout_ms = -1;
  return FALSE;
}

static gpointer
wait_for_anything (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_event_wait (event, COTHREAD_FOREVER, error);
  say ("woken");
  return NULL;
}

static gpointer
wait_for_item (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_event_queue_wait (queue, COTHREAD_FOREVER, NULL, error);
  say ("woken");
  return NULL;
}

static GSource *
set_up_action (void (*func) (void), CothreadTaskFunc waiter)
{
  static GSourceFuncs funcs = { .prepare = prepare_action };
  GSource *source = g_source_new (&funcs, sizeof (GSource));

  event = cothread_event_new (TRUE);
  queue = cothread_event_queue_new (0, NULL);
  timer = cothread_timer_new (COTHREAD_FOREVER, COTHREAD_TIMER_REUSE, signal_in_timer, NULL, NULL);
  cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  parked = spawn ("parked", waiter, NULL);
  settle ();
  action = func;
  g_source_set_priority (source, G_PRIORITY_LOW);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

static void
tear_down_action (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
  cothread_task_cancel (parked);
  g_clear_pointer (&parked, cothread_task_unref);
  settle ();
  g_clear_object (&event);
  g_clear_object (&queue);
  g_clear_object (&timer);
}

static void
assert_task_is_woken (void (*func) (void), CothreadTaskFunc waiter)
{
  GSource *source = set_up_action (func, waiter);

  while (!cothread_task_is_finished (parked))
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  assert_said ("woken");
  tear_down_action (source);
}

static void
test_what_another_sources_prepare_makes_ready_keeps_the_loop_awake (void)
{
  assert_task_is_woken (signal_the_event, wait_for_anything);
  assert_task_is_woken (signal_the_queue, wait_for_item);
  assert_task_is_woken (reset_the_timer, wait_for_anything);
  assert_task_is_woken (cancel_the_task, wait_for_anything);
  assert_task_is_woken (spawn_one_that_signals, wait_for_anything);
  assert_task_is_woken (post_a_callback, wait_for_anything);
}

static void
test_main_woken_by_another_sources_prepare_goes_on (void)
{
  GSource *source = set_up_action (signal_the_event, sleep_very_long);

  g_assert_true (cothread_event_wait (event, COTHREAD_FOREVER, NULL));
  tear_down_action (source);
}

static void
test_main_interrupted_by_another_sources_prepare_goes_on (void)
{
  GSource *source = set_up_action (interrupt_main, sleep_very_long);
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_event_wait (event, COTHREAD_FOREVER, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  tear_down_action (source);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_isolated ("/source/sleep/what-another-sources-prepare-makes-ready-keeps-the-loop-awake",
                          test_what_another_sources_prepare_makes_ready_keeps_the_loop_awake);
  behaviour_add_isolated ("/source/sleep/main-woken-by-another-sources-prepare-goes-on", test_main_woken_by_another_sources_prepare_goes_on);
  behaviour_add_isolated ("/source/sleep/main-interrupted-by-another-sources-prepare-goes-on", test_main_interrupted_by_another_sources_prepare_goes_on);
  return g_test_run ();
}
