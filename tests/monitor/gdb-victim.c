/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>
#include <stdio.h>
#include <stdlib.h>

/* What gdb is let loose on: a few tasks, then stop_here(), or with --abort a
 * core. */

static void __attribute__ ((noinline))
wait_deep_inside (GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  __asm__ volatile ("");
}

static gpointer
sleeper (G_GNUC_UNUSED gpointer unused, GError **error)
{
  wait_deep_inside (error);
  __asm__ volatile ("");
  return NULL;
}

static gpointer
joiner (gpointer task, GError **error)
{
  cothread_task_join (task, COTHREAD_FOREVER, NULL, error);
  __asm__ volatile ("");
  return NULL;
}

void stop_here (void);

void __attribute__ ((noinline))
stop_here (void)
{
  __asm__ volatile ("");
}

static gpointer
stopper (gpointer dies, G_GNUC_UNUSED GError **error)
{
  stop_here ();
  if (dies != NULL)
    abort ();
  return NULL;
}

int
main (int argc, G_GNUC_UNUSED char **argv)
{
  g_autoptr (CothreadTask) first = cothread_spawn (sleeper, NULL);
  g_autoptr (CothreadTask) second = cothread_spawn (joiner, first);
  g_autoptr (CothreadTask) third = NULL;

  cothread_sleep (1000, NULL);
  third = cothread_spawn (stopper, argc > 1 ? first : NULL);
  cothread_sleep (1000, NULL);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return 0;
}
