/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib/gstdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waiting for several descriptors at once; run with each poller
 * (COTHREAD_POLLER). */

static void
make_socket_pair (gint ends[2])
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==, 0);
}

static void
close_both (gint ends[2])
{
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
write_bytes (gint fd, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (write (fd, "x", 1), ==, 1);
}

#define MANY 40

static gpointer
poll_many (gpointer data, GError **error)
{
  gint (*pipes)[2] = data;
  GPollFD fds[MANY];

  for (guint i = 0; i < MANY; i++)
    fds[i] = (GPollFD) { pipes[i][0], G_IO_IN, 0xffff };
  say ("%d", cothread_poll_list (fds, MANY, COTHREAD_FOREVER, error));
  for (guint i = 0; i < MANY; i++)
    {
      g_assert_cmpint (fds[i].fd, ==, pipes[i][0]);
      g_assert_cmpint (fds[i].revents, ==, i % 10 == 3 ? G_IO_IN : 0);
    }
  return NULL;
}

static void
test_a_list_tells_all_that_are_ready (void)
{
  gint pipes[MANY][2];

  for (guint i = 0; i < MANY; i++)
    make_pipe (pipes[i]);
  start ("task", poll_many, pipes);
  settle ();
  assert_said ("");
  for (guint i = 3; i < MANY; i += 10)
    write_bytes (pipes[i][1], 1);
  run_until_no_task_is_left ();

  assert_said ("4");
  for (guint i = 0; i < MANY; i++)
    close_both (pipes[i]);
}

static gpointer
poll_one_twice (gpointer fd, GError **error)
{
  GPollFD fds[] = { { GPOINTER_TO_INT (fd), G_IO_IN, 0 }, { GPOINTER_TO_INT (fd), G_IO_OUT, 0 } };

  say ("%d", cothread_poll_list (fds, 2, COTHREAD_FOREVER, error));
  g_assert_cmpint (fds[0].revents, ==, G_IO_IN);
  g_assert_cmpint (fds[1].revents, ==, G_IO_OUT);
  return NULL;
}

static void
test_a_list_may_name_a_descriptor_twice (void)
{
  gint ends[2];

  make_socket_pair (ends);
  write_bytes (ends[1], 1);
  start ("task", poll_one_twice, GINT_TO_POINTER (ends[0]));
  run_until_no_task_is_left ();

  assert_said ("2");
  close_both (ends);
}

static gpointer
poll_briefly (gpointer data, G_GNUC_UNUSED GError **error)
{
  gint *ends = data;
  GPollFD fds[] = { { ends[0], G_IO_IN, 0xffff }, { ends[1], G_IO_IN, 0xffff } };
  g_autoptr (GError) failure = NULL;

  g_assert_cmpint (cothread_poll_list (fds, 2, MS, &failure), ==, -1);
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  say ("timed-out");
  return NULL;
}

static void
test_a_list_times_out_as_a_whole (void)
{
  gint ends[2];

  make_socket_pair (ends);
  start ("task", poll_briefly, ends);
  run_until_no_task_is_left ();

  assert_said ("timed-out");
  close_both (ends);
}

static gpointer
read_one (gpointer fd, GError **error)
{
  char byte;

  g_assert_cmpint (cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error), ==, G_IO_IN);
  g_assert_cmpint (read (GPOINTER_TO_INT (fd), &byte, 1), ==, 1);
  say ("%s", own_name ());
  return NULL;
}

static gpointer
poll_both (gpointer data, GError **error)
{
  gint *pipes = data;
  GPollFD fds[] = { { pipes[0], G_IO_IN, 0 }, { pipes[1], G_IO_IN, 0 } };
  gint n = cothread_poll_list (fds, 2, COTHREAD_FOREVER, error);

  say ("%s:%d:%d%d", own_name (), n, fds[0].revents, fds[1].revents);
  return NULL;
}

static void
test_who_was_woken_by_one_descriptor_leaves_the_other_to_the_next_in_line (void)
{
  gint first[2], second[2], pipes[2];

  make_pipe (first);
  make_pipe (second);
  pipes[0] = first[0];
  pipes[1] = second[0];
  start ("list", poll_both, pipes);
  start ("reader", read_one, GINT_TO_POINTER (second[0]));
  settle ();
  write_bytes (first[1], 1);
  g_assert_true (cothread_sleep (50 * MS, NULL));
  assert_said ("list:1:10");
  write_bytes (second[1], 1);
  run_until_no_task_is_left ();

  assert_said ("reader");
  close_both (first);
  close_both (second);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/io/fd/list/tells-all-that-are-ready", test_a_list_tells_all_that_are_ready);
  behaviour_add_virtual ("/io/fd/list/may-name-a-descriptor-twice", test_a_list_may_name_a_descriptor_twice);
  behaviour_add_virtual ("/io/fd/list/times-out-as-a-whole", test_a_list_times_out_as_a_whole);
  behaviour_add_virtual ("/io/fd/list/who-was-woken-by-one-descriptor-leaves-the-other-to-the-next-in-line",
                 test_who_was_woken_by_one_descriptor_leaves_the_other_to_the_next_in_line);
  return g_test_run ();
}
