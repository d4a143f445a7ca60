/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

static guint n_freed;

static void
count_freed (G_GNUC_UNUSED gpointer data)
{
  n_freed++;
}

/* Takes a while to end after it was cancelled. */
static gpointer
sleep_and_clean_up (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, NULL);
  {
    g_autoptr (CothreadShield) shield = cothread_shield_new ();

    g_assert_true (cothread_sleep (1 * MS, NULL));
  }
  say ("%s-clean", own_name ());
  return NULL;
}

static void
add (CothreadScope *scope, const char *name)
{
  CothreadSpawnOptions options = { .name = name, .user_data_destroy = count_freed };

  cothread_task_unref (cothread_scope_spawn_full (scope, sleep_and_clean_up, scope, &options, NULL));
}

static void
leave (CothreadScope *scope)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_scope_leave (scope, &error);

  say_outcome (success, &error);
}

static gpointer
return_early (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  {
    g_autoptr (CothreadScope) scope = cothread_scope_new ();

    add (scope, "a");
    add (scope, "b");
    cothread_sleep (0, NULL);
    say ("return");
  }
  say ("after");
  return NULL;
}

static void
autoptr_cancels_and_waits (void)
{
  start ("x", return_early, NULL);
  run_until_no_task_is_left ();
  assert_said ("return a-clean b-clean after");
  return_early (NULL, NULL);
  assert_said ("return a-clean b-clean after");
}

static gpointer
be_cancelled_in_autoptr (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  {
    g_autoptr (CothreadScope) scope = cothread_scope_new ();

    add (scope, "a");
    g_assert_false (cothread_sleep (COTHREAD_FOREVER, NULL));
  }
  say ("after");
  g_assert_false (cothread_sleep (0, NULL));
  return NULL;
}

static void
autoptr_waits_in_a_cancelled_task_too (void)
{
  g_autoptr (CothreadTask) task = spawn ("x", be_cancelled_in_autoptr, NULL);

  settle ();
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("a-clean after");
}

static gpointer
be_cancelled_in_leave (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  add (scope, "a");
  leave (scope);
  g_assert_false (cothread_sleep (0, NULL));
  return NULL;
}

static void
cancelling_who_leaves_cancels_all_and_waits (void)
{
  g_autoptr (CothreadTask) task = spawn ("x", be_cancelled_in_leave, NULL);

  settle ();
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("a-clean x-cancelled");
}

static void
interrupting_main_in_leave_cancels_all_and_waits (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  add (scope, "a");
  settle ();
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  leave (scope);
  assert_said ("a-clean main-interrupted");
}

static void
an_interrupt_during_autoptr_is_kept (void)
{
  g_autoptr (GError) error = NULL;
  CothreadScope *scope = cothread_scope_new ();

  add (scope, "a");
  settle ();
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  cothread_scope_free (scope);
  say_outcome (cothread_sleep (0, &error), &error);
  say_outcome (cothread_sleep (0, &error), &error);
  assert_said ("a-clean main-interrupted main-ok");
}

/* Main was not waiting, but iterating by itself. */
static void
interrupt_before_the_wait (void)
{
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
}

static void
an_interrupt_before_leave_cancels_all_and_waits (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  add (scope, "a");
  settle ();
  interrupt_before_the_wait ();
  leave (scope);
  say ("%u-left", cothread_scope_get_n_tasks (scope));
  leave (scope);
  assert_said ("a-clean main-interrupted 0-left main-interrupted");
}

static void
an_interrupt_before_autoptr_is_kept (void)
{
  g_autoptr (GError) error = NULL;
  CothreadScope *scope = cothread_scope_new ();

  add (scope, "a");
  settle ();
  interrupt_before_the_wait ();
  cothread_scope_free (scope);
  say_outcome (cothread_sleep (0, &error), &error);
  say_outcome (cothread_sleep (0, &error), &error);
  assert_said ("a-clean main-interrupted main-ok");
}

static gpointer
wait_shielded (gpointer event, GError **error)
{
  g_autoptr (CothreadShield) shield = cothread_shield_new ();

  cothread_event_wait (event, COTHREAD_FOREVER, error);
  say ("%s-ends", own_name ());
  return NULL;
}

static void
tasks_that_will_never_end_are_a_deadlock (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (FALSE);
  CothreadScope *scope = cothread_scope_new ();
  CothreadSpawnOptions options = { .name = "stubborn" };

  cothread_task_unref (cothread_scope_spawn_full (scope, wait_shielded, event, &options, NULL));
  leave (scope);
  expect_critical ("*scope*stubborn*");
  cothread_scope_free (scope);
  g_test_assert_expected_messages ();
  cothread_event_signal (event);
  run_until_no_task_is_left ();
  assert_said ("main-deadlock stubborn-ends");
}

static gboolean
free_in_handler (gpointer scope)
{
  g_autoptr (GError) error = NULL;

  say_outcome (cothread_scope_leave (scope, &error), &error);
  cothread_scope_free (scope);
  say ("freed");
  return G_SOURCE_REMOVE;
}

static void
where_nothing_can_wait_the_last_task_frees_it (void)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  CothreadScope *scope = cothread_scope_new ();

  add (scope, "a");
  cothread_scope_set_timeout (scope, 10000 * MS);
  settle ();
  g_source_set_callback (source, free_in_handler, scope, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  run_until_no_task_is_left ();
  assert_said ("main-refused freed a-clean");
}

static void
what_is_spawned_in_a_cancelled_scope_does_not_begin (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  cothread_scope_cancel (scope);
  g_assert_true (cothread_scope_is_cancelled (scope));
  n_freed = 0;
  add (scope, "a");
  leave (scope);
  g_assert_cmpuint (n_freed, ==, 1);
  assert_said ("main-cancelled");
}

static void
nothing_is_spawned_in_a_scope_that_was_left (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();
  CothreadSpawnOptions options = { .user_data_destroy = count_freed };
  g_autoptr (GError) error = NULL;

  leave (scope);
  n_freed = 0;
  g_assert_null (cothread_scope_spawn_full (scope, sleep_and_clean_up, scope, &options, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_assert_cmpuint (n_freed, ==, 1);
  expect_critical ("*Cannot spawn*left*");
  g_assert_null (cothread_scope_spawn (scope, sleep_and_clean_up, scope));
  g_test_assert_expected_messages ();
  assert_said ("main-ok");
}

static gpointer
leave_own_scope (gpointer scope, G_GNUC_UNUSED GError **error)
{
  expect_critical ("*owns_running_task*");
  g_assert_false (cothread_scope_leave (scope, NULL));
  expect_critical ("*cannot be freed*");
  cothread_scope_free (scope);
  g_test_assert_expected_messages ();
  say ("still here");
  return NULL;
}

static void
a_task_cannot_leave_its_own_scope (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  cothread_task_unref (cothread_scope_spawn (scope, leave_own_scope, scope));
  leave (scope);
  assert_said ("still here main-ok");
}

static gpointer
cancel_own_scope (gpointer scope, G_GNUC_UNUSED GError **error)
{
  cothread_scope_cancel (scope);
  g_assert_false (cothread_sleep (0, NULL));
  return NULL;
}

static void
a_task_may_cancel_its_own_scope (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  add (scope, "a");
  cothread_task_unref (cothread_scope_spawn (scope, cancel_own_scope, scope));
  leave (scope);
  assert_said ("a-clean main-cancelled");
}

static void
shutdown_unwinds_scopes (void)
{
  start ("x", be_cancelled_in_leave, NULL);
  start ("y", be_cancelled_in_autoptr, NULL);
  settle ();
  n_freed = 0;
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_assert_cmpuint (n_freed, ==, 2);
  assert_said ("a-clean a-clean x-cancelled after");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/scope/autoptr-cancels-and-waits", autoptr_cancels_and_waits);
  sync_test_add ("/scope/autoptr-in-a-cancelled-task", autoptr_waits_in_a_cancelled_task_too);
  sync_test_add ("/scope/cancelled-in-leave", cancelling_who_leaves_cancels_all_and_waits);
  sync_test_add ("/scope/interrupted-in-leave", interrupting_main_in_leave_cancels_all_and_waits);
  sync_test_add ("/scope/interrupted-in-autoptr", an_interrupt_during_autoptr_is_kept);
  sync_test_add ("/scope/interrupted-before-leave", an_interrupt_before_leave_cancels_all_and_waits);
  sync_test_add ("/scope/interrupted-before-autoptr", an_interrupt_before_autoptr_is_kept);
  sync_test_add ("/scope/deadlock", tasks_that_will_never_end_are_a_deadlock);
  sync_test_add ("/scope/freed-in-a-handler", where_nothing_can_wait_the_last_task_frees_it);
  sync_test_add ("/scope/spawn-in-a-cancelled-one", what_is_spawned_in_a_cancelled_scope_does_not_begin);
  sync_test_add ("/scope/spawn-after-leave", nothing_is_spawned_in_a_scope_that_was_left);
  sync_test_add ("/scope/leave-own", a_task_cannot_leave_its_own_scope);
  sync_test_add ("/scope/cancel-own", a_task_may_cancel_its_own_scope);
  sync_test_add ("/scope/shutdown", shutdown_unwinds_scopes);
  return g_test_run ();
}
