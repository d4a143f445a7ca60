/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Several waits on one descriptor. */

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
take_byte (int fd)
{
  char byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
}

static void
close_both (const int *fds)
{
  close (fds[0]);
  close (fds[1]);
}

static void
test_of_two_readers_one_is_woken_by_each_event (CoreFixture *f)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  wait_on (f, "first", fds[0], POLLIN);
  wait_on (f, "second", fds[0], POLLIN);
  core_turn (f);

  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "first");

  take_byte (fds[0]);
  core_turn (f);
  core_assert_said (f, "");

  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "second");
  close_both (fds);
}

static void
test_data_the_first_reader_left_wakes_the_second (CoreFixture *f)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  wait_on (f, "first", fds[0], POLLIN);
  wait_on (f, "second", fds[0], POLLIN);
  core_turn (f);

  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "first");
  core_turn (f);
  core_assert_said (f, "second");
  close_both (fds);
}

static void
test_a_reader_and_a_writer_of_one_descriptor_are_told_apart (CoreFixture *f)
{
  int fds[2];
  Wait *reader;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  reader = wait_on (f, "reader", fds[0], POLLIN);
  wait_on (f, "writer", fds[0], POLLOUT);
  core_turn (f);

  core_turn (f);
  core_assert_said (f, "writer");

  core_turn (f);
  core_assert_said (f, "");

  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "reader");
  g_assert_cmphex (reader->revents, ==, POLLIN);
  close_both (fds);
}

static void
test_one_event_with_two_causes_wakes_one_waiter_for_each (CoreFixture *f)
{
  int fds[2];
  Wait *reader, *writer;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  send_byte (fds[1]);
  reader = wait_on (f, "reader", fds[0], POLLIN);
  writer = wait_on (f, "writer", fds[0], POLLOUT);
  wait_on (f, "late-reader", fds[0], POLLIN);
  core_turn (f);

  core_turn (f);

  core_assert_said (f, "reader writer");
  g_assert_cmphex (reader->revents, ==, POLLIN);
  g_assert_cmphex (writer->revents, ==, POLLOUT);
  take_byte (fds[0]);
  close_both (fds);
}

static void
wait_twice_on_one_descriptor (TestTask *self)
{
  CtPoller *poller = self->fixture->scheduler->poller;
  Wait *wait = self->data;
  CtFdWatch watches[2] = {
    { .waiter = { .task = &self->task, .next = &watches[1].waiter }, .fd = wait->fd, .events = POLLIN },
    { .waiter = { .task = &self->task }, .fd = wait->fd, .events = wait->events },
  };

  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (ct_poller_add (poller, &watches[i]), ==, 0);
  ct_scheduler_wait (self->fixture->scheduler, &watches[0].waiter, CT_TIME_NEVER);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (ct_link_is_linked (&watches[i].waiter.link));
      wait->revents |= watches[i].revents;
      ct_poller_remove (poller, &watches[i]);
    }
  core_say (self, NULL);
}

static void
test_one_task_may_wait_for_one_descriptor_twice (CoreFixture *f)
{
  int fds[2];
  Wait different = { .events = POLLOUT }, same = { .events = POLLIN };

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  different.fd = same.fd = fds[0];
  core_spawn (f, "different", wait_twice_on_one_descriptor, &different);
  core_spawn (f, "same", wait_twice_on_one_descriptor, &same);
  core_turn (f);

  core_turn (f);
  core_assert_said (f, "different");
  g_assert_cmphex (different.revents, ==, POLLOUT);

  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "same");
  g_assert_cmphex (same.revents, ==, POLLIN);
  g_assert_cmpuint (f->scheduler->poller->n_watches, ==, 0);
  close_both (fds);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/descriptors-shared/of-two-readers-one-is-woken-by-each-event", test_of_two_readers_one_is_woken_by_each_event);
  core_test_add ("/core/descriptors-shared/data-the-first-reader-left-wakes-the-second", test_data_the_first_reader_left_wakes_the_second);
  core_test_add ("/core/descriptors-shared/a-reader-and-a-writer-of-one-are-told-apart", test_a_reader_and_a_writer_of_one_descriptor_are_told_apart);
  core_test_add ("/core/descriptors-shared/one-event-with-two-causes-wakes-one-waiter-for-each", test_one_event_with_two_causes_wakes_one_waiter_for_each);
  core_test_add ("/core/descriptors-shared/one-task-may-wait-for-one-twice", test_one_task_may_wait_for_one_descriptor_twice);
  return g_test_run ();
}
