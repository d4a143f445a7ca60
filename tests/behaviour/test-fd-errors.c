/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Descriptors that are closed, were never open, or never become ready; run with
 * each poller (COTHREAD_POLLER). */

static guint
count_descriptor_waits (void)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());

  return statistics->descriptors;
}

/* One that nobody is given again for a while. */
static gint
make_closed_descriptor (void)
{
  gint ends[2], closed;

  make_pipe (ends);
  closed = fcntl (ends[0], F_DUPFD_CLOEXEC, 500);
  g_assert_cmpint (closed, >=, 500);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
  g_close (closed, NULL);
  return closed;
}

static gpointer
expect_error (gpointer fd, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_cmpint (cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, &failure), ==, 0);
  g_assert_nonnull (failure);
  g_assert_true (failure->domain == G_IO_ERROR);
  g_assert_nonnull (strstr (failure->message, g_strerror (EBADF)));
  say ("refused");
  return NULL;
}

static void
test_a_closed_descriptor_is_an_error (void)
{
  start ("task", expect_error, GINT_TO_POINTER (make_closed_descriptor ()));
  settle ();

  assert_said ("refused");
  g_assert_cmpuint (count_descriptor_waits (), ==, 0);
}

static void
test_a_number_that_is_no_descriptor_is_an_error (void)
{
  const gint never[] = { -1, G_MININT, 100000, G_MAXINT };

  for (guint i = 0; i < G_N_ELEMENTS (never); i++)
    {
      start ("task", expect_error, GINT_TO_POINTER (never[i]));
      settle ();
      assert_said ("refused");
    }
}

static gpointer
poll_with_one_closed (gpointer data, G_GNUC_UNUSED GError **error)
{
  gint *ends = data;
  GPollFD fds[] = { { ends[0], G_IO_IN, 0 }, { make_closed_descriptor (), G_IO_IN, 0 }, { ends[1], G_IO_OUT, 0 } };
  g_autoptr (GError) failure = NULL;

  g_assert_cmpint (cothread_poll_list (fds, G_N_ELEMENTS (fds), COTHREAD_FOREVER, &failure), ==, -1);
  g_assert_nonnull (failure);
  g_assert_true (failure->domain == G_IO_ERROR);
  say ("refused");
  return NULL;
}

static void
test_one_closed_descriptor_in_a_list_is_an_error_and_leaves_nothing_behind (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("task", poll_with_one_closed, ends);
  settle ();

  assert_said ("refused");
  g_assert_cmpuint (count_descriptor_waits (), ==, 0);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static gpointer
wait_briefly (gpointer fd, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;
  GIOCondition condition = cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, 100 * MS, &failure);

  if (condition == 0)
    say (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? "timed-out" : "error");
  else
    say ((condition & G_IO_NVAL) != 0 ? "nval" : "ready");
  return NULL;
}

static void
test_a_timeout_leaves_nothing_behind (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("task", wait_briefly, GINT_TO_POINTER (ends[0]));
  run_until_no_task_is_left ();

  assert_said ("timed-out");
  g_assert_cmpuint (count_descriptor_waits (), ==, 0);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  settle ();
  g_assert_false (g_main_context_iteration (g_main_context_get_thread_default (), FALSE));
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static gpointer
wait_for_ever (gpointer fd, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_cmpint (cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, &failure), ==, 0);
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  say ("cancelled");
  return NULL;
}

static void
test_a_cancellation_leaves_nothing_behind_and_the_other_waiter_waiting (void)
{
  gint ends[2];
  g_autoptr (CothreadTask) task = NULL;
  g_autoptr (CothreadTask) other = NULL;

  make_pipe (ends);
  task = spawn ("task", wait_for_ever, GINT_TO_POINTER (ends[0]));
  other = spawn ("other", wait_for_ever, GINT_TO_POINTER (ends[0]));
  settle ();
  cothread_task_cancel (task);
  settle ();
  assert_said ("cancelled");
  g_assert_cmpuint (count_descriptor_waits (), ==, 1);
  cothread_task_cancel (other);
  settle ();

  assert_said ("cancelled");
  g_assert_cmpuint (count_descriptor_waits (), ==, 0);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static gpointer
wait_for_a_byte (gpointer fd, GError **error)
{
  g_assert_cmpint (cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error), ==, G_IO_IN);
  say ("ready");
  return NULL;
}

static void
test_a_number_that_was_given_to_another_file_is_waited_for_anew (void)
{
  gint ends[2], others[2];

  make_pipe (ends);
  make_pipe (others);
  start ("task", wait_briefly, GINT_TO_POINTER (ends[0]));
  run_until_no_task_is_left ();
  assert_said ("timed-out");
  g_assert_cmpint (dup2 (others[0], ends[0]), ==, ends[0]);
  start ("task", wait_for_a_byte, GINT_TO_POINTER (ends[0]));
  settle ();
  g_assert_cmpint (write (others[1], "x", 1), ==, 1);
  run_until_no_task_is_left ();

  assert_said ("ready");
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
  g_close (others[0], NULL);
  g_close (others[1], NULL);
}

static void
test_one_closed_while_it_is_waited_for_ends_the_wait_at_the_latest_at_its_timeout (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("task", wait_briefly, GINT_TO_POINTER (ends[0]));
  settle ();
  g_close (ends[0], NULL);
  run_until_no_task_is_left ();

  /* The kernel takes a closed descriptor out of an epoll set without a word, but
   * the wait looks once more when its time is up. */
  assert_said ("nval");
  g_assert_cmpuint (count_descriptor_waits (), ==, 0);
  g_close (ends[1], NULL);
}

static gpointer
wait_for_a_regular_file (gpointer fd, GError **error)
{
  guint64 before = own_switches ();

  start ("bystander", say_own_name, NULL);
  g_assert_cmpint (cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error), ==, G_IO_IN);
  g_assert_cmpuint (own_switches (), ==, before);
  say ("ready");
  return NULL;
}

static gpointer
poll_a_regular_file_and_a_pipe (gpointer data, GError **error)
{
  gint *fds = data;
  GPollFD list[] = { { fds[1], G_IO_IN, 0 }, { fds[0], G_IO_IN, 0 } };

  g_assert_cmpint (cothread_poll_list (list, 2, COTHREAD_FOREVER, error), ==, 1);
  g_assert_cmpint (list[0].revents, ==, 0);
  g_assert_cmpint (list[1].revents, ==, G_IO_IN);
  say ("ready");
  return NULL;
}

static void
test_a_regular_file_is_always_ready (void)
{
  gint file = g_open ("/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
  gint ends[2];
  gint fds[2];

  make_pipe (ends);
  fds[0] = file;
  fds[1] = ends[0];
  start ("task", wait_for_a_regular_file, GINT_TO_POINTER (file));
  run_until_no_task_is_left ();
  assert_said ("ready bystander");
  start ("task", poll_a_regular_file_and_a_pipe, fds);
  run_until_no_task_is_left ();

  assert_said ("ready");
  g_assert_cmpuint (count_descriptor_waits (), ==, 0);
  g_close (file, NULL);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/io/fd/errors/a-closed-one-is-an-error", test_a_closed_descriptor_is_an_error);
  behaviour_add_isolated ("/io/fd/errors/a-number-that-is-none-is-an-error", test_a_number_that_is_no_descriptor_is_an_error);
  behaviour_add_virtual ("/io/fd/errors/a-closed-one-in-a-list-is-an-error-and-leaves-nothing-behind",
                 test_one_closed_descriptor_in_a_list_is_an_error_and_leaves_nothing_behind);
  behaviour_add_virtual ("/io/fd/errors/a-timeout-leaves-nothing-behind", test_a_timeout_leaves_nothing_behind);
  behaviour_add_virtual ("/io/fd/errors/a-cancellation-leaves-nothing-behind-and-the-other-waiter-waiting",
                 test_a_cancellation_leaves_nothing_behind_and_the_other_waiter_waiting);
  behaviour_add_virtual ("/io/fd/errors/a-number-given-to-another-file-is-waited-for-anew",
                 test_a_number_that_was_given_to_another_file_is_waited_for_anew);
  behaviour_add_virtual ("/io/fd/errors/one-closed-while-waited-for-ends-the-wait-at-the-latest-at-its-timeout",
                 test_one_closed_while_it_is_waited_for_ends_the_wait_at_the_latest_at_its_timeout);
  behaviour_add_isolated ("/io/fd/errors/a-regular-file-is-always-ready", test_a_regular_file_is_always_ready);
  return g_test_run ();
}
