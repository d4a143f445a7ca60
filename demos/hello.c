/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The smallest living example: an ordinary GLib program with two tasks that
 * talk through an event, and a thread that sends work to the main loop.
 */
#include <cothread-glib.h>

typedef struct
{
  GMainLoop *loop;
  CothreadEvent *egg_ready;
} Kitchen;

/* A task looks like a thread: it waits wherever it likes. Meanwhile the others
 * and the main loop go on, and none of them needs a lock. */
static gpointer
cook (gpointer user_data, GError **error)
{
  Kitchen *kitchen = user_data;

  for (int egg = 1; egg <= 3; egg++)
    {
      if (!cothread_sleep (300 * 1000, error))
        return NULL;
      g_print ("cook:   egg %d is ready\n", egg);
      cothread_event_signal (kitchen->egg_ready);
    }

  return NULL;
}

static gpointer
eat (gpointer user_data, GError **error)
{
  Kitchen *kitchen = user_data;

  for (int egg = 1; egg <= 3; egg++)
    {
      if (!cothread_event_wait (kitchen->egg_ready, COTHREAD_FOREVER, error))
        return NULL;
      g_print ("eat:    egg %d was good\n", egg);
    }

  g_main_loop_quit (kitchen->loop);
  return NULL;
}

/* Runs in the main thread, although another thread asked for it. */
static void
doorbell (gpointer visitor)
{
  g_print ("main:   the doorbell rings, it is %s\n", (const char *) visitor);
}

static gpointer
ring (gpointer queue)
{
  g_autoptr (GError) error = NULL;

  g_usleep (500 * 1000);
  if (!cothread_callback_queue_post (queue, doorbell, g_strdup ("the postman"), g_free, &error))
    g_printerr ("thread: %s\n", error->message);

  return NULL;
}

int
main (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (CothreadEvent) egg_ready = cothread_event_new (TRUE);
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  Kitchen kitchen = { loop, egg_ready };
  GThread *thread;

  /* A task starts when the main loop runs; its reference is for joining it. */
  cothread_task_unref (cothread_spawn (cook, &kitchen));
  cothread_task_unref (cothread_spawn (eat, &kitchen));
  thread = g_thread_new ("ring", ring, cothread_scheduler_get_callback_queue (scheduler));

  g_main_loop_run (loop);

  g_thread_join (thread);
  cothread_scheduler_shutdown (scheduler);
  return 0;
}
