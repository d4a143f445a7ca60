/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "sync/cothread-selection.h"
#include "sync/cothread-wait-items-private.h"

/**
 * CothreadSelection:
 *
 * Several things to wait for, of which the first ends the wait: the form of
 * cothread_wait_any() for every language.
 *
 * Put in what to wait for, then wait, as often as wanted. From what did not come
 * nothing is taken.
 *
 * ```js
 * const selection = Cothread.Selection.new();
 * const stop = selection.add_event(stopped);
 * const readable = selection.add_descriptor(fd, GLib.IOCondition.IN);
 *
 * while (await selection.wait_async(-1, null) === readable)
 *     handle(fd);
 * ```
 *
 * A selection belongs to the thread that made it, and holds what is in it.
 *
 * Since: 0.1
 */
struct _CothreadSelection
{
  GObject parent_instance;

  gsize thread;
  GArray *items; /* of CothreadWaitItem */
};

G_DEFINE_FINAL_TYPE (CothreadSelection, cothread_selection, G_TYPE_OBJECT)

static void
cothread_selection_finalize (GObject *object)
{
  CothreadSelection *self = COTHREAD_SELECTION (object);

  cothread_wait_items_end ((CothreadWaitItem *) (gpointer) self->items->data, self->items->len);
  g_array_unref (self->items);
  G_OBJECT_CLASS (cothread_selection_parent_class)->finalize (object);
}

static void
cothread_selection_class_init (CothreadSelectionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cothread_selection_finalize;
}

static void
cothread_selection_init (CothreadSelection *self)
{
  self->thread = cothread_thread_id ();
  self->items = g_array_new (FALSE, FALSE, sizeof (CothreadWaitItem));
}

/**
 * cothread_selection_new:
 *
 * Makes a selection of the calling thread, with nothing in it.
 *
 * Returns: (transfer full): a new selection
 *
 * Since: 0.1
 */
CothreadSelection *
cothread_selection_new (void)
{
  return g_object_new (COTHREAD_TYPE_SELECTION, NULL);
}

/* The reference is taken already. */
static gint
add (CothreadSelection *self, CothreadWaitItem item)
{
  g_array_append_val (self->items, item);
  return (gint) self->items->len - 1;
}

/**
 * cothread_selection_add_event:
 * @self: a selection
 * @event: an event of the same thread
 *
 * Adds an event to what is waited for. A wait that it ends takes its signal, as
 * cothread_event_wait() does, and fails with the error that it was signalled
 * with, if it was.
 *
 * A wait that has begun does not notice. Never suspends.
 *
 * Returns: what the wait returns if it comes: 0 for the first that was added, 1
 *   for the second
 *
 * Since: 0.1
 */
gint
cothread_selection_add_event (CothreadSelection *self, CothreadEvent *event)
{
  g_return_val_if_fail (COTHREAD_IS_SELECTION (self), -1);
  g_return_val_if_fail (self->thread == cothread_thread_id (), -1);
  g_return_val_if_fail (COTHREAD_IS_EVENT (event), -1);

  return add (self, (CothreadWaitItem) { .kind = COTHREAD_WAIT_EVENT, .object = g_object_ref (event) });
}

/**
 * cothread_selection_add_pulse:
 * @self: a selection
 * @pulse: a pulse of the same thread
 *
 * Adds a pulse to what is waited for. A wait that has begun does not notice.
 * Never suspends.
 *
 * Returns: what the wait returns if it comes
 *
 * Since: 0.1
 */
gint
cothread_selection_add_pulse (CothreadSelection *self, CothreadPulse *pulse)
{
  g_return_val_if_fail (COTHREAD_IS_SELECTION (self), -1);
  g_return_val_if_fail (self->thread == cothread_thread_id (), -1);
  g_return_val_if_fail (COTHREAD_IS_PULSE (pulse), -1);

  return add (self, (CothreadWaitItem) { .kind = COTHREAD_WAIT_PULSE, .object = g_object_ref (pulse) });
}

/**
 * cothread_selection_add_task:
 * @self: a selection
 * @task: a task of the same thread, other than the one that will wait
 *
 * Adds the end of a task to what is waited for. A wait that the end of a task
 * that failed ends fails with that error. A wait that has begun does not notice.
 * Never suspends.
 *
 * Returns: what the wait returns if it comes
 *
 * Since: 0.1
 */
gint
cothread_selection_add_task (CothreadSelection *self, CothreadTask *task)
{
  g_return_val_if_fail (COTHREAD_IS_SELECTION (self), -1);
  g_return_val_if_fail (self->thread == cothread_thread_id (), -1);
  g_return_val_if_fail (task != NULL, -1);

  return add (self, (CothreadWaitItem) { .kind = COTHREAD_WAIT_TASK, .object = cothread_task_ref (task) });
}

/**
 * cothread_selection_add_timer:
 * @self: a selection
 * @timer: a timer of the same thread
 *
 * Adds a timer to what is waited for. A wait that it ends by expiring leaves it
 * as it is, like cothread_timer_wait(); one that it ends by being cancelled
 * fails with %COTHREAD_ERROR_CLOSED. A wait that has begun does not notice. Never
 * suspends.
 *
 * Returns: what the wait returns if it comes
 *
 * Since: 0.1
 */
gint
cothread_selection_add_timer (CothreadSelection *self, CothreadTimer *timer)
{
  g_return_val_if_fail (COTHREAD_IS_SELECTION (self), -1);
  g_return_val_if_fail (self->thread == cothread_thread_id (), -1);
  g_return_val_if_fail (COTHREAD_IS_TIMER (timer), -1);

  return add (self, (CothreadWaitItem) { .kind = COTHREAD_WAIT_TIMER, .object = g_object_ref (timer) });
}

/**
 * cothread_selection_add_descriptor:
 * @self: a selection
 * @fd: an open descriptor
 * @condition: what to wait for: %G_IO_IN, %G_IO_OUT, %G_IO_PRI
 *
 * Adds a descriptor to what is waited for. It comes also with an error or a
 * hang-up; one that is not open makes the wait fail. A wait that has begun does
 * not notice. Never suspends.
 *
 * Returns: what the wait returns if it comes
 *
 * Since: 0.1
 */
gint
cothread_selection_add_descriptor (CothreadSelection *self, gint fd, GIOCondition condition)
{
  g_return_val_if_fail (COTHREAD_IS_SELECTION (self), -1);
  g_return_val_if_fail (self->thread == cothread_thread_id (), -1);

  return add (self, (CothreadWaitItem) { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = fd, .condition = condition });
}

/**
 * cothread_selection_wait:
 * @self: a selection
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @error: return location for a #GError
 *
 * Suspends the calling task until the first of what is in the selection comes;
 * see cothread_wait_any(), also for the errors.
 *
 * Returns: which one: the number that it was added under; -1 on failure
 *
 * Since: 0.1
 */
gint
cothread_selection_wait (CothreadSelection *self, gint64 timeout_us, GError **error)
{
  g_autofree CothreadWaitItem *items = NULL;
  GDestroyNotify value_destroy = NULL;
  guint n_items, which;
  gboolean came;

  g_return_val_if_fail (COTHREAD_IS_SELECTION (self), -1);
  g_return_val_if_fail (timeout_us >= COTHREAD_FOREVER, -1);

  n_items = self->items->len;
  items = g_memdup2 (self->items->data, n_items * sizeof *items);
  g_object_ref (self);
  came = cothread_wait_any_with_destroy (items, n_items, timeout_us, &which, &value_destroy, error);
  if (came && value_destroy != NULL)
    value_destroy (items[which].value);
  g_object_unref (self);
  return came ? (gint) which : -1;
}

/**
 * cothread_selection_wait_async:
 * @self: a selection
 * @timeout_us: microseconds, or %COTHREAD_FOREVER
 * @cancellable: (nullable): cancels the wait
 * @callback: (scope async): called on the thread's own stack
 * @user_data: passed to @callback
 *
 * Waits for the first of what is in the selection, as cothread_selection_wait()
 * does, standing in the same lines, but calls back instead of suspending a task.
 * What came is taken before the callback comes, in the caller's thread-default
 * context.
 *
 * Since: 0.1
 */
void
cothread_selection_wait_async (CothreadSelection *self, gint64 timeout_us, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (COTHREAD_IS_SELECTION (self));
  g_return_if_fail (self->thread == cothread_thread_id ());

  cothread_wait_any_async_from (self, (const CothreadWaitItem *) (gpointer) self->items->data, self->items->len, timeout_us,
                                cancellable, callback, user_data);
}

/**
 * cothread_selection_wait_finish:
 * @self: a selection
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what cothread_selection_wait_async() began. Fails like
 * cothread_wait_any(), and with %COTHREAD_ERROR_WRONG_CONTEXT in a thread without
 * a scheduler.
 *
 * Returns: which one came: the number that it was added under; -1 on failure
 *
 * Since: 0.1
 */
gint
cothread_selection_wait_finish (CothreadSelection *self, GAsyncResult *result, GError **error)
{
  guint which;

  g_return_val_if_fail (COTHREAD_IS_SELECTION (self), -1);

  return cothread_wait_any_finish_from (self, result, &which, NULL, error) ? (gint) which : -1;
}
