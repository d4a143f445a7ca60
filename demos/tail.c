/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `tail -f` of many files: a task for each prints what is appended, until
 * Ctrl-C.
 *
 *   cothread-tail FILE...
 */
#include <cothread-glib.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* An event remembers a change that comes while its task is busy; waiting for the
 * signal itself would miss it. */
static void
note_change (G_GNUC_UNUSED GFileMonitor *monitor, G_GNUC_UNUSED GFile *file, G_GNUC_UNUSED GFile *other,
             G_GNUC_UNUSED GFileMonitorEvent what, gpointer changed)
{
  cothread_event_signal (changed);
}

static gboolean
print_new (gint fd, GError **error)
{
  char buffer[65536];
  gssize n;

  while ((n = cothread_read (fd, buffer, sizeof buffer, COTHREAD_FOREVER, error)) > 0)
    fwrite (buffer, 1, (gsize) n, stdout);
  fflush (stdout);
  return n == 0;
}

static gpointer
follow (gpointer path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (CothreadEvent) changed = cothread_event_new (TRUE);
  g_autoptr (GFileMonitor) monitor = NULL;
  gint fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);

  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s", g_strerror (errno));
      return NULL;
    }
  lseek (fd, 0, SEEK_END);
  monitor = g_file_monitor_file (file, G_FILE_MONITOR_NONE, NULL, error);
  if (monitor != NULL)
    {
      g_file_monitor_set_rate_limit (monitor, 0);
      g_signal_connect_object (monitor, "changed", G_CALLBACK (note_change), changed, (GConnectFlags) 0);
      while (print_new (fd, error) && cothread_event_wait (changed, COTHREAD_FOREVER, error))
        ;
    }
  g_close (fd, NULL);
  return NULL;
}

static gboolean
cancel_all (gpointer data)
{
  GPtrArray *tasks = data;

  for (guint i = 0; i < tasks->len; i++)
    cothread_task_cancel (tasks->pdata[i]);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);
  int status = 0;

  for (int i = 1; i < argc; i++)
    g_ptr_array_add (tasks, cothread_spawn_full (follow, argv[i], &(CothreadSpawnOptions) { .name = argv[i] }, NULL));
  g_unix_signal_add (SIGINT, cancel_all, tasks);
  g_unix_signal_add (SIGTERM, cancel_all, tasks);
  for (guint i = 0; i < tasks->len; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!cothread_task_join (tasks->pdata[i], COTHREAD_FOREVER, NULL, &error) &&
          !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_printerr ("cothread-tail: %s: %s\n", argv[i + 1], error->message);
          status = 1;
        }
    }
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return status;
}
