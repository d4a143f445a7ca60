/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-runner-fd.h"
#include "loop/cothread-stackless-runner-private.h"

/* A task of a language without stacks waits for a descriptor. */

static gboolean
stand_in_line (CothreadRunnerSource *source, CtScheduler *core, GError **error)
{
  int failure = ct_poller_add (core->poller, &source->watch);

  if (failure == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure), "Descriptor %d: %s", source->watch.fd, g_strerror (failure));
  return FALSE;
}

static void
leave (CothreadRunnerSource *source, CtScheduler *core)
{
  if (source->watch.is_added)
    ct_poller_remove (core->poller, &source->watch);
}

static gboolean
is_ready (CothreadRunnerSource *source)
{
  return source->watch.revents != 0;
}

static gboolean
take (CothreadRunnerSource *source, double *value, G_GNUC_UNUSED GError **error)
{
  *value = source->watch.revents;
  return TRUE;
}

static void
pass_on (G_GNUC_UNUSED CothreadRunnerSource *source)
{
  /* The descriptor stays ready, and the next wait sees it. */
}

static void
free_source (CothreadRunnerSource *source)
{
  g_free (source);
}

static const CothreadRunnerSourceClass fd_class = { stand_in_line, leave, is_ready, take, pass_on, free_source };

/**
 * cothread_stackless_runner_add_descriptor:
 * @self: a runner
 * @id: a task that the language has
 * @fd: an open descriptor
 * @condition: what to wait for: %G_IO_IN, %G_IO_OUT, %G_IO_PRI
 *
 * The next wait of the task ends when a descriptor is ready; the value that is
 * handed over says for what. A descriptor that is not open ends it with an error
 * of %G_IO_ERROR.
 *
 * Returns: the index of this source
 *
 * Since: 0.1
 */
guint
cothread_stackless_runner_add_descriptor (CothreadStacklessRunner *self, guint id, gint fd, GIOCondition condition)
{
  CothreadRunnerTask *waiting = cothread_runner_find (self, id);
  CothreadRunnerSource *source;

  g_return_val_if_fail (waiting != NULL, 0);
  source = g_new0 (CothreadRunnerSource, 1);
  ct_link_init (&source->watch.waiter.link);
  source->klass = &fd_class;
  source->watch.fd = fd;
  source->watch.events = (gushort) condition;
  return cothread_runner_add_source (waiting, source);
}
