/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../behaviour/behaviour.h"

#include <glib-unix.h>
#include <sys/wait.h>
#include <unistd.h>

/* cothread_forked(): the child has the program but not its tasks. */

static gint pipe_ends[2];

static gpointer
wait_for_pipe (G_GNUC_UNUSED gpointer unused, GError **error)
{
  if (cothread_wait_fd (pipe_ends[0], G_IO_IN, COTHREAD_FOREVER, error) == G_IO_IN)
    say ("parent");
  return NULL;
}

static gpointer
sleep_a_little (gpointer counter, GError **error)
{
  cothread_sleep (MS, error);
  ++*(gint *) counter;
  return NULL;
}

static int
status_of_child (gboolean (*func) (void))
{
  pid_t child = fork ();
  int status;

  if (child == 0)
    {
      cothread_forked ();
      _exit (func () ? 0 : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return status;
}

static gboolean
use_tasks (void)
{
  gint counter = 0;

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (CothreadTask) task = cothread_spawn (sleep_a_little, &counter);

      if (i % 2 == 0 && !cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL))
        return FALSE;
    }
  if (cothread_wait_fd (pipe_ends[0], G_IO_IN, MS, NULL) != 0)
    return FALSE;
  while (counter < 10)
    cothread_sleep (MS, NULL);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return cothread_task_self () == NULL;
}

static void
test_the_child_runs_tasks_of_its_own_and_the_parent_goes_on (void)
{
  make_pipe (pipe_ends);
  start ("reader", wait_for_pipe, NULL);
  settle ();

  g_assert_cmpint (status_of_child (use_tasks), ==, 0);

  g_assert_cmpint (write (pipe_ends[1], "x", 1), ==, 1);
  run_until_no_task_is_left ();
  assert_said ("parent");
  close (pipe_ends[0]);
  close (pipe_ends[1]);
}

static CothreadEvent *event;
static CothreadTask *parked;

static gboolean
touch_what_the_parent_made (void)
{
  g_autoptr (GError) error = NULL;

  cothread_event_signal (event);
  cothread_task_cancel (parked);
  return !cothread_task_join (parked, 0, NULL, &error) && g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
}

static gpointer
wait_for_event (G_GNUC_UNUSED gpointer unused, GError **error)
{
  return GINT_TO_POINTER (cothread_event_wait (event, COTHREAD_FOREVER, error));
}

static void
test_what_the_parent_made_is_abandoned_in_the_child (void)
{
  event = cothread_event_new (FALSE);
  parked = spawn ("parked", wait_for_event, NULL);
  settle ();

  g_assert_cmpint (status_of_child (touch_what_the_parent_made), ==, 0);

  g_assert_false (cothread_task_is_finished (parked));
  cothread_event_signal (event);
  run_until_no_task_is_left ();
  g_clear_pointer (&parked, cothread_task_unref);
  g_clear_object (&event);
}

static gboolean
cannot_wait (void)
{
  g_autoptr (GError) error = NULL;

  return !cothread_sleep (0, &error) && g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
}

static gpointer
fork_in_task (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_assert_cmpint (status_of_child (cannot_wait), ==, 0);
  cothread_yield (error);
  say ("goes-on");
  return NULL;
}

static void
test_a_child_of_a_task_is_told_that_it_cannot_wait (void)
{
  start ("forker", fork_in_task, NULL);

  run_until_no_task_is_left ();

  assert_said ("goes-on");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/fork/the-child-runs-tasks-of-its-own-and-the-parent-goes-on", test_the_child_runs_tasks_of_its_own_and_the_parent_goes_on);
  behaviour_add ("/fork/what-the-parent-made-is-abandoned-in-the-child", test_what_the_parent_made_is_abandoned_in_the_child);
  behaviour_add ("/fork/a-child-of-a-task-is-told-that-it-cannot-wait", test_a_child_of_a_task_is_told_that_it_cannot_wait);
  return g_test_run ();
}
