/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watched.h"

#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* cothread-top: what the tasks of another process do, in a terminal. Itself one
 * task: it asks, prints, sleeps. */

#define TIMEOUT_US (20 * G_USEC_PER_SEC)

typedef struct
{
  double interval_s;
  gboolean once;
  gboolean list;
  gboolean dump;
  const char *process; /* NULL: the only one there is */
  GMainLoop *loop;
  int status;
} Top;

static void
clear_screen (const Top *top)
{
  if (!top->once && isatty (STDOUT_FILENO))
    fputs ("\033[H\033[2J", stdout);
}

static guint
rows_of_terminal (const Top *top)
{
  struct winsize size;

  if (top->once || !isatty (STDOUT_FILENO) || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 12)
    return 1000;
  return size.ws_row - 8u;
}

static gboolean
show_once (Top *top, Watched *watched, GError **error)
{
  g_autofree char *text = watched_describe (watched, rows_of_terminal (top), error);

  if (text == NULL)
    return FALSE;
  clear_screen (top);
  fputs (text, stdout);
  fflush (stdout);
  return TRUE;
}

static gboolean
show (Top *top, GError **error)
{
  g_auto (Watched) watched = { cothread_remote_new (top->process, error), NULL };

  if (watched.remote == NULL)
    return FALSE;
  cothread_remote_set_timeout (watched.remote, TIMEOUT_US);
  if (top->dump)
    {
      g_autofree char *text = cothread_remote_dump_text (watched.remote, TRUE, 0, error);

      if (text != NULL)
        fputs (text, stdout);
      return text != NULL;
    }
  while (show_once (top, &watched, error))
    if (top->once || !cothread_sleep ((gint64) (top->interval_s * G_USEC_PER_SEC), error))
      return top->once;
  return FALSE;
}

static gboolean
list (GError **error)
{
  g_auto (GStrv) names = cothread_remote_list (error);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_autofree char *program = cothread_remote_dup_program (names[i]);

      printf ("%s  %s\n", names[i] + strlen (COTHREAD_MONITOR_BUS_NAME ".p"), g_strdelimit (program, "\n\r\t\033", '?'));
    }
  return names != NULL;
}

static gpointer
run (gpointer data, G_GNUC_UNUSED GError **error)
{
  Top *top = data;
  g_autoptr (GError) failure = NULL;
  gboolean success = top->list ? list (&failure) : show (top, &failure);

  if (!success && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      fprintf (stderr, "cothread-top: %s\n", failure->message);
      top->status = 1;
    }
  g_main_loop_quit (top->loop);
  return NULL;
}

static gboolean
leave (gpointer task)
{
  cothread_task_cancel (task);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  Top top = { .interval_s = 1 };
  const GOptionEntry entries[] = {
    { "interval", 'i', 0, G_OPTION_ARG_DOUBLE, &top.interval_s, "Seconds between two looks", "SECONDS" },
    { "once", '1', 0, G_OPTION_ARG_NONE, &top.once, "Look once and leave", NULL },
    { "dump", 'd', 0, G_OPTION_ARG_NONE, &top.dump, "Everything, with backtraces, and leave", NULL },
    { "list", 'l', 0, G_OPTION_ARG_NONE, &top.list, "List the processes that can be watched", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new ("[PROCESS]");
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_set_summary (options, "Shows the tasks of a process that uses cothread-glib and runs with COTHREAD_MONITOR=1.");
  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error))
    {
      fprintf (stderr, "cothread-top: %s\n", error->message);
      return 2;
    }
  top.process = argc > 1 ? argv[1] : NULL;
  if (argc > 2 || top.interval_s < 0.05)
    {
      fputs ("cothread-top: one process and at least 0.05 seconds, please\n", stderr);
      return 2;
    }
  top.loop = g_main_loop_new (NULL, FALSE);
  task = cothread_spawn (run, &top);
  g_unix_signal_add (SIGINT, leave, task);
  g_unix_signal_add (SIGTERM, leave, task);
  g_main_loop_run (top.loop);
  g_main_loop_unref (top.loop);
  return top.status;
}
