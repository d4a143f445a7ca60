/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>
#include <glib-unix.h>
#include <stdio.h>
#include <unistd.h>

/* A program to be watched: some tasks and a queue, until its input ends. Every
 * line that it reads is answered, so that one sees that it is alive. It also
 * does as it is told by letters: p pauses its queue, c posts 250 callbacks and
 * tells how many wait, h holds its main loop for four seconds, d makes two tasks
 * wait for each other. */

static gpointer
sleeper (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
ticker (G_GNUC_UNUSED gpointer unused, GError **error)
{
  while (cothread_sleep (10000, error))
    ;
  return NULL;
}

static CothreadCallbackQueue *
get_queue (void)
{
  return cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
}

static void
nothing (G_GNUC_UNUSED gpointer unused)
{
}

static void
post (void)
{
  for (guint i = 0; i < 250; i++)
    cothread_callback_queue_post (get_queue (), nothing, NULL, NULL, NULL);
  printf ("%u\n", cothread_callback_queue_get_length (get_queue ()));
}

static gpointer
join (gpointer task, GError **error)
{
  cothread_task_join (*(CothreadTask **) task, COTHREAD_FOREVER, NULL, error);
  return NULL;
}

static void
make_circle (void)
{
  static CothreadTask *kastor, *pollux;

  kastor = cothread_spawn_full (join, &pollux, &(CothreadSpawnOptions) { .name = "Kastor" }, NULL);
  pollux = cothread_spawn_full (join, &kastor, &(CothreadSpawnOptions) { .name = "Pollux" }, NULL);
}

static gboolean
answer (gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer loop)
{
  char byte;

  if (read (fd, &byte, 1) <= 0)
    {
      g_main_loop_quit (loop);
      return G_SOURCE_REMOVE;
    }
  if (byte == '\n')
    puts ("alive");
  else if (byte == 'p')
    cothread_callback_queue_pause (get_queue ());
  else if (byte == 'c')
    post ();
  else if (byte == 'h')
    g_usleep (4 * G_USEC_PER_SEC);
  else if (byte == 'd')
    make_circle ();
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

int
main (void)
{
  GMainLoop *loop = g_main_loop_new (NULL, FALSE);
  CothreadSpawnOptions options = { .name = "bad\033[2J\xff" "name" };

  for (guint i = 0; i < 3; i++)
    cothread_task_unref (cothread_spawn (sleeper, NULL));
  cothread_task_unref (cothread_spawn_full (sleeper, NULL, &options, NULL));
  cothread_task_unref (cothread_spawn (ticker, NULL));
  get_queue ();
  g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, answer, loop);
  puts ("ready");
  fflush (stdout);
  g_main_loop_run (loop);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  puts ("ended");
  return 0;
}
