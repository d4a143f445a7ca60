/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync/cothread-runner-event.h"
#include "loop/cothread-stackless-runner-private.h"
#include "sync/cothread-sources-private.h"

/* A task of a language without stacks waits for an event. */

static gboolean
stand_in_line (CothreadRunnerSource *source, G_GNUC_UNUSED CtScheduler *core, G_GNUC_UNUSED GError **error)
{
  CothreadWaiters *waiters = cothread_event_get_waiters (source->object);

  if (source->watch.waiter.sequence == 0)
    source->watch.waiter.sequence = ++waiters->last_sequence;
  cothread_waiters_queue (waiters, &source->watch.waiter);
  return TRUE;
}

static gboolean
is_ready (CothreadRunnerSource *source)
{
  return cothread_event_is_signalled (source->object);
}

static gboolean
take (CothreadRunnerSource *source, double *value, GError **error)
{
  *value = cothread_event_get_number (source->object);
  return cothread_event_take (source->object, NULL, error);
}

static void
pass_on (CothreadRunnerSource *source)
{
  if (cothread_event_is_signalled (source->object))
    cothread_waiters_wake_one (cothread_event_get_waiters (source->object));
}

static void
free_source (CothreadRunnerSource *source)
{
  g_object_unref (source->object);
  g_free (source);
}

static const CothreadRunnerSourceClass event_class = { stand_in_line, NULL, is_ready, take, pass_on, free_source };

/**
 * cothread_stackless_runner_add_event:
 * @self: a runner
 * @id: a task that the language has
 * @event: an event of the same thread
 *
 * The next wait of the task ends when the event is signalled, and takes the
 * signal. The value that it brings is the number of
 * cothread_stackless_signal_event(), or 0 after a signal of others.
 *
 * Returns: the index of this source
 *
 * Since: 0.1
 */
guint
cothread_stackless_runner_add_event (CothreadStacklessRunner *self, guint id, CothreadEvent *event)
{
  CothreadRunnerTask *waiting = cothread_runner_find (self, id);
  CothreadRunnerSource *source;

  if (waiting == NULL || cothread_event_get_waiters (event) == NULL)
    return 0;
  source = g_new0 (CothreadRunnerSource, 1);
  ct_link_init (&source->watch.waiter.link);
  source->klass = &event_class;
  source->object = g_object_ref (event);
  return cothread_runner_add_source (waiting, source);
}

/**
 * cothread_stackless_signal_event:
 * @event: an event of the same thread
 * @number: not 0
 *
 * Signals an event with something that only the language knows, by this number:
 * it comes back to that task of the language that takes this very signal, and to
 * no other.
 *
 * Since: 0.1
 */
void
cothread_stackless_signal_event (CothreadEvent *event, double number)
{
  cothread_event_signal_number (event, number);
}
