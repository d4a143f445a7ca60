/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-sources-private.h"

/**
 * CothreadPulse:
 *
 * Wakes the tasks that wait at this moment, and remembers nothing.
 *
 * A pulse belongs to the thread that made it.
 *
 * Since: 0.1
 */
struct _CothreadPulse
{
  GObject parent_instance;

  gsize owner;
  CothreadWaiters waiters;
  guint64 n_for_all;
};

G_DEFINE_FINAL_TYPE (CothreadPulse, cothread_pulse, G_TYPE_OBJECT)

static void
cothread_pulse_class_init (G_GNUC_UNUSED CothreadPulseClass *klass)
{
}

static void
cothread_pulse_init (CothreadPulse *self)
{
  self->owner = cothread_thread_id ();
  cothread_waiters_init (&self->waiters);
}

/**
 * cothread_pulse_new:
 *
 * Makes a pulse of the calling thread.
 *
 * Returns: (transfer full): a new pulse
 *
 * Since: 0.1
 */
CothreadPulse *
cothread_pulse_new (void)
{
  return g_object_new (COTHREAD_TYPE_PULSE, NULL);
}

CothreadWaiters *
cothread_pulse_get_waiters (CothreadPulse *self)
{
  g_return_val_if_fail (COTHREAD_IS_PULSE (self), NULL);
  g_return_val_if_fail (self->owner == cothread_thread_id (), NULL);
  return &self->waiters;
}

guint64
cothread_pulse_get_n_for_all (CothreadPulse *self)
{
  return self->n_for_all;
}

/**
 * cothread_pulse_signal:
 * @self: a pulse
 * @wake_all: whether to wake every waiting task, or only the first
 *
 * Wakes tasks that wait for the pulse, in the order in which they began to
 * wait. Never suspends.
 *
 * Returns: how many tasks were woken
 *
 * Since: 0.1
 */
guint
cothread_pulse_signal (CothreadPulse *self, gboolean wake_all)
{
  g_return_val_if_fail (COTHREAD_IS_PULSE (self), 0);
  g_return_val_if_fail (self->owner == cothread_thread_id (), 0);

  if (wake_all)
    {
      self->n_for_all++;
      return cothread_waiters_wake_all (&self->waiters);
    }
  return cothread_waiters_wake_one (&self->waiters) ? 1 : 0;
}

/**
 * cothread_pulse_wait:
 * @self: a pulse
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Waits for the next pulse; always suspends. Fails with %G_IO_ERROR_TIMED_OUT,
 * and like cothread_sleep().
 *
 * Returns: %TRUE if the pulse came
 *
 * Since: 0.1
 */
gboolean
cothread_pulse_wait (CothreadPulse *self, gint64 timeout_us, GError **error)
{
  CtScheduler *core;
  gint64 deadline_us;
  CtWaiter waiter;
  gboolean came;

  g_return_val_if_fail (COTHREAD_IS_PULSE (self), FALSE);
  g_return_val_if_fail (self->owner == cothread_thread_id (), FALSE);

  core = cothread_wait_begin (error);
  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  cothread_waiters_begin (&self->waiters, &waiter, core->current);
  cothread_waiters_queue (&self->waiters, &waiter);
  g_object_ref (self);
  came = cothread_wait_on (core, &waiter, deadline_us, "pulse", self, error);
  g_object_unref (self);
  return came;
}
