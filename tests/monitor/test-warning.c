/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <string.h>

/* Tasks that nothing can wake any more, and failures that nobody has seen. */

typedef struct
{
  CothreadLock *mine;
  CothreadLock *other;
} Philosopher;

static gpointer
take_both (gpointer data, GError **error)
{
  const Philosopher *self = data;

  if (!cothread_lock_acquire (self->mine, COTHREAD_FOREVER, error))
    return NULL;
  cothread_sleep (0, error);
  if (cothread_lock_acquire (self->other, COTHREAD_FOREVER, NULL))
    cothread_lock_release (self->other);
  cothread_lock_release (self->mine);
  return NULL;
}

static void
assert_found (const char *pattern)
{
  g_autoptr (GPtrArray) found = cothread_scheduler_find_lost_waiters (cothread_scheduler_get_default ());

  if (pattern == NULL)
    {
      g_assert_cmpuint (found->len, ==, 0);
      return;
    }
  g_assert_cmpuint (found->len, ==, 1);
  if (!g_pattern_match_simple (pattern, ((CothreadWarning *) found->pdata[0])->message))
    g_error ("\"%s\" does not match \"%s\"", ((CothreadWarning *) found->pdata[0])->message, pattern);
}

static void
end (CothreadTask *task)
{
  cothread_task_cancel (task);
  settle ();
}

static void
test_two_that_want_each_others_lock_are_a_deadlock (void)
{
  g_autoptr (CothreadLock) left = cothread_lock_new ();
  g_autoptr (CothreadLock) right = cothread_lock_new ();
  Philosopher first = { left, right }, second = { right, left };
  g_autoptr (CothreadTask) a = spawn ("a", take_both, &first);
  g_autoptr (CothreadTask) b = spawn ("b", take_both, &second);

  cothread_monitor_set_name (G_OBJECT (left), "left");
  cothread_monitor_set_name (G_OBJECT (right), "right");
  assert_found (NULL);
  settle ();
  assert_found ("Deadlock: task a (*) waits for lock right, held by task *; task b (*) waits for lock left, held by task *");
  end (a);
  assert_found (NULL);
  end (b);
}

static gpointer
join (gpointer other, GError **error)
{
  CothreadTask **task = other;

  cothread_task_join (*task, COTHREAD_FOREVER, NULL, error);
  return NULL;
}

static void
test_a_circle_of_joins_is_told_once (void)
{
  CothreadTask *tasks[3];

  for (guint i = 0; i < 3; i++)
    tasks[i] = spawn ("link", join, &tasks[(i + 1) % 3]);
  settle ();
  assert_found ("Deadlock: task link (*) waits for task link (*); task link (*) waits for task link (*); task link (*)*");
  for (guint i = 0; i < 3; i++)
    cothread_task_cancel (tasks[i]);
  settle ();
  for (guint i = 0; i < 3; i++)
    cothread_task_unref (tasks[i]);
}

static gpointer
join_for_a_while (gpointer other, GError **error)
{
  CothreadTask **task = other;

  cothread_task_join (*task, 1000 * G_USEC_PER_SEC, NULL, error);
  return NULL;
}

static void
test_a_circle_with_a_deadline_in_it_is_none (void)
{
  CothreadTask *tasks[2];

  tasks[0] = spawn ("a", join, &tasks[1]);
  tasks[1] = spawn ("b", join_for_a_while, &tasks[0]);
  settle ();
  assert_found (NULL);
  end (tasks[1]);
  end (tasks[0]);
  for (guint i = 0; i < 2; i++)
    cothread_task_unref (tasks[i]);
}

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_a_chain_that_ends_is_none (void)
{
  CothreadTask *sleeper = spawn ("sleeper", sleep_for_ever, NULL);
  CothreadTask *middle = spawn ("middle", join, &sleeper);
  CothreadTask *last = spawn ("last", join, &middle);

  settle ();
  assert_found (NULL);
  end (last);
  end (middle);
  end (sleeper);
  cothread_task_unref (last);
  cothread_task_unref (middle);
  cothread_task_unref (sleeper);
}

static gpointer
wait_for_event (gpointer event, GError **error)
{
  cothread_event_wait (event, COTHREAD_FOREVER, error);
  return NULL;
}

static void
test_an_event_that_only_its_waiters_know_is_lost (void)
{
  CothreadEvent *event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("waiter", wait_for_event, event);

  cothread_monitor_set_name (G_OBJECT (event), "never");
  settle ();
  assert_found (NULL); /* we might still signal it */
  g_object_unref (event);
  assert_found ("Lost waiter: task waiter (*) waits for event never, to which nobody else has a reference any more");
  end (task);
  assert_found (NULL);
}

static void
say_warning (G_GNUC_UNUSED CothreadMonitor *monitor, CothreadWarning *warning, G_GNUC_UNUSED gpointer unused)
{
  say ("%d:%s", (int) warning->kind, warning->task_name);
}

static CothreadMonitor *
new_monitor (void)
{
  CothreadMonitor *monitor = cothread_monitor_new (NULL);

  cothread_monitor_set_interval (monitor, 0);
  g_signal_connect (monitor, "warning", G_CALLBACK (say_warning), NULL);
  return monitor;
}

static void
test_a_monitor_warns_once_and_only_if_asked_to (void)
{
  g_autoptr (CothreadMonitor) monitor = new_monitor ();
  CothreadEvent *event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("waiter", wait_for_event, event);

  settle ();
  g_object_unref (event);
  cothread_monitor_refresh (monitor);
  assert_said ("");
  cothread_monitor_set_checks (monitor, TRUE);
  cothread_monitor_refresh (monitor);
  cothread_monitor_refresh (monitor);
  assert_said ("1:waiter");
  end (task);
}

static gpointer
fail (G_GNUC_UNUSED gpointer unused, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no luck\xff");
  return NULL;
}

static gpointer
unref_in_thread (gpointer task)
{
  cothread_task_unref (task);
  return NULL;
}

static void
test_a_failure_that_nobody_saw_is_told (void)
{
  g_autoptr (CothreadMonitor) monitor = new_monitor ();
  CothreadTask *seen = spawn ("seen", fail, NULL);
  CothreadTask *unseen = spawn ("unseen", fail, NULL);

  cothread_monitor_set_checks (monitor, TRUE);
  settle ();
  g_assert_false (cothread_task_join (seen, 0, NULL, NULL));
  cothread_task_unref (seen);
  cothread_monitor_refresh (monitor);
  assert_said ("");

  g_test_expect_message ("Cothread", G_LOG_LEVEL_WARNING, "*unseen*nobody joined*");
  g_thread_join (g_thread_new ("other", unref_in_thread, unseen));
  g_test_assert_expected_messages ();
  cothread_monitor_refresh (monitor);
  assert_said ("2:unseen");
}

static void
test_a_monitor_may_go_while_failures_come (void)
{
  CothreadMonitor *monitor = new_monitor ();
  CothreadTask *task = spawn ("task", fail, NULL);

  cothread_monitor_set_checks (monitor, TRUE);
  settle ();
  g_object_unref (monitor);
  g_test_expect_message ("Cothread", G_LOG_LEVEL_WARNING, "*nobody joined*");
  cothread_task_unref (task);
  g_test_assert_expected_messages ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/warning/deadlock/locks", test_two_that_want_each_others_lock_are_a_deadlock);
  behaviour_add ("/warning/deadlock/joins", test_a_circle_of_joins_is_told_once);
  behaviour_add ("/warning/deadlock/not-with-a-deadline", test_a_circle_with_a_deadline_in_it_is_none);
  behaviour_add ("/warning/deadlock/not-a-chain", test_a_chain_that_ends_is_none);
  behaviour_add ("/warning/lost-waiter/event", test_an_event_that_only_its_waiters_know_is_lost);
  behaviour_add ("/warning/monitor/once", test_a_monitor_warns_once_and_only_if_asked_to);
  behaviour_add ("/warning/forgotten-failure/told", test_a_failure_that_nobody_saw_is_told);
  behaviour_add ("/warning/forgotten-failure/monitor-gone", test_a_monitor_may_go_while_failures_come);
  return g_test_run ();
}
