/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

/* What a task in a scope does: sleeps, says how that went, perhaps fails. */
static gpointer
sleep_ms (gpointer ms, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_sleep (GPOINTER_TO_INT (ms) * MS, &error);

  say_outcome (success, &error);
  return NULL;
}

static gpointer
fail (gpointer ms, GError **error)
{
  if (cothread_sleep (GPOINTER_TO_INT (ms) * MS, error))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s failed", own_name ());
  return NULL;
}

/* As a program would: hands the cancellation on. */
static gpointer
sleep_or_fail (gpointer ms, GError **error)
{
  if (cothread_sleep (GPOINTER_TO_INT (ms) * MS, error))
    say ("%s-ok", own_name ());
  else
    say ("%s-stopped", own_name ());
  return NULL;
}

static void
add (CothreadScope *scope, const char *name, CothreadTaskFunc func, gint ms)
{
  CothreadSpawnOptions options = { .name = name };
  g_autoptr (GError) error = NULL;

  cothread_task_unref (cothread_scope_spawn_full (scope, func, GINT_TO_POINTER (ms), &options, &error));
  g_assert_no_error (error);
}

static void
leave (CothreadScope *scope)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_scope_leave (scope, &error);

  if (error != NULL && error->code == G_IO_ERROR_FAILED)
    say ("%s", error->message);
  else
    say_outcome (success, &error);
}

static gpointer
wait_for_all (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  add (scope, "a", sleep_ms, 50);
  add (scope, "b", sleep_ms, 1);
  g_assert_cmpuint (cothread_scope_get_n_tasks (scope), ==, 2);
  leave (scope);
  g_assert_cmpuint (cothread_scope_get_n_tasks (scope), ==, 0);
  g_assert_false (cothread_scope_is_cancelled (scope));
  leave (scope);
  return NULL;
}

static void
leaving_waits_for_all (void)
{
  start ("x", wait_for_all, NULL);
  run_until_no_task_is_left ();
  assert_said ("b-ok a-ok x-ok x-ok");
  wait_for_all (NULL, NULL);
  assert_said ("b-ok a-ok main-ok main-ok");
}

static gpointer
leave_empty (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();
  guint64 switches = own_switches ();

  leave (scope);
  g_assert_cmpuint (own_switches (), ==, switches);
  return NULL;
}

static void
leaving_an_empty_scope_does_not_suspend (void)
{
  start ("x", leave_empty, NULL);
  settle ();
  assert_said ("x-ok");
}

static gpointer
first_error (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  add (scope, "a", sleep_or_fail, 10000);
  add (scope, "b", fail, 50);
  add (scope, "c", fail, 1);
  add (scope, "d", sleep_or_fail, 10000);
  leave (scope);
  leave (scope);
  g_assert_true (cothread_scope_is_cancelled (scope));
  return NULL;
}

static void
the_first_error_cancels_the_others_and_is_reported (void)
{
  start ("x", first_error, NULL);
  run_until_no_task_is_left ();
  assert_said ("a-stopped d-stopped c failed c failed");
}

static gpointer
one_cancelled (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();
  CothreadSpawnOptions options = { .name = "a" };
  g_autoptr (CothreadTask) task =
    cothread_scope_spawn_full (scope, sleep_or_fail, GINT_TO_POINTER (10000), &options, NULL);

  add (scope, "b", sleep_or_fail, 1);
  cothread_yield (NULL);
  cothread_task_cancel (task);
  leave (scope);
  return NULL;
}

static void
a_task_that_was_cancelled_alone_is_no_failure (void)
{
  start ("x", one_cancelled, NULL);
  run_until_no_task_is_left ();
  assert_said ("a-stopped b-ok x-ok");
}

static gpointer
with_deadline (gpointer timeout_ms, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  cothread_scope_set_timeout (scope, GPOINTER_TO_INT (timeout_ms) * MS);
  add (scope, "a", sleep_or_fail, 1);
  add (scope, "b", sleep_or_fail, 10000);
  if (GPOINTER_TO_INT (timeout_ms) > 1000)
    cothread_scope_set_deadline (scope, now () + 100 * MS);
  leave (scope);
  return NULL;
}

static void
a_deadline_cancels_what_is_left (void)
{
  start ("x", with_deadline, GINT_TO_POINTER (100));
  run_until_no_task_is_left ();
  assert_said ("a-ok b-stopped x-timeout");
  start ("x", with_deadline, GINT_TO_POINTER (0));
  run_until_no_task_is_left ();
  assert_said ("x-timeout"); /* neither began */
}

static void
a_deadline_can_be_moved (void)
{
  start ("x", with_deadline, GINT_TO_POINTER (100000));
  run_until_no_task_is_left ();
  assert_said ("a-ok b-stopped x-timeout");
}

static gpointer
in_time (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  cothread_scope_set_timeout (scope, 0);
  cothread_scope_set_timeout (scope, COTHREAD_FOREVER);
  add (scope, "a", sleep_ms, 1);
  leave (scope);
  cothread_scope_set_timeout (scope, 0);
  leave (scope);
  return NULL;
}

static void
a_deadline_can_be_taken_back_and_ends_with_the_scope (void)
{
  start ("x", in_time, NULL);
  run_until_no_task_is_left ();
  assert_said ("a-ok x-ok x-ok");
}

static gpointer
inner_scope (gpointer ms, GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();
  gboolean success;

  add (scope, "inner", GPOINTER_TO_INT (ms) < 0 ? fail : sleep_or_fail, ABS (GPOINTER_TO_INT (ms)));
  success = cothread_scope_leave (scope, error);
  say ("%s-left", own_name ());
  return GINT_TO_POINTER (success);
}

static gpointer
outer_scope (gpointer inner_ms, G_GNUC_UNUSED GError **error)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  add (scope, "a", inner_scope, GPOINTER_TO_INT (inner_ms));
  add (scope, "b", sleep_or_fail, 10000);
  if (GPOINTER_TO_INT (inner_ms) > 0)
    cothread_scope_set_timeout (scope, 2 * MS);
  leave (scope);
  return NULL;
}

static void
an_outer_deadline_reaches_inner_scopes (void)
{
  start ("x", outer_scope, GINT_TO_POINTER (10000));
  run_until_no_task_is_left ();
  assert_said ("b-stopped inner-stopped a-left x-timeout");
}

static void
an_inner_failure_fails_the_outer_scope (void)
{
  start ("x", outer_scope, GINT_TO_POINTER (-1));
  run_until_no_task_is_left ();
  assert_said ("a-left b-stopped inner failed");
}

static gpointer
spawn_sibling (gpointer scope, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (1 * MS, NULL);
  add (scope, "late", sleep_or_fail, 1);
  return NULL;
}

static void
a_task_may_spawn_siblings_while_the_scope_is_left (void)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();

  cothread_task_unref (cothread_scope_spawn (scope, spawn_sibling, scope));
  leave (scope);
  assert_said ("late-ok main-ok");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/scope/leaving-waits-for-all", leaving_waits_for_all);
  sync_test_add ("/scope/leaving-an-empty-one-does-not-suspend", leaving_an_empty_scope_does_not_suspend);
  sync_test_add ("/scope/first-error", the_first_error_cancels_the_others_and_is_reported);
  sync_test_add ("/scope/one-cancelled-is-no-failure", a_task_that_was_cancelled_alone_is_no_failure);
  sync_test_add ("/scope/deadline", a_deadline_cancels_what_is_left);
  sync_test_add ("/scope/deadline-moved", a_deadline_can_be_moved);
  sync_test_add ("/scope/deadline-taken-back", a_deadline_can_be_taken_back_and_ends_with_the_scope);
  sync_test_add ("/scope/outer-deadline-reaches-inner", an_outer_deadline_reaches_inner_scopes);
  sync_test_add ("/scope/inner-failure-fails-outer", an_inner_failure_fails_the_outer_scope);
  sync_test_add ("/scope/siblings-while-left", a_task_may_spawn_siblings_while_the_scope_is_left);
  return g_test_run ();
}
