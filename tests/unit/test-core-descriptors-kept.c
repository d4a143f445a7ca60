/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Waits by those who have used up what the last one reported: the descriptor
 * stays registered in between, and nothing gets lost all the same. */

static guint n_armed;

static int
count_and_arm (CtPoller *poller, gint fd, gushort events, gboolean kept)
{
  CoreFixture *fixture = (CoreFixture *) (gpointer) ((char *) poller->klass - G_STRUCT_OFFSET (CoreFixture, poller_class));

  n_armed++;
  return fixture->backend->arm (poller, fd, events, kept);
}

static void
count_arming (CoreFixture *f)
{
  n_armed = 0;
  f->poller_class.arm = count_and_arm;
}

static gushort
wait_drained (TestTask *self, int fd, gushort events)
{
  CtScheduler *scheduler = self->fixture->scheduler;
  CtFdWatch watch = { .waiter.task = scheduler->current, .fd = fd, .events = events, .is_drained = TRUE };

  if (ct_poller_add (scheduler->poller, &watch) != 0)
    return 0; /* closed, at the end of the test */
  self->wake = ct_scheduler_wait (scheduler, &watch.waiter, CT_TIME_NEVER);
  ct_poller_remove (scheduler->poller, &watch);
  return self->wake == CT_WAKE_NORMAL ? watch.revents : 0;
}

static guint
drain (int fd)
{
  char bytes[64];
  gssize n = read (fd, bytes, sizeof bytes);

  return n > 0 ? (guint) n : 0;
}

static void
read_for_ever (TestTask *self)
{
  int fd = GPOINTER_TO_INT (self->data);
  gushort revents;

  while ((revents = wait_drained (self, fd, POLLIN)) != 0)
    {
      core_say (self, (revents & POLLHUP) != 0 ? "hup" : drain (fd) > 0 ? "read" : "nothing");
      if ((revents & POLLHUP) != 0)
        return;
    }
}

static void
open_pipe (int *fds)
{
  g_assert_cmpint (pipe2 (fds, O_NONBLOCK | O_CLOEXEC), ==, 0);
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

static gboolean
loop_would_wake (CoreFixture *f)
{
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));

  f->scheduler->poller->klass->list (f->scheduler->poller, fds);
  return g_poll ((GPollFD *) (void *) fds->data, fds->len, 0) > 0;
}

static void
test_a_busy_descriptor_is_registered_once (CoreFixture *f)
{
  int fds[2];

  open_pipe (fds);
  count_arming (f);
  core_spawn (f, "a", read_for_ever, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  for (guint i = 0; i < 100; i++)
    {
      send_byte (fds[1]);
      core_turn (f);
      core_assert_said (f, "a-read");
      g_assert_false (loop_would_wake (f));
    }

  g_assert_cmpuint (n_armed, ==, f->backend->can_keep ? 1 : 101);
  close_both (fds);
}

static void
read_after_a_pause (TestTask *self)
{
  CtLink *pause = self->data;

  while (wait_drained (self, self->step, POLLIN) != 0)
    {
      core_say (self, drain (self->step) > 0 ? "read" : "nothing");
      if (core_wait (self, pause, -1) != CT_WAKE_NORMAL)
        return;
    }
}

static void
test_what_comes_while_nobody_waits_is_reported_to_the_next_wait (CoreFixture *f)
{
  CtLink pause;
  TestTask *reader, *busy;
  int fds[2];

  open_pipe (fds);
  ct_link_init (&pause);
  reader = core_spawn (f, "a", read_after_a_pause, &pause);
  reader->step = fds[0];
  core_turn (f);
  f->slice_us = 0; /* a task a turn: there is always work left, so the loop does not sleep */
  busy = core_spawn (f, "busy", core_yield_for_ever, NULL);
  core_spawn (f, "busy-too", core_yield_for_ever, NULL);
  for (guint i = 0; i < 3; i++)
    {
      send_byte (fds[1]);
      for (guint k = 0; k < 4; k++)
        core_turn (f);
      core_assert_said (f, "a-read");

      send_byte (fds[1]);
      for (guint k = 0; k < 4; k++)
        core_turn (f);
      core_assert_said (f, "");
      core_fire_first (&pause);
      for (guint k = 0; k < 6; k++)
        core_turn (f);
      core_assert_said (f, "a-read");
      core_fire_first (&pause);
      for (guint k = 0; k < 6; k++)
        core_turn (f);
    }
  ct_task_cancel (&busy->task);
  close_both (fds);
}

static void
read_and_sleep (TestTask *self)
{
  int fd = GPOINTER_TO_INT (self->data);

  while (wait_drained (self, fd, POLLIN) != 0)
    {
      core_say (self, drain (fd) > 0 ? "read" : "nothing");
      core_sleep (self, 1000);
    }
}

static void
test_one_that_nobody_waits_for_does_not_wake_a_sleeping_loop (CoreFixture *f)
{
  int fds[2];

  open_pipe (fds);
  core_spawn (f, "a", read_and_sleep, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "a-read");

  send_byte (fds[1]);
  g_assert_false (loop_would_wake (f));
  core_pass (f, 1000);
  core_turn (f);
  core_assert_said (f, "a-read");
  close_both (fds);
}

static void
test_a_hang_up_is_reported_again_and_again (CoreFixture *f)
{
  int fds[2];

  open_pipe (fds);
  core_spawn (f, "a", read_for_ever, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "a-read");
  close (fds[1]);
  core_turn (f);
  core_assert_said (f, "a-hup");
  for (guint i = 0; i < 2; i++)
    {
      core_spawn (f, "b", read_for_ever, GINT_TO_POINTER (fds[0]));
      core_turn (f);
      core_turn (f);
      core_assert_said (f, "b-hup");
    }
  close (fds[0]);
}

static void
read_one_byte_twice (TestTask *self)
{
  int fd = GPOINTER_TO_INT (self->data);
  char byte;

  g_assert_cmphex (wait_drained (self, fd, POLLIN), ==, POLLIN);
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  core_say (self, "one");
  g_assert_cmphex (core_wait_fd (self, fd, POLLIN, -1), ==, POLLIN);
  core_say (self, "two");
}

static void
test_an_ordinary_wait_reports_what_was_left (CoreFixture *f)
{
  int fds[2];

  open_pipe (fds);
  core_spawn (f, "a", read_one_byte_twice, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  send_byte (fds[1]);
  send_byte (fds[1]);
  core_turn (f);
  core_turn (f);

  core_assert_said (f, "a-one a-two");
  close_both (fds);
}

static void
leave_it_all (TestTask *self)
{
  g_assert_cmphex (wait_drained (self, GPOINTER_TO_INT (self->data), POLLIN), ==, POLLIN);
  core_say (self, "left");
}

static void
test_what_the_first_reader_leaves_wakes_the_second (CoreFixture *f)
{
  int fds[2];

  open_pipe (fds);
  core_spawn (f, "a", leave_it_all, GINT_TO_POINTER (fds[0]));
  core_spawn (f, "b", read_for_ever, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  send_byte (fds[1]);
  core_turn (f);
  core_turn (f);
  core_assert_said (f, "a-left b-read");
  close_both (fds);
}

static void
wait_for_room (TestTask *self)
{
  core_say (self, (wait_drained (self, GPOINTER_TO_INT (self->data), POLLOUT) & POLLOUT) != 0 ? "room" : "nothing");
}

static void
test_a_reader_and_a_writer_share_one_registration (CoreFixture *f)
{
  int fds[2];
  char page[4096] = { 0 };

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
  core_spawn (f, "reader", read_for_ever, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  while (write (fds[0], page, sizeof page) > 0)
    ;
  core_spawn (f, "writer", wait_for_room, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  core_assert_said (f, "");
  count_arming (f);
  for (guint i = 0; i < 3; i++)
    {
      send_byte (fds[1]);
      core_turn (f);
      core_assert_said (f, "reader-read");
    }
  g_assert_cmpuint (n_armed, ==, f->backend->can_keep ? 0 : 6);
  while (read (fds[1], page, sizeof page) > 0)
    ;
  core_turn (f);
  core_assert_said (f, "writer-room");
  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "reader-read");
  close_both (fds);
}

static void
write_and_read_by_turns (TestTask *self)
{
  int fd = GPOINTER_TO_INT (self->data);
  char page[4096] = { 0 };

  g_assert_cmphex (wait_drained (self, fd, POLLIN), ==, POLLIN);
  drain (fd);
  while (write (fd, page, sizeof page) > 0)
    ;
  core_say (self, "full");
  g_assert_cmphex (wait_drained (self, fd, POLLOUT) & POLLOUT, ==, POLLOUT);
  core_say (self, "room");
}

static void
test_what_the_only_waiter_does_not_want_wakes_the_loop_once_at_most (CoreFixture *f)
{
  char page[4096];
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
  core_spawn (f, "a", write_and_read_by_turns, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  send_byte (fds[1]);
  core_turn (f);
  core_assert_said (f, "a-full");
  send_byte (fds[1]);
  core_turn (f);
  send_byte (fds[1]);
  g_assert_false (loop_would_wake (f));
  while (read (fds[1], page, sizeof page) > 0)
    ;
  core_turn (f);
  core_assert_said (f, "a-room");
  close_both (fds);
}

static void
test_a_number_given_to_another_file_is_noticed_by_an_ordinary_wait (CoreFixture *f)
{
  int old[2], new[2];
  TestTask *reader;

  open_pipe (old);
  open_pipe (new);
  reader = core_spawn (f, "a", read_for_ever, GINT_TO_POINTER (old[0]));
  core_turn (f);
  send_byte (old[1]);
  core_turn (f);
  core_assert_said (f, "a-read");
  ct_task_cancel (&reader->task);
  core_turn (f);

  dup2 (new[0], old[0]);
  core_spawn (f, "b", read_one_byte_twice, GINT_TO_POINTER (old[0]));
  core_turn (f);
  send_byte (new[1]);
  send_byte (new[1]);
  core_turn (f);
  core_turn (f);
  core_assert_said (f, "b-one b-two");
  close_both (old);
  close_both (new);
}

static void
wait_and_say (TestTask *self)
{
  core_wait_fd (self, GPOINTER_TO_INT (self->data), POLLIN, -1);
  core_say (self, "woken");
}

/* The kernel keeps the closed descriptor's registration for the copy's sake. */
static void
test_a_closed_descriptors_copy_does_not_wake_who_waits_for_its_number (CoreFixture *f)
{
  int old[2], new[2], copy;
  TestTask *reader;

  open_pipe (old);
  open_pipe (new);
  reader = core_spawn (f, "a", read_for_ever, GINT_TO_POINTER (old[0]));
  core_turn (f);
  copy = dup (old[0]);
  dup2 (new[0], old[0]); /* closes old[0] */
  ct_task_cancel (&reader->task);
  core_turn (f);
  core_spawn (f, "b", wait_and_say, GINT_TO_POINTER (old[0]));
  core_turn (f);

  send_byte (old[1]);
  core_turn (f);
  core_turn (f);
  core_assert_said (f, "");
  send_byte (new[1]);
  core_turn (f);
  core_assert_said (f, "b-woken");
  close (copy);
  close_both (old);
  close_both (new);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/descriptors-kept/a-busy-one-is-registered-once", test_a_busy_descriptor_is_registered_once);
  core_test_add ("/core/descriptors-kept/what-comes-while-nobody-waits-is-reported-to-the-next-wait",
                 test_what_comes_while_nobody_waits_is_reported_to_the_next_wait);
  core_test_add ("/core/descriptors-kept/one-that-nobody-waits-for-does-not-wake-a-sleeping-loop",
                 test_one_that_nobody_waits_for_does_not_wake_a_sleeping_loop);
  core_test_add ("/core/descriptors-kept/a-hang-up-is-reported-again-and-again", test_a_hang_up_is_reported_again_and_again);
  core_test_add ("/core/descriptors-kept/an-ordinary-wait-reports-what-was-left", test_an_ordinary_wait_reports_what_was_left);
  core_test_add ("/core/descriptors-kept/what-the-first-reader-leaves-wakes-the-second", test_what_the_first_reader_leaves_wakes_the_second);
  core_test_add ("/core/descriptors-kept/a-reader-and-a-writer-share-one-registration", test_a_reader_and_a_writer_share_one_registration);
  core_test_add ("/core/descriptors-kept/what-the-only-waiter-does-not-want-wakes-the-loop-once-at-most",
                 test_what_the_only_waiter_does_not_want_wakes_the_loop_once_at_most);
  core_test_add ("/core/descriptors-kept/a-number-given-to-another-file-is-noticed-by-an-ordinary-wait",
                 test_a_number_given_to_another_file_is_noticed_by_an_ordinary_wait);
  core_test_add ("/core/descriptors-kept/a-closed-ones-copy-does-not-wake-who-waits-for-its-number",
                 test_a_closed_descriptors_copy_does_not_wake_who_waits_for_its_number);
  return g_test_run ();
}
