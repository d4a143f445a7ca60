/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

static void
sleep_and_say (gint64 timeout_us)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_sleep (timeout_us, &error);

  say_outcome (success, &error);
}

/* Ends at its first wait outside a section. */
static gpointer
clean_up_shielded (gpointer depth, G_GNUC_UNUSED GError **error)
{
  guint n = GPOINTER_TO_UINT (depth);

  for (guint i = 0; i < n; i++)
    cothread_shield_begin ();
  sleep_and_say (20 * MS);
  sleep_and_say (20 * MS);
  for (guint i = 0; i < n; i++)
    cothread_shield_end ();
  say ("end");
  sleep_and_say (0);
  return NULL;
}

static void
cancellation_waits_for_the_end_of_the_section (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", clean_up_shielded, GUINT_TO_POINTER (1));

  settle ();
  cothread_task_cancel (task);
  g_assert_true (cothread_task_is_cancelled (task));
  run_until_no_task_is_left ();
  assert_said ("a-ok a-ok end a-cancelled");
}

static void
sections_nest (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", clean_up_shielded, GUINT_TO_POINTER (255));

  settle ();
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("a-ok a-ok end a-cancelled");
}

static gpointer
fail_then_clean_up (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  sleep_and_say (COTHREAD_FOREVER);
  {
    g_autoptr (CothreadShield) shield = cothread_shield_new ();

    g_assert_nonnull (shield);
    sleep_and_say (1 * MS);
    g_assert_true (cothread_yield (NULL));
    g_assert_true (cothread_checkpoint (NULL));
  }
  g_assert_false (cothread_checkpoint (NULL));
  sleep_and_say (1 * MS);
  return NULL;
}

static void
a_cancelled_task_can_wait_in_its_clean_up (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", fail_then_clean_up, NULL);

  settle ();
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("a-cancelled a-ok a-cancelled");
}

static gpointer
time_out_shielded (gpointer event, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (CothreadShield) shield = cothread_shield_new ();
  g_autoptr (GError) error = NULL;
  gboolean success;

  cothread_task_cancel (cothread_task_self ());
  success = cothread_event_wait (event, 1 * MS, &error);
  say_outcome (success, &error);
  return NULL;
}

static void
a_timeout_reaches_a_shielded_wait (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);

  start ("a", time_out_shielded, event);
  run_until_no_task_is_left ();
  assert_said ("a-timeout");
}

static gpointer
end_without_beginning (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_shield_end ();
  g_test_assert_expected_messages ();
  return NULL;
}

static void
an_end_without_beginning_is_a_critical (void)
{
  expect_critical ("*shield_depth > 0*");
  start ("a", end_without_beginning, NULL);
  run_until_no_task_is_left ();
}

static gpointer
begin_without_end (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  cothread_shield_begin ();
  return NULL;
}

static void
a_task_that_ends_in_a_section_is_a_critical (void)
{
  expect_critical ("*Task a ended inside a shielded section*");
  start ("a", begin_without_end, NULL);
  run_until_no_task_is_left ();
  g_test_assert_expected_messages ();
}

static gpointer
begin_too_often (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  for (guint i = 0; i < 255; i++)
    cothread_shield_begin ();
  expect_critical ("*shield_depth < *");
  cothread_shield_begin ();
  g_test_assert_expected_messages ();
  for (guint i = 0; i < 255; i++)
    cothread_shield_end ();
  cothread_task_cancel (cothread_task_self ());
  sleep_and_say (0);
  return NULL;
}

static void
too_deep_a_section_is_a_critical_and_changes_nothing (void)
{
  start ("a", begin_too_often, NULL);
  run_until_no_task_is_left ();
  assert_said ("a-cancelled");
}

static void
outside_any_task_nothing_happens (void)
{
  g_autoptr (CothreadShield) shield = cothread_shield_new ();

  g_assert_null (shield);
  cothread_shield_begin ();
  sleep_and_say (0);
  cothread_shield_end ();
  cothread_shield_end ();
  assert_said ("main-ok");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/shield/cancellation-waits-for-the-end", cancellation_waits_for_the_end_of_the_section);
  sync_test_add ("/shield/sections-nest", sections_nest);
  sync_test_add ("/shield/clean-up-can-wait", a_cancelled_task_can_wait_in_its_clean_up);
  sync_test_add ("/shield/timeout-gets-through", a_timeout_reaches_a_shielded_wait);
  sync_test_add ("/shield/end-without-beginning", an_end_without_beginning_is_a_critical);
  sync_test_add ("/shield/task-ends-in-a-section", a_task_that_ends_in_a_section_is_a_critical);
  sync_test_add ("/shield/too-deep", too_deep_a_section_is_a_critical_and_changes_nothing);
  sync_test_add ("/shield/outside-any-task", outside_any_task_nothing_happens);
  return g_test_run ();
}
