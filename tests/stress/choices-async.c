/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choices.h"

/* Waits that call back. */

typedef enum
{
  ASYNC_SLEEP,
  ASYNC_EVENT,
  ASYNC_ITEM,
  ASYNC_PULSE,
  ASYNC_LOCK,
  ASYNC_SEMAPHORE,
  ASYNC_JOIN,
  ASYNC_FLUSH,
  ASYNC_TIMER,
  ASYNC_FD,
  N_ASYNC,
} AsyncKind;

typedef struct
{
  AsyncKind kind;
  guint which;
  gpointer object;
} Async;

static void
async_done (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Async *wait = data;
  g_autoptr (GError) error = NULL;
  gpointer value = NULL;
  gboolean success = FALSE;

  choices.n_async--;
  switch (wait->kind)
    {
    case ASYNC_SLEEP:
      success = cothread_sleep_finish (result, &error);
      break;
    case ASYNC_EVENT:
      success = cothread_event_wait_value_finish (wait->object, result, &value, &error);
      if (cothread_event_get_auto_reset (wait->object))
        choice_value_free (value);
      break;
    case ASYNC_ITEM:
      success = cothread_event_queue_wait_finish (wait->object, result, &value, &error);
      choice_value_free (value);
      break;
    case ASYNC_PULSE:
      success = cothread_pulse_wait_finish (wait->object, result, &error);
      break;
    case ASYNC_LOCK:
      success = cothread_lock_acquire_finish (wait->object, result, &error);
      if (success)
        {
          g_assert_null (choices.lock_holder[wait->which]);
          cothread_lock_release (wait->object);
        }
      break;
    case ASYNC_SEMAPHORE:
      success = cothread_semaphore_acquire_finish (wait->object, result, &error);
      if (success)
        cothread_semaphore_release (wait->object);
      break;
    case ASYNC_JOIN:
      success = cothread_join_finish (result, &error);
      break;
    case ASYNC_FLUSH:
      success = cothread_callback_queue_flush_finish (wait->object, result, &error);
      break;
    case ASYNC_TIMER:
      success = cothread_timer_wait_finish (wait->object, result, &error);
      break;
    case ASYNC_FD:
      success = cothread_wait_fd_finish (result, &error) != 0;
      break;
    case N_ASYNC:
    default:
      g_assert_not_reached ();
    }
  choice_note_result (success, error);
  if (wait->kind != ASYNC_JOIN)
    g_clear_object (&wait->object);
  else
    cothread_task_unref (wait->object);
  if (!choices.is_over && choice_pick (2) == 0)
    choice_act ();
}

void
choice_begin_async (void)
{
  Async *wait = g_new0 (Async, 1);
  GCancellable *cancellable = choice_pick (2) == 0 ? choices.cancellable : NULL;
  gint64 timeout_us = choice_pick_timeout ();

  wait->kind = (AsyncKind) choice_pick (N_ASYNC);
  choices.n_async++;
  switch (wait->kind)
    {
    case ASYNC_SLEEP:
      cothread_sleep_async (choice_pick (1000), cancellable, async_done, wait);
      break;
    case ASYNC_EVENT:
      wait->object = g_object_ref (choices.events[choice_pick (CHOICE_EVENTS)]);
      cothread_event_wait_async (wait->object, timeout_us, cancellable, async_done, wait);
      break;
    case ASYNC_ITEM:
      wait->object = g_object_ref (choices.items[choice_pick (CHOICE_QUEUES)]);
      cothread_event_queue_wait_async (wait->object, timeout_us, cancellable, async_done, wait);
      break;
    case ASYNC_PULSE:
      wait->object = g_object_ref (choices.pulse);
      cothread_pulse_wait_async (wait->object, timeout_us, cancellable, async_done, wait);
      break;
    case ASYNC_LOCK:
      wait->which = choice_pick (CHOICE_LOCKS);
      wait->object = g_object_ref (choices.locks[wait->which]);
      cothread_lock_acquire_async (wait->object, timeout_us, cancellable, async_done, wait);
      break;
    case ASYNC_SEMAPHORE:
      wait->object = g_object_ref (choices.semaphores[choice_pick (CHOICE_SEMAPHORES)]);
      cothread_semaphore_acquire_async (wait->object, timeout_us, cancellable, async_done, wait);
      break;
    case ASYNC_JOIN:
      wait->object = choice_pick_task ();
      if (wait->object == NULL || wait->object == cothread_task_self ())
        {
          g_clear_pointer ((CothreadTask **) &wait->object, cothread_task_unref);
          g_free (wait);
          choices.n_async--;
          return;
        }
      cothread_join_async (wait->object, timeout_us, cancellable, async_done, wait);
      break;
    case ASYNC_FLUSH:
      wait->object = g_object_ref (choices.queues[choice_pick (CHOICE_QUEUES)]);
      cothread_callback_queue_flush_async (wait->object, timeout_us, cancellable, async_done, wait);
      break;
    case ASYNC_TIMER:
      wait->object = g_object_ref (choices.timers[choice_pick (CHOICE_TIMERS)]);
      cothread_timer_wait_async (wait->object, timeout_us, cancellable, async_done, wait);
      break;
    case ASYNC_FD:
      cothread_wait_fd_async (1000 + (gint) choice_pick (CHOICE_FDS), G_IO_IN, timeout_us, cancellable, async_done, wait);
      break;
    case N_ASYNC:
    default:
      g_assert_not_reached ();
    }
}
