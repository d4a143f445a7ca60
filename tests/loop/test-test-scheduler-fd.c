/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Descriptors that are pretended, and real ones beside them. The numbers are
 * far beyond any that a test has open. */

#define FD 5000

static void
say_condition (GIOCondition condition, GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the test is over */
  if (error != NULL)
    say ("%s-%s", own_name (), g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? "timeout" : "failed");
  else
    say ("%s%s%s%s%s", own_name (), (condition & G_IO_IN) != 0 ? "-in" : "", (condition & G_IO_OUT) != 0 ? "-out" : "",
         (condition & G_IO_HUP) != 0 ? "-hup" : "", (condition & (G_IO_ERR | G_IO_NVAL)) != 0 ? "-err" : "");
}

static gpointer
wait_for_input (gpointer fd, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  GIOCondition condition = cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, &error);

  say_condition (condition, &error);
  return NULL;
}

static gpointer
wait_a_second_for_output (gpointer fd, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;
  GIOCondition condition = cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_OUT, 1000 * MS, &error);

  say_condition (condition, &error);
  return NULL;
}

static void
pretend (gint fd, GIOCondition condition)
{
  cothread_test_scheduler_set_ready (test_scheduler (), fd, condition);
}

static void
a_pretended_descriptor_becomes_ready_when_told (void)
{
  pretend (FD, 0);
  start ("a", wait_for_input, GINT_TO_POINTER (FD));
  settle ();
  assert_said ("");
  pretend (FD, G_IO_OUT);
  settle ();
  assert_said (""); /* not what is waited for */
  pretend (FD, G_IO_IN | G_IO_OUT);
  settle ();
  assert_said ("a-in");
}

static void
one_that_is_ready_already_ends_the_wait (void)
{
  pretend (FD, G_IO_IN);
  for (guint i = 0; i < 3; i++) /* it stays ready */
    {
      start ("a", wait_for_input, GINT_TO_POINTER (FD));
      settle ();
      assert_said ("a-in");
    }
  pretend (FD, 0);
  start ("a", wait_for_input, GINT_TO_POINTER (FD));
  settle ();
  assert_said ("");
}

static void
each_task_that_waits_is_told (void)
{
  pretend (FD, 0);
  start ("a", wait_for_input, GINT_TO_POINTER (FD));
  start ("b", wait_for_input, GINT_TO_POINTER (FD));
  start ("c", wait_a_second_for_output, GINT_TO_POINTER (FD));
  settle ();
  pretend (FD, G_IO_IN);
  settle ();
  assert_said ("a-in b-in");
  g_assert_true (cothread_sleep (2000 * MS, NULL));
  assert_said ("c-timeout");
}

static gpointer
wait_again (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpint (cothread_wait_fd_again (FD, G_IO_IN, COTHREAD_FOREVER, NULL), ==, G_IO_IN);
      say ("%u", i);
    }
  return NULL;
}

/* Nobody reads it empty, so there are no edges to wait for. */
static void
waiting_again_sees_that_it_is_still_ready (void)
{
  pretend (FD, 0);
  start ("a", wait_again, NULL);
  settle ();
  assert_said ("");
  pretend (FD, G_IO_IN);
  settle ();
  assert_said ("0 1 2");
}

static void
errors_and_hang_ups_are_told_unasked (void)
{
  pretend (FD, 0);
  start ("a", wait_for_input, GINT_TO_POINTER (FD));
  start ("b", wait_a_second_for_output, GINT_TO_POINTER (FD));
  settle ();
  pretend (FD, G_IO_HUP | G_IO_ERR);
  settle ();
  assert_said ("a-hup-err b-hup-err");
}

static void
a_closed_one_fails_the_next_wait (void)
{
  pretend (FD, 0);
  start ("a", wait_for_input, GINT_TO_POINTER (FD));
  settle ();
  pretend (FD, G_IO_NVAL);
  settle ();
  assert_said ("a-err");
  start ("b", wait_for_input, GINT_TO_POINTER (FD));
  start ("c", wait_for_input, GINT_TO_POINTER (FD + 1)); /* never mentioned, and not open */
  settle ();
  assert_said ("b-failed c-failed");
}

static gpointer
wait_for_several (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  GPollFD fds[] = { { FD, G_IO_IN, 0 }, { FD + 1, G_IO_OUT, 0 }, { FD + 2, G_IO_IN, 0 } };
  g_autoptr (GError) error = NULL;
  gint n = cothread_poll_list (fds, G_N_ELEMENTS (fds), COTHREAD_FOREVER, &error);

  g_assert_no_error (error);
  say ("%d:%x,%x,%x", n, fds[0].revents, fds[1].revents, fds[2].revents);
  return NULL;
}

static void
a_list_of_them_tells_all_that_are_ready (void)
{
  for (gint i = 0; i < 3; i++)
    pretend (FD + i, 0);
  start ("a", wait_for_several, NULL);
  settle ();
  pretend (FD, G_IO_IN);
  pretend (FD + 1, G_IO_OUT | G_IO_IN);
  settle ();
  assert_said ("2:1,4,0");
}

static void
wait_any_takes_one (void)
{
  CothreadWaitItem items[] = {
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = FD, .condition = G_IO_IN },
    { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = FD + 1, .condition = G_IO_IN },
  };
  guint which;

  pretend (FD, 0);
  pretend (FD + 1, G_IO_IN);
  g_assert_true (cothread_wait_any (items, 2, COTHREAD_FOREVER, &which, NULL));
  g_assert_cmpuint (which, ==, 1);
  g_assert_cmpint (items[1].happened, ==, G_IO_IN);
}

static void
nobody_to_make_it_ready_is_a_deadlock (void)
{
  g_autoptr (GError) error = NULL;

  pretend (FD, 0);
  g_assert_cmpint (cothread_wait_fd (FD, G_IO_IN, COTHREAD_FOREVER, &error), ==, 0);
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_DEADLOCK);
}

static gpointer
write_after_an_hour (gpointer fd, G_GNUC_UNUSED GError **error)
{
  g_assert_true (cothread_sleep (3600 * 1000 * MS, NULL));
  g_assert_cmpint (write (GPOINTER_TO_INT (fd), "x", 1), ==, 1);
  return NULL;
}

static void
real_ones_work_beside_them (void)
{
  gint ends[2];

  g_assert_true (g_unix_open_pipe (ends, FD_CLOEXEC, NULL));
  pretend (FD, G_IO_IN);
  start ("real", wait_for_input, GINT_TO_POINTER (ends[0]));
  start ("pretended", wait_for_input, GINT_TO_POINTER (FD));
  start ("writer", write_after_an_hour, GINT_TO_POINTER (ends[1]));
  run_until_no_task_is_left ();
  assert_said ("pretended-in real-in");
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
a_real_one_can_be_taken_over_while_somebody_waits (void)
{
  gint ends[2];

  g_assert_true (g_unix_open_pipe (ends, FD_CLOEXEC, NULL));
  start ("a", wait_for_input, GINT_TO_POINTER (ends[0]));
  settle ();
  pretend (ends[0], 0);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  settle ();
  assert_said ("");
  pretend (ends[0], G_IO_IN);
  settle ();
  assert_said ("a-in");
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
numbers_beyond_the_limit_are_refused (void)
{
  expect_critical ("*fd >= 0*");
  pretend (-1, G_IO_IN);
  expect_critical ("*fd >= 0*");
  pretend (65536, G_IO_IN);
  g_test_assert_expected_messages ();
  pretend (65535, G_IO_IN);
  start ("a", wait_for_input, GINT_TO_POINTER (65535));
  settle ();
  assert_said ("a-in");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/test-scheduler-fd/becomes-ready", a_pretended_descriptor_becomes_ready_when_told);
  sync_test_add ("/test-scheduler-fd/ready-already", one_that_is_ready_already_ends_the_wait);
  sync_test_add ("/test-scheduler-fd/each-task", each_task_that_waits_is_told);
  sync_test_add ("/test-scheduler-fd/again", waiting_again_sees_that_it_is_still_ready);
  sync_test_add ("/test-scheduler-fd/errors", errors_and_hang_ups_are_told_unasked);
  sync_test_add ("/test-scheduler-fd/closed", a_closed_one_fails_the_next_wait);
  sync_test_add ("/test-scheduler-fd/list", a_list_of_them_tells_all_that_are_ready);
  sync_test_add ("/test-scheduler-fd/wait-any", wait_any_takes_one);
  sync_test_add ("/test-scheduler-fd/deadlock", nobody_to_make_it_ready_is_a_deadlock);
  sync_test_add ("/test-scheduler-fd/real", real_ones_work_beside_them);
  sync_test_add ("/test-scheduler-fd/taken-over", a_real_one_can_be_taken_over_while_somebody_waits);
  sync_test_add ("/test-scheduler-fd/limit", numbers_beyond_the_limit_are_refused);
  return g_test_run ();
}
