/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Tasks that wait for descriptors, one for each. Several on one, and what goes
 * wrong with descriptors, have files of their own. */

typedef struct
{
  int fd;
  gushort events;
  gint64 timeout_us;
  gushort revents; /* the outcome */
} Wait;

static void
wait_for_data (TestTask *self)
{
  Wait *wait = self->data;

  wait->revents = core_wait_fd (self, wait->fd, wait->events, wait->timeout_us);
  core_say (self, NULL);
}

/* The outcome may be written after the test, when the task is unwound. */
static Wait *
wait_on (CoreFixture *f, const char *name, int fd, gushort events)
{
  static Wait waits[16];
  static guint n;
  Wait *wait = &waits[n++ % G_N_ELEMENTS (waits)];

  *wait = (Wait) { fd, events, 1000, 0 };
  core_spawn (f, name, wait_for_data, wait);
  return wait;
}

static void
send_byte (int fd)
{
  g_assert_cmpint (write (fd, "x", 1), ==, 1);
}

static void
close_both (const int *fds)
{
  close (fds[0]);
  close (fds[1]);
}

/* Whether the surrounding loop would wake now. */
static gboolean
loop_would_wake (CoreFixture *f)
{
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));

  f->scheduler->poller->klass->list (f->scheduler->poller, fds);
  return g_poll ((GPollFD *) (void *) fds->data, fds->len, 0) > 0;
}

static void
test_data_wakes_a_reader (CoreFixture *f)
{
  int fds[2];
  Wait *reader;

  g_assert_cmpint (pipe (fds), ==, 0);
  reader = wait_on (f, "reader", fds[0], POLLIN);
  core_turn (f);
  core_assert_said (f, "");

  send_byte (fds[1]);
  core_turn (f);

  core_assert_said (f, "reader");
  g_assert_cmphex (reader->revents, ==, POLLIN);
  close_both (fds);
}

static void
test_data_that_was_there_before_the_wait_wakes_too (CoreFixture *f)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  send_byte (fds[1]);
  wait_on (f, "reader", fds[0], POLLIN);
  core_turn (f);

  core_turn (f);

  core_assert_said (f, "reader");
  close_both (fds);
}

static void
test_data_left_over_wakes_the_next_wait (CoreFixture *f)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  send_byte (fds[1]);
  for (guint i = 0; i < 3; i++)
    {
      wait_on (f, "reader", fds[0], POLLIN);
      core_turn (f);
      core_turn (f);
    }

  core_assert_said (f, "reader reader reader");
  close_both (fds);
}

static void
test_room_wakes_a_writer (CoreFixture *f)
{
  int fds[2];
  Wait *writer;

  g_assert_cmpint (pipe (fds), ==, 0);
  writer = wait_on (f, "writer", fds[1], POLLOUT);
  core_turn (f);
  core_turn (f);

  core_assert_said (f, "writer");
  g_assert_cmphex (writer->revents, ==, POLLOUT);
  close_both (fds);
}

static void
test_a_timeout_ends_the_wait_and_the_watching (CoreFixture *f)
{
  int fds[2];
  Wait *reader;

  g_assert_cmpint (pipe (fds), ==, 0);
  reader = wait_on (f, "reader", fds[0], POLLIN);
  core_turn (f);
  core_pass (f, 1000);

  core_assert_said (f, "reader");
  g_assert_cmphex (reader->revents, ==, 0);
  send_byte (fds[1]);
  g_assert_false (loop_would_wake (f));
  close_both (fds);
}

static void
test_a_descriptor_nobody_waits_for_any_more_wakes_nobody (CoreFixture *f)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  wait_on (f, "reader", fds[0], POLLIN);
  core_turn (f);
  send_byte (fds[1]);
  core_turn (f);

  g_assert_false (loop_would_wake (f));
  close (fds[1]);
  g_assert_false (loop_would_wake (f));
  close (fds[0]);
}

static void
test_each_of_many_descriptors_wakes_its_own_waiter (CoreFixture *f)
{
  enum { N = 200 };
  int fds[N][2];
  Wait waits[N];

  for (guint i = 0; i < N; i++)
    {
      g_assert_cmpint (pipe (fds[i]), ==, 0);
      waits[i] = (Wait) { fds[i][0], POLLIN, -1, 0 };
      core_spawn (f, i == 150 ? "last" : "other", wait_for_data, &waits[i]);
      core_turn (f);
    }
  g_assert_cmpuint (f->scheduler->poller->n_watches, ==, N);

  send_byte (fds[150][1]);
  core_turn (f);
  core_assert_said (f, "last");

  for (guint i = 0; i < N; i++)
    if (i != 150)
      send_byte (fds[i][1]);
  core_turn (f);
  for (guint i = 0; i < N; i++)
    {
      g_assert_cmphex (waits[i].revents, ==, POLLIN);
      close_both (fds[i]);
    }
  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
}

/* More than a poller asks the system for at once. */
static void
test_six_hundred_that_are_ready_at_once_wake_their_waiters_in_one_turn (CoreFixture *f)
{
  enum { N = 600 };
  static Wait waits[N];

  for (guint i = 0; i < N; i++)
    {
      waits[i] = (Wait) { eventfd (0, EFD_CLOEXEC), POLLIN, -1, 0 };
      g_assert_cmpint (waits[i].fd, >=, 0);
      core_spawn (f, "a", wait_for_data, &waits[i]);
    }
  core_turn (f);
  g_assert_cmpuint (f->scheduler->n_live, ==, N);

  for (guint i = 0; i < N; i++)
    g_assert_cmpint (eventfd_write (waits[i].fd, 1), ==, 0);
  core_turn (f);

  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
  for (guint i = 0; i < N; i++)
    close (waits[i].fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/descriptors/data-wakes-a-reader", test_data_wakes_a_reader);
  core_test_add ("/core/descriptors/data-that-was-there-before-wakes-too", test_data_that_was_there_before_the_wait_wakes_too);
  core_test_add ("/core/descriptors/data-left-over-wakes-the-next-wait", test_data_left_over_wakes_the_next_wait);
  core_test_add ("/core/descriptors/room-wakes-a-writer", test_room_wakes_a_writer);
  core_test_add ("/core/descriptors/a-timeout-ends-the-wait-and-the-watching", test_a_timeout_ends_the_wait_and_the_watching);
  core_test_add ("/core/descriptors/one-nobody-waits-for-any-more-wakes-nobody", test_a_descriptor_nobody_waits_for_any_more_wakes_nobody);
  core_test_add ("/core/descriptors/each-of-many-wakes-its-own-waiter", test_each_of_many_descriptors_wakes_its_own_waiter);
  core_test_add ("/core/descriptors/six-hundred-that-are-ready-at-once-wake-their-waiters-in-one-turn",
                 test_six_hundred_that_are_ready_at_once_wake_their_waiters_in_one_turn);
  return g_test_run ();
}
