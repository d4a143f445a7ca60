/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "every-wait.h"

#include <glib/gstdio.h>

static CothreadEvent *event;
static CothreadEvent *latch;
static CothreadPulse *pulse;
static CothreadEventQueue *queue;
static CothreadTask *endless;
static gint ends[2];
static CothreadLock *lock;
static CothreadTask *holder;
static CothreadSemaphore *semaphore;
static CothreadTimer *timer;
static CothreadSelection *selection;
static GCancellable *object;

static gboolean
wait_for_event (gint64 timeout_us, GError **error)
{
  return cothread_event_wait (event, timeout_us, error);
}

static gboolean
wait_for_value (gint64 timeout_us, GError **error)
{
  gpointer value;

  return cothread_event_wait_value (latch, timeout_us, &value, error);
}

static gboolean
wait_for_pulse (gint64 timeout_us, GError **error)
{
  return cothread_pulse_wait (pulse, timeout_us, error);
}

static gboolean
wait_for_item (gint64 timeout_us, GError **error)
{
  gpointer item;

  return cothread_event_queue_wait (queue, timeout_us, &item, error);
}

static gboolean
wait_for_task (gint64 timeout_us, GError **error)
{
  return cothread_task_join (endless, timeout_us, NULL, error);
}

static gboolean
wait_for_descriptor (gint64 timeout_us, GError **error)
{
  return cothread_wait_fd (ends[0], G_IO_IN, timeout_us, error) != 0;
}

static gboolean
wait_for_descriptor_again (gint64 timeout_us, GError **error)
{
  return cothread_wait_fd_again (ends[0], G_IO_IN, timeout_us, error) != 0;
}

static gboolean
wait_for_descriptors (gint64 timeout_us, GError **error)
{
  GPollFD fds[] = { { ends[0], G_IO_IN, 0 }, { ends[0], G_IO_PRI, 0 } };

  return cothread_poll_list (fds, G_N_ELEMENTS (fds), timeout_us, error) > 0;
}

static gboolean
wait_for_no_descriptor (gint64 timeout_us, GError **error)
{
  return cothread_poll_list (NULL, 0, timeout_us, error) > 0;
}

static gboolean
wait_for_lock (gint64 timeout_us, GError **error)
{
  return cothread_lock_acquire (lock, timeout_us, error);
}

static gboolean
wait_for_permit (gint64 timeout_us, GError **error)
{
  return cothread_semaphore_acquire (semaphore, timeout_us, error);
}

static gboolean
wait_for_timer (gint64 timeout_us, GError **error)
{
  return cothread_timer_wait (timer, timeout_us, error);
}

static gboolean
wait_for_any (gint64 timeout_us, GError **error)
{
  CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_EVENT, .object = event },
    { .kind = COTHREAD_WAIT_EVENT_QUEUE, .object = queue },
    { .kind = COTHREAD_WAIT_PULSE, .object = pulse },
    { .kind = COTHREAD_WAIT_TASK, .object = endless },
    { .kind = COTHREAD_WAIT_TIMER, .object = timer },
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = ends[0], .condition = G_IO_IN },
  };
  guint which;

  return cothread_wait_any (items, G_N_ELEMENTS (items), timeout_us, &which, error);
}

static gboolean
wait_for_selection (gint64 timeout_us, GError **error)
{
  return cothread_selection_wait (selection, timeout_us, error) >= 0;
}

static gboolean
wait_for_signal (gint64 timeout_us, GError **error)
{
  return cothread_wait_signal (object, "cancelled", timeout_us, NULL, error);
}

const EveryWait every_wait[N_EVERY_WAIT] = {
  { "event", wait_for_event },
  { "event-value", wait_for_value },
  { "pulse", wait_for_pulse },
  { "event-queue", wait_for_item },
  { "task", wait_for_task },
  { "descriptor", wait_for_descriptor },
  { "descriptor-again", wait_for_descriptor_again },
  { "descriptors", wait_for_descriptors },
  { "no-descriptor", wait_for_no_descriptor },
  { "lock", wait_for_lock },
  { "semaphore", wait_for_permit },
  { "timer", wait_for_timer },
  { "any", wait_for_any },
  { "selection", wait_for_selection },
  { "signal", wait_for_signal },
};

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
hold_lock (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_assert_true (cothread_lock_acquire (lock, COTHREAD_FOREVER, NULL));
  cothread_sleep (COTHREAD_FOREVER, error);
  cothread_lock_release (lock);
  return NULL;
}

void
every_wait_set_up (void)
{
  make_pipe (ends);
  event = cothread_event_new (TRUE);
  latch = cothread_event_new (FALSE);
  pulse = cothread_pulse_new ();
  queue = cothread_event_queue_new (0, NULL);
  endless = spawn ("endless", sleep_for_ever, NULL);
  lock = cothread_lock_new ();
  holder = spawn ("holder", hold_lock, NULL);
  semaphore = cothread_semaphore_new (0, 1);
  timer = cothread_timer_new_plain (COTHREAD_FOREVER, COTHREAD_TIMER_REUSE);
  selection = cothread_selection_new ();
  cothread_selection_add_event (selection, event);
  object = g_cancellable_new ();
  settle ();
}

void
every_wait_tear_down (void)
{
  g_assert_cmpuint (cothread_pulse_signal (pulse, TRUE), ==, 0);
  cothread_event_signal (event);
  g_assert_true (cothread_event_is_signalled (event));
  cothread_event_queue_signal (queue, NULL);
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 1);
  settle ();
  g_assert_true (cothread_event_is_signalled (event));
  g_assert_cmpuint (cothread_event_queue_get_length (queue), ==, 1);
  cothread_task_cancel (endless);
  cothread_task_cancel (holder);
  settle ();
  g_assert_true (cothread_lock_acquire (lock, 0, NULL));
  cothread_lock_release (lock);
  cothread_semaphore_release (semaphore);
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 1);
  g_assert_false (g_signal_has_handler_pending (object, g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE), 0, TRUE));
  g_assert_finalize_object (g_steal_pointer (&object));
  g_assert_finalize_object (g_steal_pointer (&selection));
  g_assert_finalize_object (g_steal_pointer (&timer));
  g_assert_finalize_object (g_steal_pointer (&semaphore));
  g_assert_finalize_object (g_steal_pointer (&lock));
  g_clear_pointer (&holder, cothread_task_unref);
  g_clear_object (&event);
  g_clear_object (&latch);
  g_clear_object (&pulse);
  g_clear_object (&queue);
  g_clear_pointer (&endless, cothread_task_unref);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}
