/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-dump.h"

#include "loop/cothread-fork-private.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The handler only writes a descriptor; the dump is made by the loop. */

typedef struct
{
  CothreadScheduler *scheduler;
  GSource *source;
  struct sigaction before;
  int signal_number;
  CothreadShutdownHook hook;
} DumpSignal;

static GMutex lock;
static GPtrArray *signals; /* of DumpSignal */
/* Descriptor + 1; read by the handler. Never closed, since the handler may run
 * in another thread at any moment: the next that wants the signal uses it. */
static volatile gint fds[NSIG];
static guint generation; /* of the process whose these are */

static void
note_signal (int signal_number)
{
  int saved_errno = errno;
  guint64 one = 1;
  gint fd = fds[signal_number] - 1;

  /* In the child of a fork the descriptor is the parent's as well. */
  if (fd >= 0 && generation == cothread_fork_get_generation () && write (fd, &one, sizeof one) < 0)
    { /* nothing can be done about it here */ }
  errno = saved_errno;
}

static void
write_all (const char *text)
{
  gsize left = strlen (text);

  while (left > 0)
    {
      gssize n = write (STDERR_FILENO, text, left);

      if (n < 0 && errno != EINTR)
        return;
      if (n > 0)
        {
          text += n;
          left -= (gsize) n;
        }
    }
}

static gboolean
dump_now (gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  DumpSignal *self = data;
  g_autofree char *text = NULL;
  guint64 count;

  if (read (fd, &count, sizeof count) < 0)
    return G_SOURCE_CONTINUE;
  text = cothread_scheduler_dump_text (self->scheduler, COTHREAD_DUMP_BACKTRACES, 0);
  write_all (text);
  return G_SOURCE_CONTINUE;
}

/* The context died, or the program does not want it any more. */
static void
dump_signal_free (gpointer data)
{
  DumpSignal *self = data;

  ct_link_unlink (&self->hook.link);
  g_mutex_lock (&lock);
  g_ptr_array_remove_fast (signals, self);
  sigaction (self->signal_number, &self->before, NULL);
  g_mutex_unlock (&lock);
  g_source_unref (self->source);
  g_object_unref (self->scheduler);
  g_free (self);
}

static void
scheduler_shuts_down (G_GNUC_UNUSED CtLink *link)
{
}

static void
scheduler_is_forked (CtLink *link)
{
  DumpSignal *self = CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), DumpSignal, hook);
  g_autoptr (GSource) source = g_source_ref (self->source);

  close (fds[self->signal_number] - 1);
  fds[self->signal_number] = 0;
  if (cothread_scheduler_is_own_thread (self->scheduler))
    g_source_destroy (source); /* frees self */
}

static DumpSignal *
find (int signal_number)
{
  for (guint i = 0; signals != NULL && i < signals->len; i++)
    {
      DumpSignal *found = signals->pdata[i];

      if (found->signal_number == signal_number)
        return found;
    }
  return NULL;
}

/* Under the lock. */
static gboolean
take_signal (DumpSignal *self, GError **error)
{
  struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };

  if (signals == NULL)
    signals = g_ptr_array_new ();
  generation = cothread_fork_get_generation ();
  if (find (self->signal_number) != NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "Signal %d makes a scheduler dump already", self->signal_number);
      return FALSE;
    }
  if (fds[self->signal_number] == 0)
    fds[self->signal_number] = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) + 1;
  if (fds[self->signal_number] == 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "eventfd: %s", g_strerror (errno));
      return FALSE;
    }
  sigemptyset (&action.sa_mask);
  if (sigaction (self->signal_number, &action, &self->before) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Signal %d: %s", self->signal_number, g_strerror (errno));
      return FALSE;
    }
  g_ptr_array_add (signals, self);
  return TRUE;
}

/**
 * cothread_scheduler_dump_on_signal:
 * @scheduler: a scheduler of the calling thread, attached to a main context
 * @signal_number: `SIGUSR1`, `SIGQUIT`, ...
 * @error: return location for a #GError
 *
 * From now on the signal makes the scheduler write
 * cothread_scheduler_dump_text(), with backtraces, to the standard error, as
 * soon as the main loop comes to it. Ends with the scheduler's context, or with
 * cothread_scheduler_ignore_signal(); then the signal does again what it did
 * before.
 *
 * Fails with %G_IO_ERROR_BUSY if the signal does that already, for this or
 * another scheduler, with %G_IO_ERROR_NOT_SUPPORTED without a main context, and
 * with another error of %G_IO_ERROR if the system refuses.
 *
 * Returns: whether the signal is taken
 *
 * Since: 0.1
 */
gboolean
cothread_scheduler_dump_on_signal (CothreadScheduler *scheduler, int signal_number, GError **error)
{
  DumpSignal *self;
  gboolean is_taken;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), FALSE);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), FALSE);

  if (scheduler->context == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "No main context drives this scheduler");
      return FALSE;
    }
  if (signal_number <= 0 || signal_number >= NSIG)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "There is no signal %d", signal_number);
      return FALSE;
    }
  self = g_new0 (DumpSignal, 1);
  self->scheduler = scheduler;
  self->signal_number = signal_number;
  g_mutex_lock (&lock);
  is_taken = take_signal (self, error);
  g_mutex_unlock (&lock);
  if (!is_taken)
    {
      g_free (self);
      return FALSE;
    }
  g_object_ref (scheduler);
  self->hook.run = scheduler_shuts_down;
  self->hook.forked = scheduler_is_forked;
  ct_link_insert_before (&scheduler->shutdown_hooks, &self->hook.link);
  self->source = g_unix_fd_source_new (fds[signal_number] - 1, G_IO_IN);
  g_source_set_priority (self->source, G_PRIORITY_HIGH);
  g_source_set_callback (self->source, G_SOURCE_FUNC (dump_now), self, dump_signal_free);
  g_source_attach (self->source, scheduler->context);
  return TRUE;
}

/**
 * cothread_scheduler_ignore_signal:
 * @scheduler: a scheduler of the calling thread
 * @signal_number: a signal that cothread_scheduler_dump_on_signal() took
 *
 * Gives the signal back. Does nothing if it was not taken for this scheduler.
 *
 * Since: 0.1
 */
void
cothread_scheduler_ignore_signal (CothreadScheduler *scheduler, int signal_number)
{
  DumpSignal *found;

  g_return_if_fail (COTHREAD_IS_SCHEDULER (scheduler));
  g_return_if_fail (cothread_scheduler_is_own_thread (scheduler));

  g_mutex_lock (&lock);
  found = find (signal_number);
  g_mutex_unlock (&lock);
  if (found != NULL && found->scheduler == scheduler)
    g_source_destroy (found->source);
}
