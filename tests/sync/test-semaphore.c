/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

static CothreadSemaphore *semaphore;
static guint n_inside;
static guint most_inside;
static gint64 hold_us = 1 * MS;

static gpointer
work (gpointer timeout_us, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_semaphore_acquire (semaphore, GPOINTER_TO_INT (timeout_us), &error);

  say_outcome (success, &error);
  if (!success)
    return NULL;
  n_inside++;
  most_inside = MAX (most_inside, n_inside);
  cothread_sleep (hold_us, NULL);
  n_inside--;
  cothread_semaphore_release (semaphore);
  return NULL;
}

#define FOREVER GINT_TO_POINTER (COTHREAD_FOREVER)

static void
no_more_than_its_permits_get_in (void)
{
  semaphore = cothread_semaphore_new (2, 2);
  most_inside = 0;
  for (guint i = 0; i < 7; i++)
    start ("a", work, FOREVER);
  run_until_no_task_is_left ();
  assert_said ("a-ok a-ok a-ok a-ok a-ok a-ok a-ok");
  g_assert_cmpuint (most_inside, ==, 2);
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 2);
  g_assert_finalize_object (semaphore);
}

static void
a_permit_goes_to_who_waits_longest (void)
{
  semaphore = cothread_semaphore_new (0, 0);
  g_assert_cmpuint (cothread_semaphore_get_maximum (semaphore), ==, G_MAXUINT);
  start ("a", work, FOREVER);
  start ("b", work, FOREVER);
  settle ();
  assert_said ("");
  cothread_semaphore_release (semaphore);
  /* Not for somebody who comes before that task runs. */
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 0);
  run_until_no_task_is_left ();
  assert_said ("a-ok b-ok");
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 1);
  g_assert_finalize_object (semaphore);
}

static void
timeouts_take_no_permit (void)
{
  hold_us = 50 * MS;
  semaphore = cothread_semaphore_new (1, 1);
  start ("a", work, FOREVER);
  start ("b", work, GINT_TO_POINTER (20 * MS));
  start ("c", work, GINT_TO_POINTER (0));
  start ("d", work, FOREVER);
  run_until_no_task_is_left ();
  assert_said ("a-ok c-timeout b-timeout d-ok");
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 1);
  g_assert_finalize_object (semaphore);
}

static gpointer
cancel_and_release (gpointer victims, G_GNUC_UNUSED GError **error)
{
  CothreadTask **tasks = victims;

  cothread_task_cancel (tasks[0]);        /* before the grant: leaves the line */
  cothread_semaphore_release (semaphore); /* to the second */
  cothread_task_cancel (tasks[1]);        /* after: it has the permit */
  return NULL;
}

static void
cancellation_loses_no_permit (void)
{
  CothreadTask *tasks[2];

  semaphore = cothread_semaphore_new (0, 1);
  tasks[0] = spawn ("a", work, FOREVER);
  tasks[1] = spawn ("b", work, FOREVER);
  start ("c", work, FOREVER);
  settle ();
  start ("d", cancel_and_release, tasks);
  run_until_no_task_is_left ();
  assert_said ("a-cancelled b-ok c-ok");
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 1);
  cothread_task_unref (tasks[0]);
  cothread_task_unref (tasks[1]);
  g_assert_finalize_object (semaphore);
}

static void
too_many_permits_are_a_critical (void)
{
  semaphore = cothread_semaphore_new (1, 1);
  expect_critical ("*all its 1 permits*");
  cothread_semaphore_release (semaphore);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (cothread_semaphore_get_available (semaphore), ==, 1);
  g_assert_finalize_object (semaphore);

  expect_critical ("*available <= maximum*");
  g_assert_null (cothread_semaphore_new (2, 1));
  g_test_assert_expected_messages ();
}

static void
bad_arguments_are_criticals (void)
{
  semaphore = cothread_semaphore_new (0, 0);
  expect_critical ("*IS_SEMAPHORE*");
  g_assert_false (cothread_semaphore_acquire (NULL, 0, NULL));
  expect_critical ("*timeout_us*");
  g_assert_false (cothread_semaphore_acquire (semaphore, -2, NULL));
  expect_critical ("*IS_SEMAPHORE*");
  cothread_semaphore_release (NULL);
  g_test_assert_expected_messages ();
  g_assert_finalize_object (semaphore);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/semaphore/no-more-than-its-permits", no_more_than_its_permits_get_in);
  sync_test_add ("/semaphore/who-waits-longest", a_permit_goes_to_who_waits_longest);
  sync_test_add ("/semaphore/timeouts-take-no-permit", timeouts_take_no_permit);
  sync_test_add ("/semaphore/cancellation-loses-no-permit", cancellation_loses_no_permit);
  sync_test_add ("/semaphore/too-many-permits", too_many_permits_are_a_critical);
  sync_test_add ("/semaphore/bad-arguments", bad_arguments_are_criticals);
  return g_test_run ();
}
