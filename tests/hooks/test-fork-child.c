/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fork-child.h"

#include <glib-unix.h>
#include <unistd.h>

/* A child that nobody prepared: it neither takes what is the parent's nor hangs,
 * and has tasks of its own. */

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

static gboolean
runs_tasks (void)
{
  g_autoptr (CothreadTask) task = NULL;
  gint counter = 0;

  for (guint i = 0; i < 10; i++)
    start ("sleeper", sleep_a_little, &counter);
  task = spawn ("last", sleep_a_little, &counter);
  return cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL) && cothread_sleep (20 * MS, NULL) && counter == 11;
}

/* Both processes have the reader's descriptor in one epoll set, which reports
 * what is ready once. */
static gboolean
makes_the_pipe_ready_and_runs_the_loop (void)
{
  gboolean is_written = write (pipe_ends[1], "x", 1) == 1;

  settle ();
  return is_written && runs_tasks () && cothread_wait_fd (pipe_ends[0], G_IO_IN, COTHREAD_FOREVER, NULL) == G_IO_IN;
}

static void
test_what_the_parent_waits_for_is_not_taken (void)
{
  make_pipe (pipe_ends);
  start ("reader", wait_for_pipe, NULL);
  settle ();

  assert_in_child (makes_the_pipe_ready_and_runs_the_loop);
  assert_said (""); /* a copy of it was said to in the child, if at all */

  run_until_no_task_is_left ();
  assert_said ("parent");
}

static gboolean
runs_nothing (void)
{
  g_free (take_said ()); /* before the fork */
  settle ();
  return said_nothing () && runs_tasks () && said_nothing ();
}

static void
test_no_task_of_the_parent_runs (void)
{
  start ("a", say_own_name, NULL);
  start ("b", say_own_name, NULL);

  assert_in_child (runs_nothing);

  settle ();
  assert_said ("a b");
}

static gpointer
sleep_and_say (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (MS, error);
  return say_own_name (NULL, error);
}

static gpointer
yield_and_say (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < 3; i++)
    cothread_yield (error);
  return say_own_name (NULL, error);
}

static void
test_those_that_sleep_and_yield_do_not_either (void)
{
  g_autofree char *text = NULL;

  use_default_time_slice ();
  start ("sleeper", sleep_and_say, NULL);
  start ("yielder", yield_and_say, NULL);
  g_main_context_iteration (g_main_context_get_thread_default (), FALSE);

  assert_in_child (runs_nothing);

  run_until_no_task_is_left ();
  text = take_said (); /* either is first */
  g_assert_cmpuint (strlen (text), ==, strlen ("yielder sleeper"));
}

static gpointer
fork_and_return (gpointer child, G_GNUC_UNUSED GError **error)
{
  *(pid_t *) child = fork_with_alarm ();
  if (*(pid_t *) child != 0)
    say ("forked");
  return NULL;
}

static void
test_a_task_that_forks_and_returns_ends_up_in_the_main_loop (void)
{
  pid_t child = -1;

  if (fork_is_unknown_on_stacks ())
    return;
  start ("forker", fork_and_return, &child);
  start ("b", say_own_name, NULL);
  settle ();
  if (child == 0)
    _exit (said_nothing () && live_tasks () == 0 && runs_tasks () ? 0 : 1);

  assert_said ("forked b");
  assert_passed (child);
}

static pid_t child_of_task;

static gpointer
fork_in_nested_loop (G_GNUC_UNUSED gpointer unused, GError **error)
{
  start ("inner", fork_and_return, &child_of_task);
  start ("b", say_own_name, NULL);
  settle ();
  if (child_of_task == 0)
    {
      /* A dispatch that the parent had begun is not over. */
      _exit (!cothread_sleep (0, NULL) && said_nothing () ? 0 : 1);
    }
  return say_own_name (NULL, error);
}

static void
test_so_does_one_in_the_nested_loop_of_another (void)
{
  if (fork_is_unknown_on_stacks ())
    return;
  child_of_task = -1;
  start ("outer", fork_in_nested_loop, NULL);
  settle ();

  assert_said ("forked b outer");
  assert_passed (child_of_task);
}

static gpointer
fork_and_wait (gpointer child, G_GNUC_UNUSED GError **error)
{
  pid_t pid = fork_with_alarm ();

  if (pid == 0)
    {
      g_autoptr (GError) failure = NULL;

      _exit (!cothread_yield (&failure) && g_error_matches (failure, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT) &&
             cothread_task_self () == NULL ? 0 : 1);
    }
  *(pid_t *) child = pid;
  return NULL;
}

static void
test_a_task_that_forks_and_waits_is_told_where_it_is (void)
{
  pid_t child = -1;

  if (fork_is_unknown_on_stacks ())
    return;
  start ("forker", fork_and_wait, &child);
  settle ();
  assert_passed (child);
}

static pid_t child_of_handler;

static gboolean
fork_in_handler (G_GNUC_UNUSED gpointer unused)
{
  child_of_handler = fork_with_alarm ();
  return G_SOURCE_REMOVE;
}

static void
test_a_wait_of_main_that_a_fork_came_into_fails (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  add_source (G_PRIORITY_DEFAULT, fork_in_handler, NULL);
  start ("sleeper", sleep_and_say, NULL);
  if (cothread_event_wait (event, 20 * MS, &error))
    g_assert_not_reached ();
  if (child_of_handler == 0)
    _exit (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED) && said_nothing () && runs_tasks () ? 0 : 1);

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  assert_said ("sleeper");
  assert_passed (child_of_handler);
}

static gpointer
wait_for_event (gpointer event, GError **error)
{
  if (cothread_event_wait (event, COTHREAD_FOREVER, error))
    say ("%s", own_name ());
  return NULL;
}

static CothreadEvent *event;

static gboolean
signals_only_its_own (void)
{
  cothread_event_signal (event);
  if (!cothread_event_is_signalled (event) || !cothread_event_wait (event, 0, NULL))
    return FALSE;
  start ("child", wait_for_event, event);
  settle ();
  cothread_event_signal (event);
  settle ();
  return !cothread_event_is_signalled (event) && said ("child");
}

static void
test_an_event_that_the_parents_tasks_wait_for_is_the_childs_alone (void)
{
  event = cothread_event_new (TRUE);
  start ("parent", wait_for_event, event);
  settle ();

  assert_in_child (signals_only_its_own);

  assert_said ("");
  cothread_event_signal (event);
  settle ();
  assert_said ("parent");
  g_clear_object (&event);
}

static CothreadLock *lock;
static CothreadScope *scope;
static CothreadTask *parked;
static CothreadScheduler *scheduler;

static gpointer
acquire_and_sleep (G_GNUC_UNUSED gpointer unused, GError **error)
{
  if (!cothread_lock_acquire (lock, COTHREAD_FOREVER, error))
    return NULL;
  cothread_sleep (COTHREAD_FOREVER, NULL);
  cothread_lock_release (lock);
  return NULL;
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
interrupt_it (G_GNUC_UNUSED gpointer unused)
{
  cothread_scheduler_interrupt (scheduler);
}

static gboolean
is_closed (GError *error)
{
  gboolean is = g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);

  g_clear_error (&error);
  return is;
}

static gboolean
uses_what_it_inherited (void)
{
  CothreadSpawnOptions options = { .scheduler = scheduler };
  GError *error = NULL;

  if (!cothread_lock_acquire (lock, 0, NULL) || !cothread_lock_is_own (lock))
    return FALSE;
  cothread_lock_release (lock);
  cothread_task_cancel (parked);
  if (cothread_task_join (parked, COTHREAD_FOREVER, NULL, &error) || !is_closed (g_steal_pointer (&error)))
    return FALSE;
  cothread_scope_leave (scope, NULL);
  if (cothread_spawn_full (sleep_for_ever, NULL, &options, &error) != NULL || !is_closed (g_steal_pointer (&error)))
    return FALSE;
  if (count_complaints (interrupt_it, NULL) != 1 || cothread_scheduler_get_default () == scheduler)
    return FALSE;
  cothread_scheduler_shutdown (scheduler);
  return runs_tasks ();
}

static void
test_locks_tasks_scopes_and_the_scheduler_of_the_parent_keep_nobody_waiting (void)
{
  lock = cothread_lock_new ();
  scope = cothread_scope_new ();
  scheduler = cothread_scheduler_get_default ();
  parked = spawn ("holder", acquire_and_sleep, NULL);
  start ("waiter", acquire_and_sleep, NULL);
  cothread_task_unref (cothread_scope_spawn (scope, sleep_for_ever, NULL));
  settle ();

  assert_in_child (uses_what_it_inherited);

  g_assert_true (cothread_lock_is_held (lock));
  cothread_scope_cancel (scope);
  g_assert_false (cothread_scope_leave (scope, NULL));
  cothread_scope_free (scope);
  cothread_task_cancel (parked);
  g_clear_pointer (&parked, cothread_task_unref);
  settle ();
  g_assert_true (cothread_lock_is_held (lock)); /* by the one that waited */
  cothread_scheduler_shutdown (scheduler);
  g_clear_object (&lock);
}

static gint64 slept_us;

static gpointer
sleep_precisely (G_GNUC_UNUSED gpointer unused, GError **error)
{
  gint64 begin_us = g_get_monotonic_time ();

  cothread_sleep_precisely (200 * MS, error);
  slept_us = g_get_monotonic_time () - begin_us;
  return NULL;
}

static gboolean
sets_a_precise_timer_of_its_own (void)
{
  g_autoptr (CothreadTask) task = spawn ("precise", sleep_for_ever, NULL);
  gint64 begin_us = g_get_monotonic_time ();

  return cothread_sleep_precisely (MS, NULL) && g_get_monotonic_time () - begin_us >= MS;
}

static void
test_a_precise_timer_of_the_parent_goes_on (void)
{
  start ("precise", sleep_precisely, NULL);
  settle ();

  assert_in_child (sets_a_precise_timer_of_its_own);

  run_until_no_task_is_left ();
  g_assert_cmpint (slept_us, >=, 200 * MS);
}

static guint n_open;

static gboolean
keeps_nothing_open (void)
{
  guint n_inherited = count_open_descriptors ();

  return n_inherited == n_open && runs_tasks () &&
         (cothread_scheduler_shutdown (cothread_scheduler_get_default ()), count_open_descriptors () < n_open);
}

static void
test_descriptors_of_the_parents_scheduler_are_closed (void)
{
  start ("sleeper", sleep_precisely, NULL);
  settle ();
  n_open = count_open_descriptors ();
  assert_in_child (keeps_nothing_open);
  run_until_no_task_is_left ();
}

static gboolean
has_a_child_that_does_too (void)
{
  pid_t child;
  gboolean works = runs_tasks ();

  start ("parked", sleep_for_ever, NULL);
  settle ();
  child = fork_with_alarm ();
  if (child == 0)
    _exit (runs_tasks () ? 0 : 1);
  return works && passed (child);
}

static void
test_a_grandchild_has_tasks_of_its_own (void)
{
  start ("parked", sleep_for_ever, NULL);
  settle ();
  assert_in_child (has_a_child_that_does_too);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/fork/child/what-the-parent-waits-for-is-not-taken", test_what_the_parent_waits_for_is_not_taken);
  behaviour_add ("/fork/child/no-task-of-the-parent-runs", test_no_task_of_the_parent_runs);
  behaviour_add ("/fork/child/those-that-sleep-and-yield-do-not-either", test_those_that_sleep_and_yield_do_not_either);
  behaviour_add ("/fork/child/a-task-that-forks-and-returns-ends-up-in-the-main-loop", test_a_task_that_forks_and_returns_ends_up_in_the_main_loop);
  behaviour_add ("/fork/child/so-does-one-in-the-nested-loop-of-another", test_so_does_one_in_the_nested_loop_of_another);
  behaviour_add ("/fork/child/a-task-that-forks-and-waits-is-told-where-it-is", test_a_task_that_forks_and_waits_is_told_where_it_is);
  behaviour_add ("/fork/child/a-wait-of-main-that-a-fork-came-into-fails", test_a_wait_of_main_that_a_fork_came_into_fails);
  behaviour_add ("/fork/child/an-event-that-the-parents-tasks-wait-for-is-the-childs-alone", test_an_event_that_the_parents_tasks_wait_for_is_the_childs_alone);
  behaviour_add ("/fork/child/locks-tasks-scopes-and-the-scheduler-of-the-parent-keep-nobody-waiting",
                 test_locks_tasks_scopes_and_the_scheduler_of_the_parent_keep_nobody_waiting);
  behaviour_add ("/fork/child/a-precise-timer-of-the-parent-goes-on", test_a_precise_timer_of_the_parent_goes_on);
  behaviour_add ("/fork/child/descriptors-of-the-parents-scheduler-are-closed", test_descriptors_of_the_parents_scheduler_are_closed);
  behaviour_add ("/fork/child/a-grandchild-has-tasks-of-its-own", test_a_grandchild_has_tasks_of_its_own);
  return g_test_run ();
}
