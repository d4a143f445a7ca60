/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waiting for descriptors; run with each poller (COTHREAD_POLLER). */

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

static void
read_byte (gint fd)
{
  char byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
}

static void
say_condition (GIOCondition condition)
{
  say ("%s:%s%s%s%s", own_name (), (condition & G_IO_IN) != 0 ? "in" : "", (condition & G_IO_OUT) != 0 ? "out" : "",
       (condition & G_IO_HUP) != 0 ? "hup" : "", (condition & (G_IO_ERR | G_IO_NVAL)) != 0 ? "err" : "");
}

static guint
count_descriptor_waits (void)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());

  return statistics->descriptors;
}

static gpointer
read_one (gpointer fd, GError **error)
{
  GIOCondition condition = cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error);

  say_condition (condition);
  if ((condition & G_IO_IN) != 0)
    read_byte (GPOINTER_TO_INT (fd));
  return NULL;
}

static void
run_until_parked (void)
{
  g_assert_true (cothread_sleep (50 * MS, NULL));
}

static void
test_a_reader_wakes_when_there_is_something_to_read (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("reader", read_one, GINT_TO_POINTER (ends[0]));
  run_until_parked ();
  assert_said ("");
  g_assert_cmpuint (count_descriptor_waits (), ==, 1);
  write_bytes (ends[1], 1);
  run_until_no_task_is_left ();

  assert_said ("reader:in");
  g_assert_cmpuint (count_descriptor_waits (), ==, 0);
  close_both (ends);
}

static void
test_what_was_readable_before_is_noticed (void)
{
  gint ends[2];

  make_pipe (ends);
  write_bytes (ends[1], 1);
  start ("reader", read_one, GINT_TO_POINTER (ends[0]));
  run_until_no_task_is_left ();

  assert_said ("reader:in");
  close_both (ends);
}

/* Reads until there is no more before it waits again. */
static gpointer
read_all (gpointer fd, GError **error)
{
  GIOCondition condition = cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error);
  guint n_bytes = 0;
  char byte;

  for (;;)
    {
      while (read (GPOINTER_TO_INT (fd), &byte, 1) == 1)
        n_bytes++;
      if ((condition & G_IO_HUP) != 0)
        break;
      condition = cothread_wait_fd_again (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error);
    }
  say ("%u", n_bytes);
  return NULL;
}

static gpointer
write_a_hundred (gpointer fd, GError **error)
{
  for (guint i = 0; i < 100; i++)
    {
      write_bytes (GPOINTER_TO_INT (fd), 1 + i % 3);
      if (i % 2 == 0)
        cothread_yield (error);
      if (i % 7 == 0)
        cothread_sleep (0, error);
    }
  g_close (GPOINTER_TO_INT (fd), NULL);
  return NULL;
}

static void
test_who_drains_a_descriptor_and_waits_again_misses_nothing (void)
{
  gint ends[2];

  make_socket_pair (ends);
  start ("reader", read_all, GINT_TO_POINTER (ends[0]));
  start ("writer", write_a_hundred, GINT_TO_POINTER (ends[1]));
  run_until_no_task_is_left ();

  assert_said ("199");
  g_assert_cmpuint (count_descriptor_waits (), ==, 0);
  g_close (ends[0], NULL);
}

static gpointer
write_one (gpointer fd, GError **error)
{
  say_condition (cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_OUT, COTHREAD_FOREVER, error));
  return NULL;
}

static void
test_a_writer_wakes_when_there_is_room (void)
{
  gint ends[2];
  char buffer[4096] = { 0 };

  make_socket_pair (ends);
  while (write (ends[0], buffer, sizeof buffer) > 0)
    ;
  start ("writer", write_one, GINT_TO_POINTER (ends[0]));
  run_until_parked ();
  assert_said ("");
  while (read (ends[1], buffer, sizeof buffer) > 0)
    ;
  run_until_no_task_is_left ();

  assert_said ("writer:out");
  close_both (ends);
}

static void
test_a_reader_and_a_writer_share_a_socket (void)
{
  gint ends[2];

  make_socket_pair (ends);
  start ("reader", read_one, GINT_TO_POINTER (ends[0]));
  start ("writer", write_one, GINT_TO_POINTER (ends[0]));
  run_until_parked ();
  assert_said ("writer:out");
  write_bytes (ends[1], 1);
  run_until_no_task_is_left ();

  assert_said ("reader:in");
  close_both (ends);
}

static void
test_of_two_readers_one_is_woken_and_the_other_stays (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("a", read_one, GINT_TO_POINTER (ends[0]));
  start ("b", read_one, GINT_TO_POINTER (ends[0]));
  run_until_parked ();
  write_bytes (ends[1], 1);
  run_until_parked ();
  assert_said ("a:in");
  write_bytes (ends[1], 1);
  run_until_no_task_is_left ();

  assert_said ("b:in");
  close_both (ends);
}

static void
test_what_one_reader_leaves_wakes_the_next (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("a", read_one, GINT_TO_POINTER (ends[0]));
  start ("b", read_one, GINT_TO_POINTER (ends[0]));
  run_until_parked ();
  write_bytes (ends[1], 2);
  run_until_no_task_is_left ();

  assert_said ("a:in b:in");
  close_both (ends);
}

static void
test_a_hang_up_wakes_everybody (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("a", read_one, GINT_TO_POINTER (ends[0]));
  start ("b", read_one, GINT_TO_POINTER (ends[0]));
  start ("c", read_one, GINT_TO_POINTER (ends[0]));
  run_until_parked ();
  g_close (ends[1], NULL);
  run_until_no_task_is_left ();

  assert_said ("a:hup b:hup c:hup");
  g_close (ends[0], NULL);
}

static gpointer
wait_for_nothing_but_trouble (gpointer fd, GError **error)
{
  say_condition (cothread_wait_fd (GPOINTER_TO_INT (fd), 0, COTHREAD_FOREVER, error));
  return NULL;
}

static void
test_a_hang_up_wakes_who_asked_for_nothing_else (void)
{
  gint ends[2];

  make_pipe (ends);
  start ("a", wait_for_nothing_but_trouble, GINT_TO_POINTER (ends[0]));
  settle ();
  g_close (ends[1], NULL);
  run_until_no_task_is_left ();

  assert_said ("a:hup");
  g_close (ends[0], NULL);
}

static void
test_the_poller_is_the_one_that_was_asked_for (void)
{
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  CothreadSpawnOptions options = { .scheduler = scheduler };
  gint ends[2];

  make_pipe (ends);
  cothread_task_unref (cothread_spawn_full (wait_for_nothing_but_trouble, GINT_TO_POINTER (ends[0]), &options, NULL));
  cothread_task_unref (cothread_spawn_full (read_one, GINT_TO_POINTER (ends[0]), &options, NULL));
  g_assert_true (cothread_scheduler_poll (scheduler, NULL, 0, wanted, NULL, NULL));

  /* With epoll only its own; otherwise the pipe, and the one that wakes it. */
  g_assert_cmpuint (wanted->len, ==, g_strcmp0 (g_getenv ("COTHREAD_POLLER"), "poll") == 0 ? 2 : 1);
  g_close (ends[1], NULL);
  while (cothread_scheduler_poll (scheduler, (GPollFD *) (void *) wanted->data, wanted->len, wanted, NULL, NULL) &&
         g_poll ((GPollFD *) (void *) wanted->data, wanted->len, 0) > 0)
    ;
  assert_said ("task:hup task:hup");
  g_close (ends[0], NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_virtual ("/io/fd/a-reader-wakes-when-there-is-something-to-read", test_a_reader_wakes_when_there_is_something_to_read);
  behaviour_add_virtual ("/io/fd/what-was-readable-before-is-noticed", test_what_was_readable_before_is_noticed);
  behaviour_add_virtual ("/io/fd/a-writer-wakes-when-there-is-room", test_a_writer_wakes_when_there_is_room);
  behaviour_add_virtual ("/io/fd/a-reader-and-a-writer-share-a-socket", test_a_reader_and_a_writer_share_a_socket);
  behaviour_add_virtual ("/io/fd/of-two-readers-one-is-woken-and-the-other-stays", test_of_two_readers_one_is_woken_and_the_other_stays);
  behaviour_add_virtual ("/io/fd/what-one-reader-leaves-wakes-the-next", test_what_one_reader_leaves_wakes_the_next);
  behaviour_add_virtual ("/io/fd/a-hang-up-wakes-everybody", test_a_hang_up_wakes_everybody);
  behaviour_add_isolated ("/io/fd/a-hang-up-wakes-who-asked-for-nothing-else", test_a_hang_up_wakes_who_asked_for_nothing_else);
  behaviour_add_virtual ("/io/fd/the-poller-is-the-one-that-was-asked-for", test_the_poller_is_the_one_that_was_asked_for);
  behaviour_add_virtual ("/io/fd/who-drains-one-and-waits-again-misses-nothing", test_who_drains_a_descriptor_and_waits_again_misses_nothing);
  return g_test_run ();
}
