/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-wait-private.h"
#include "sync/cothread-sources-private.h"

/**
 * CothreadEvent:
 *
 * Something that happens, perhaps with a value, and tasks that wait for it.
 *
 * An event is either signalled or not. With automatic reset, a signal lets one
 * wait return, which resets the event; without, the event stays signalled and
 * lets every wait return until cothread_event_reset(). There is one slot: a
 * signal replaces a value that nobody took.
 *
 * An event belongs to the thread that made it. Signalling it never suspends; to
 * signal it from another thread, post a callback that does.
 *
 * Since: 0.1
 */
struct _CothreadEvent
{
  GObject parent_instance;

  gsize owner;
  gboolean auto_reset;
  gboolean is_signalled;
  gpointer value;
  GDestroyNotify value_destroy;
  GError *error;
  double number; /* by which a language knows what it signalled; 0: it did not */
  guint n_aborted; /* future signals that somebody gave up waiting for */
  CothreadWaiters waiters;
};

G_DEFINE_FINAL_TYPE (CothreadEvent, cothread_event, G_TYPE_OBJECT)

enum
{
  PROP_AUTO_RESET = 1,
  N_PROPERTIES
};

static void
clear_value (CothreadEvent *self)
{
  gpointer value = g_steal_pointer (&self->value);
  GDestroyNotify destroy = g_steal_pointer (&self->value_destroy);

  self->number = 0;
  g_clear_error (&self->error);
  if (destroy != NULL)
    destroy (value);
}

static void
cothread_event_finalize (GObject *object)
{
  clear_value (COTHREAD_EVENT (object));
  G_OBJECT_CLASS (cothread_event_parent_class)->finalize (object);
}

static void
cothread_event_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_AUTO_RESET)
    g_value_set_boolean (value, COTHREAD_EVENT (object)->auto_reset);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
cothread_event_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_AUTO_RESET)
    COTHREAD_EVENT (object)->auto_reset = g_value_get_boolean (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
cothread_event_class_init (CothreadEventClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = cothread_event_finalize;
  object_class->get_property = cothread_event_get_property;
  object_class->set_property = cothread_event_set_property;

  /**
   * CothreadEvent:auto-reset: (getter get_auto_reset)
   *
   * Whether a wait that returns resets the event.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_AUTO_RESET,
                                   g_param_spec_boolean ("auto-reset", NULL, NULL, TRUE,
                                                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
cothread_event_init (CothreadEvent *self)
{
  self->owner = cothread_thread_id ();
  cothread_waiters_init (&self->waiters);
}

/**
 * cothread_event_new:
 * @auto_reset: whether a wait that returns resets the event
 *
 * Makes an event of the calling thread, not signalled.
 *
 * Returns: (transfer full): a new event
 *
 * Since: 0.1
 */
CothreadEvent *
cothread_event_new (gboolean auto_reset)
{
  return g_object_new (COTHREAD_TYPE_EVENT, "auto-reset", auto_reset, NULL);
}

/**
 * cothread_event_get_auto_reset: (get-property auto-reset)
 * @self: an event
 *
 * Returns: whether a wait that returns resets the event
 *
 * Since: 0.1
 */
gboolean
cothread_event_get_auto_reset (CothreadEvent *self)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT (self), FALSE);
  return self->auto_reset;
}

static void
signal_with (CothreadEvent *self, gpointer value, GDestroyNotify value_destroy, const GError *error)
{
  clear_value (self);
  self->value = value;
  self->value_destroy = value_destroy;
  self->error = error != NULL ? g_error_copy (error) : NULL;
  if (self->auto_reset && self->n_aborted > 0)
    {
      self->n_aborted--;
      clear_value (self);
      return;
    }
  self->is_signalled = TRUE;
  if (self->auto_reset)
    cothread_waiters_wake_one (&self->waiters);
  else
    cothread_waiters_wake_all (&self->waiters);
}

/**
 * cothread_event_signal:
 * @self: an event
 *
 * Signals the event, without a value. Wakes one waiting task, the first that
 * began to wait, or all of them if the event does not reset by itself.
 *
 * Since: 0.1
 */
void
cothread_event_signal (CothreadEvent *self)
{
  cothread_event_signal_value (self, NULL, NULL);
}

/**
 * cothread_event_signal_value: (skip)
 * @self: an event
 * @value: (nullable) (transfer full): for cothread_event_wait_value()
 * @value_destroy: (nullable): frees the value if nobody takes it
 *
 * Signals the event with a value. Between the signal and the waking task's turn
 * another task may take the value; the woken one then goes on waiting.
 *
 * Since: 0.1
 */
void
cothread_event_signal_value (CothreadEvent *self, gpointer value, GDestroyNotify value_destroy)
{
  g_return_if_fail (COTHREAD_IS_EVENT (self));
  g_return_if_fail (self->owner == cothread_thread_id ());

  signal_with (self, value, value_destroy, NULL);
}

/**
 * cothread_event_peek_value: (skip)
 * @self: an event
 * @value_destroy: (out) (nullable) (optional): how the value is freed
 *
 * For language bindings, whose garbage collectors want to know what an event
 * holds: the value that nobody has taken. It stays the event's. Never waits; for
 * the thread that uses the event.
 *
 * Returns: (transfer none) (nullable): the value
 *
 * Since: 0.1
 */
gpointer
cothread_event_peek_value (CothreadEvent *self, GDestroyNotify *value_destroy)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT (self), NULL);

  if (value_destroy != NULL)
    *value_destroy = self->value_destroy;
  return self->value;
}

/**
 * cothread_event_signal_error:
 * @self: an event
 * @error: what the wait fails with
 *
 * Signals the event with an error: the wait that it ends fails with a copy.
 * Without automatic reset every wait does until the event is reset.
 *
 * Since: 0.1
 */
void
cothread_event_signal_error (CothreadEvent *self, const GError *error)
{
  g_return_if_fail (COTHREAD_IS_EVENT (self));
  g_return_if_fail (self->owner == cothread_thread_id ());
  g_return_if_fail (error != NULL);

  signal_with (self, NULL, NULL, error);
}

/**
 * cothread_event_reset:
 * @self: an event
 *
 * Makes the event not signalled, and frees a value that nobody took.
 *
 * Since: 0.1
 */
void
cothread_event_reset (CothreadEvent *self)
{
  g_return_if_fail (COTHREAD_IS_EVENT (self));
  g_return_if_fail (self->owner == cothread_thread_id ());

  self->is_signalled = FALSE;
  clear_value (self);
}

/**
 * cothread_event_is_signalled:
 * @self: an event
 *
 * Returns: whether a wait would return at once
 *
 * Since: 0.1
 */
gboolean
cothread_event_is_signalled (CothreadEvent *self)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT (self), FALSE);
  return self->is_signalled;
}

/**
 * cothread_event_abort_wait:
 * @self: an event
 *
 * Gives up one wait that the caller would have made: eats the present signal,
 * or else the next one. Has no effect on an event that does not reset by itself.
 *
 * Since: 0.1
 */
void
cothread_event_abort_wait (CothreadEvent *self)
{
  g_return_if_fail (COTHREAD_IS_EVENT (self));
  g_return_if_fail (self->owner == cothread_thread_id ());

  if (!self->auto_reset)
    return;
  if (self->is_signalled)
    cothread_event_reset (self);
  else
    self->n_aborted++;
}

static gboolean
wait_until_signalled (CothreadEvent *self, gint64 timeout_us, GError **error)
{
  CtScheduler *core = cothread_wait_begin (error);
  gint64 deadline_us;
  CtWaiter waiter;

  if (core == NULL || !cothread_deadline_from_timeout (core, timeout_us, &deadline_us))
    return FALSE;
  cothread_waiters_begin (&self->waiters, &waiter, core->current);
  /* Somebody else may take the signal before we run; the deadline stays. */
  while (!self->is_signalled)
    {
      cothread_waiters_queue (&self->waiters, &waiter);
      if (!cothread_wait_on (core, &waiter, deadline_us, "event", self, error))
        {
          /* Signalled, and then interrupted in the same turn: for the next. */
          if (core->current->fired != NULL && self->is_signalled)
            cothread_waiters_wake_one (&self->waiters);
          return FALSE;
        }
    }
  return TRUE;
}

CothreadWaiters *
cothread_event_get_waiters (CothreadEvent *self)
{
  g_return_val_if_fail (COTHREAD_IS_EVENT (self), NULL);
  g_return_val_if_fail (self->owner == cothread_thread_id (), NULL);
  return &self->waiters;
}

void
cothread_event_signal_number (CothreadEvent *self, double number)
{
  g_return_if_fail (COTHREAD_IS_EVENT (self));
  g_return_if_fail (self->owner == cothread_thread_id ());

  signal_with (self, NULL, NULL, NULL);
  if (self->is_signalled)
    self->number = number;
}

double
cothread_event_get_number (CothreadEvent *self)
{
  return self->number;
}

GDestroyNotify
cothread_event_get_value_destroy (CothreadEvent *self)
{
  return self->auto_reset ? self->value_destroy : NULL;
}

/* Takes what the signal brought; the event is signalled. */
gboolean
cothread_event_take (CothreadEvent *self, gpointer *value, GError **error)
{
  gboolean is_failure = self->error != NULL;

  if (is_failure)
    g_propagate_error (error, g_error_copy (self->error));
  else if (value != NULL)
    *value = self->value;
  if (self->auto_reset)
    {
      if (value != NULL && !is_failure)
        self->value_destroy = NULL; /* it is the caller's now */
      cothread_event_reset (self);
    }
  return !is_failure;
}

/**
 * cothread_event_wait:
 * @self: an event
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Waits until the event is signalled; does not suspend if it is already.
 *
 * Fails with the error given to cothread_event_signal_error(), with
 * %G_IO_ERROR_TIMED_OUT, and like cothread_sleep().
 *
 * Returns: %TRUE if the event was signalled
 *
 * Since: 0.1
 */
gboolean
cothread_event_wait (CothreadEvent *self, gint64 timeout_us, GError **error)
{
  return cothread_event_wait_value (self, timeout_us, NULL, error);
}

/**
 * cothread_event_wait_value: (skip)
 * @self: an event
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @value: (out) (optional): the value it was signalled with; the caller's if
 *   the event resets by itself, else the event's
 * @error: return location for a #GError
 *
 * Waits for the event's value; otherwise like cothread_event_wait().
 *
 * Returns: %TRUE if the event was signalled
 *
 * Since: 0.1
 */
gboolean
cothread_event_wait_value (CothreadEvent *self, gint64 timeout_us, gpointer *value, GError **error)
{
  gboolean success;

  g_return_val_if_fail (COTHREAD_IS_EVENT (self), FALSE);
  g_return_val_if_fail (self->owner == cothread_thread_id (), FALSE);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, FALSE);

  if (self->is_signalled)
    return cothread_wait_for_ready (error) && cothread_event_take (self, value, error);
  g_object_ref (self);
  success = wait_until_signalled (self, timeout_us, error) && cothread_event_take (self, value, error);
  g_object_unref (self);
  return success;
}
