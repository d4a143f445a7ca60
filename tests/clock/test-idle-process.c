/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../behaviour/every-wait.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the kernel says of a process whose tasks all wait: how often any of its
 * threads, other than the one that looks, has gone to sleep again. */

#define QUIET_US (2 * G_USEC_PER_SEC)
#define PATIENCE_US (30 * G_USEC_PER_SEC)
#define N_EACH 50
#define N_WAKES 20
#define PERIOD_US (50 * MS)

typedef struct
{
  gboolean has_waker;
  GMainLoop *loop;
  gint is_parked; /* atomic, as the rest */
  gint is_over;
  guint64 n_before; /* of the waker */
  guint64 n_after;
} Process;

static guint64
count_sleeps_of (const char *thread)
{
  g_autofree char *path = g_build_filename ("/proc/self/task", thread, "status", NULL);
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0; /* it has ended */
  line = strstr (text, "\nvoluntary_ctxt_switches:");
  g_assert_nonnull (line);
  return g_ascii_strtoull (strchr (line, ':') + 1, NULL, 10);
}

static guint64
count_sleeps_of_others (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  guint64 n = 0;
  const char *thread;

  g_assert_nonnull (dir);
  while ((thread = g_dir_read_name (dir)) != NULL)
    if (atoi (thread) != gettid ())
      n += count_sleeps_of (thread);
  return n;
}

static gpointer
wait_for_ever (gpointer wait, G_GNUC_UNUSED GError **error)
{
  ((const EveryWait *) wait)->wait (COTHREAD_FOREVER, NULL);
  return NULL;
}

static guint64
count_own_sleeps (void)
{
  g_autofree char *thread = g_strdup_printf ("%d", gettid ());

  return count_sleeps_of (thread);
}

static gpointer
wake_now_and_then (gpointer data, G_GNUC_UNUSED GError **error)
{
  Process *process = data;

  process->n_before = count_own_sleeps ();
  for (guint i = 0; i < N_WAKES; i++)
    cothread_sleep (PERIOD_US, NULL);
  process->n_after = count_own_sleeps ();
  g_atomic_int_set (&process->is_over, TRUE);
  return NULL;
}

static gboolean
note_parked (gpointer process)
{
  g_atomic_int_set (&((Process *) process)->is_parked, TRUE);
  return G_SOURCE_REMOVE;
}

static gpointer
run_scheduler (gpointer data)
{
  Process *process = data;
  GMainContext *context = g_main_loop_get_context (process->loop);
  CothreadTask *parked[N_EVERY_WAIT * N_EACH];

  g_main_context_push_thread_default (context);
  every_wait_set_up ();
  g_assert_nonnull (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()));
  for (guint i = 0; i < G_N_ELEMENTS (parked); i++)
    parked[i] = spawn ("parked", wait_for_ever, (gpointer) &every_wait[i % N_EVERY_WAIT]);
  if (process->has_waker)
    start ("waker", wake_now_and_then, process);
  add_source (G_PRIORITY_LOW, note_parked, process);
  g_main_loop_run (process->loop);
  for (guint i = 0; i < G_N_ELEMENTS (parked); i++)
    {
      cothread_task_cancel (parked[i]);
      cothread_task_unref (parked[i]);
    }
  settle ();
  every_wait_tear_down ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
  return NULL;
}

static GThread *
start_process (Process *process)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GThread *thread;

  process->loop = g_main_loop_new (context, FALSE);
  thread = g_thread_new ("scheduler", run_scheduler, process);
  while (!g_atomic_int_get (&process->is_parked))
    g_usleep (1000);
  return thread;
}

static void
end_process (Process *process, GThread *thread)
{
  g_main_loop_quit (process->loop);
  g_thread_join (thread);
  g_main_loop_unref (process->loop);
}

/* The one look at what was closed comes within that time, and then no more. */
static void
test_a_parked_scheduler_wakes_no_thread (void)
{
  Process process = { .has_waker = FALSE };
  GThread *thread = start_process (&process);
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;
  guint64 before, after;

  do
    {
      before = count_sleeps_of_others ();
      g_usleep (QUIET_US);
      after = count_sleeps_of_others ();
    }
  while (after != before && g_get_monotonic_time () < end_us);

  g_assert_cmpuint (after, ==, before);
  end_process (&process, thread);
}

static void
test_a_task_that_wakes_now_and_then_wakes_its_thread_once_each_time (void)
{
  Process process = { .has_waker = TRUE };
  GThread *thread = start_process (&process);
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;

  while (!g_atomic_int_get (&process.is_over) && g_get_monotonic_time () < end_us)
    g_usleep (10 * MS);
  end_process (&process, thread);

  g_assert_true (process.is_over);
  g_test_message ("%" G_GUINT64_FORMAT " sleeps for %u wakes", process.n_after - process.n_before, N_WAKES);
  /* With the one look; and the kernel counts a wait for a page as well. */
  g_assert_cmpuint (process.n_after - process.n_before, <, N_WAKES * 3 / 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/idle-process/a-parked-scheduler-wakes-no-thread", test_a_parked_scheduler_wakes_no_thread);
  g_test_add_func ("/idle-process/a-task-that-wakes-now-and-then-wakes-its-thread-once-each-time",
                   test_a_task_that_wakes_now_and_then_wakes_its_thread_once_each_time);
  return g_test_run ();
}
