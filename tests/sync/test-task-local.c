/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

static void
say_freed (gpointer value)
{
  say ("free-%s", (const char *) value);
}

static CothreadTaskLocal name = COTHREAD_TASK_LOCAL_INIT (say_freed);
static CothreadTaskLocal number = COTHREAD_TASK_LOCAL_INIT (NULL);

static gpointer
keep_own (gpointer value, G_GNUC_UNUSED GError **error)
{
  g_assert_null (cothread_task_local_get (&name));
  cothread_task_local_set (&name, value);
  cothread_task_local_set (&number, cothread_task_self ());
  cothread_yield (NULL);
  g_assert_true (cothread_task_local_get (&name) == value);
  g_assert_true (cothread_task_local_get (&number) == cothread_task_self ());
  return NULL;
}

static void
each_task_has_its_own (void)
{
  start ("a", keep_own, (gpointer) "a");
  start ("b", keep_own, (gpointer) "b");
  settle ();
  assert_said ("free-a free-b");
}

static gpointer
replace (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  static char same[] = "same";

  cothread_task_local_set (&name, NULL);
  cothread_task_local_set (&name, (gpointer) "old");
  cothread_task_local_set (&name, same);
  cothread_task_local_set (&name, same);
  assert_said ("free-old");
  cothread_task_local_set (&name, NULL);
  assert_said ("free-same");
  g_assert_null (cothread_task_local_get (&name));
  return NULL;
}

static void
a_new_value_destroys_the_old (void)
{
  start ("a", replace, NULL);
  settle ();
}

static gpointer
join_first (gpointer task, G_GNUC_UNUSED GError **error)
{
  cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
  say ("joined");
  return NULL;
}

static void
values_are_destroyed_before_a_joiner_goes_on (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", keep_own, (gpointer) "a");

  start ("b", join_first, task);
  settle ();
  assert_said ("free-a joined");
}

static void
set_another (gpointer value)
{
  g_assert_null (cothread_task_local_get (&name));
  say ("free-%s", (const char *) value);
  cothread_task_local_set (&name, (gpointer) "last");
}

static CothreadTaskLocal chain = COTHREAD_TASK_LOCAL_INIT (set_another);

static gpointer
set_chain (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_task_local_set (&chain, (gpointer) "first");
  return NULL;
}

static void
a_destroy_notify_may_set_a_value (void)
{
  start ("a", set_chain, NULL);
  settle ();
  assert_said ("free-first free-last");
}

static gpointer
sleep_with_value (gpointer value, G_GNUC_UNUSED GError **error)
{
  cothread_task_local_set (&name, value);
  cothread_sleep (COTHREAD_FOREVER, NULL);
  return NULL;
}

static void
cancellation_and_shutdown_destroy_values (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", sleep_with_value, (gpointer) "a");

  start ("b", sleep_with_value, (gpointer) "b");
  settle ();
  cothread_task_cancel (task);
  settle ();
  assert_said ("free-a");
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  assert_said ("free-b");
}

static void
look_on_thread_stack (gpointer value)
{
  g_assert_true (cothread_task_local_get (&number) == value);
}

static gpointer
call_on_thread_stack (gpointer value, G_GNUC_UNUSED GError **error)
{
  cothread_task_local_set (&number, GINT_TO_POINTER (2));
  cothread_call_on_thread_stack (look_on_thread_stack, value);
  return NULL;
}

static void
the_thread_itself_has_one (void)
{
  cothread_task_local_set (&number, GINT_TO_POINTER (1));
  start ("a", call_on_thread_stack, GINT_TO_POINTER (1));
  settle ();
  g_assert_true (cothread_task_local_get (&number) == GINT_TO_POINTER (1));
  cothread_task_local_set (&number, NULL);
}

static gint n_freed_in_thread;

static void
count_freed (G_GNUC_UNUSED gpointer value)
{
  n_freed_in_thread++;
}

static CothreadTaskLocal counted = COTHREAD_TASK_LOCAL_INIT (count_freed);

static gpointer
in_thread (gpointer value)
{
  g_assert_null (cothread_task_local_get (&counted));
  cothread_task_local_set (&counted, value);
  return NULL;
}

static void
a_threads_value_ends_with_the_thread (void)
{
  cothread_task_local_set (&counted, &counted);
  g_thread_join (g_thread_new ("other", in_thread, &n_freed_in_thread));
  g_assert_cmpint (n_freed_in_thread, ==, 1);
  cothread_task_local_set (&counted, NULL);
  g_assert_cmpint (n_freed_in_thread, ==, 2);
}

static void
no_key_is_a_critical (void)
{
  expect_critical ("*key != NULL*");
  g_assert_null (cothread_task_local_get (NULL));
  expect_critical ("*key != NULL*");
  cothread_task_local_set (NULL, NULL);
  g_test_assert_expected_messages ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/task-local/each-task-has-its-own", each_task_has_its_own);
  sync_test_add ("/task-local/new-destroys-old", a_new_value_destroys_the_old);
  sync_test_add ("/task-local/before-joiners", values_are_destroyed_before_a_joiner_goes_on);
  sync_test_add ("/task-local/destroy-may-set", a_destroy_notify_may_set_a_value);
  sync_test_add ("/task-local/cancel-and-shutdown", cancellation_and_shutdown_destroy_values);
  sync_test_add ("/task-local/thread-has-one", the_thread_itself_has_one);
  sync_test_add ("/task-local/thread-ends", a_threads_value_ends_with_the_thread);
  sync_test_add ("/task-local/no-key", no_key_is_a_critical);
  return g_test_run ();
}
