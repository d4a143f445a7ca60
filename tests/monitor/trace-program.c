/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>

/* Something of everything that a trace can show; to be run with COTHREAD_TRACE. */

static gpointer
signal_it (gpointer event, GError **error)
{
  for (guint i = 0; i < 5; i++)
    {
      cothread_sleep (1000, error);
      cothread_event_signal (event);
    }
  return NULL;
}

static gpointer
wait_for_it (gpointer event, GError **error)
{
  for (guint i = 0; i < 5; i++)
    cothread_event_wait (event, COTHREAD_FOREVER, error);
  return NULL;
}

static gpointer
run_a_loop (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  for (guint i = 0; i < 5; i++)
    g_main_context_iteration (NULL, FALSE);
  return NULL;
}

static void
suspend (G_GNUC_UNUSED gpointer unused)
{
  cothread_sleep (500, NULL);
}

int
main (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) waiter = cothread_spawn_full (wait_for_it, event, &(CothreadSpawnOptions) { .name = "wai\xff\"ter\n" }, NULL);
  g_autoptr (CothreadTask) signaller = cothread_spawn (signal_it, event);
  g_autoptr (CothreadTask) opener = cothread_spawn (run_a_loop, NULL);

  for (guint i = 0; i < 10; i++)
    cothread_callback_queue_post (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()), suspend, NULL, NULL, NULL);
  cothread_task_join (waiter, COTHREAD_FOREVER, NULL, NULL);
  cothread_task_join (opener, COTHREAD_FOREVER, NULL, NULL);
  cothread_sleep (5000, NULL);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return 0;
}
