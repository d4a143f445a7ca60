/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* Descriptors that hang up, are closed, change what they stand for, or are no
 * such thing. */

static gushort revents_of[4];

static void
wait_for_data (TestTask *self)
{
  core_say (self, NULL);
  revents_of[self->step] = core_wait_fd (self, GPOINTER_TO_INT (self->data), POLLIN, -1);
  core_say (self, "woken");
}

static TestTask *
spawn_reader (CoreFixture *f, const char *name, gint index, int fd)
{
  TestTask *task = core_spawn (f, name, wait_for_data, GINT_TO_POINTER (fd));

  task->step = index;
  revents_of[index] = 0;
  return task;
}

static void
open_pipe (int *fds)
{
  g_assert_cmpint (pipe (fds), ==, 0);
}

static void
test_a_hang_up_goes_to_everybody (CoreFixture *f)
{
  int fds[2];

  open_pipe (fds);
  spawn_reader (f, "a", 0, fds[0]);
  spawn_reader (f, "b", 1, fds[0]);
  spawn_reader (f, "c", 2, fds[0]);
  core_turn (f);

  close (fds[1]);
  core_turn (f);

  core_assert_said (f, "a b c a-woken b-woken c-woken");
  for (guint i = 0; i < 3; i++)
    g_assert_cmphex (revents_of[i], ==, POLLHUP);
  close (fds[0]);
}

static void
wait_for_room (TestTask *self)
{
  revents_of[0] = core_wait_fd (self, GPOINTER_TO_INT (self->data), POLLOUT, -1);
  core_say (self, "woken");
}

static void
test_an_error_is_reported_to_who_waits_for_something_else (CoreFixture *f)
{
  int fds[2];
  char page[4096] = { 0 };

  open_pipe (fds);
  while (poll (&(struct pollfd) { fds[1], POLLOUT, 0 }, 1, 0) > 0)
    g_assert_cmpint (write (fds[1], page, sizeof page), ==, (gint) sizeof page);
  core_spawn (f, "writer", wait_for_room, GINT_TO_POINTER (fds[1]));
  core_turn (f);

  close (fds[0]);
  core_turn (f);

  core_assert_said (f, "writer-woken");
  g_assert_cmphex (revents_of[0] & POLLERR, ==, POLLERR);
  close (fds[1]);
}

static void
wait_for_nothing_but_errors (TestTask *self)
{
  revents_of[0] = core_wait_fd (self, GPOINTER_TO_INT (self->data), 0, -1);
  core_say (self, "woken");
}

static void
test_who_waits_for_no_event_is_told_of_a_hang_up_and_of_nothing_else (CoreFixture *f)
{
  int fds[2];

  open_pipe (fds);
  core_spawn (f, "a", wait_for_nothing_but_errors, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  core_turn (f);
  core_assert_said (f, "");

  close (fds[1]);
  core_turn (f);

  core_assert_said (f, "a-woken");
  g_assert_cmphex (revents_of[0], ==, POLLHUP);
  close (fds[0]);
}

static void
test_a_closed_descriptor_is_refused (CoreFixture *f)
{
  CtPoller *poller = f->scheduler->poller;
  CtFdWatch watch = { .waiter.task = &f->scheduler->main, .events = POLLIN };
  int fds[2];

  open_pipe (fds);
  close (fds[0]);
  close (fds[1]);

  watch.fd = fds[0];
  g_assert_cmpint (ct_poller_add (poller, &watch), ==, EBADF);
  g_assert_false (watch.is_added);
  g_assert_cmpuint (poller->n_watches, ==, 0);
  ct_poller_remove (poller, &watch);
}

static void
test_a_number_that_can_be_no_descriptor_is_refused (CoreFixture *f)
{
  CtFdWatch watch = { .waiter.task = &f->scheduler->main, .fd = -1, .events = POLLIN };

  g_assert_cmpint (ct_poller_add (f->scheduler->poller, &watch), ==, EBADF);
  ct_poller_remove (f->scheduler->poller, &watch);
}

static void
test_a_number_given_to_another_file_is_noticed_at_the_next_wait (CoreFixture *f)
{
  int old[2], new[2];

  open_pipe (old);
  open_pipe (new);
  spawn_reader (f, "before", 0, old[0]);
  core_turn (f);
  g_assert_cmpint (write (old[1], "x", 1), ==, 1);
  core_turn (f);
  core_assert_said (f, "before before-woken");

  dup2 (new[0], old[0]);
  spawn_reader (f, "after", 1, old[0]);
  core_turn (f);
  core_turn (f);
  core_assert_said (f, "after");
  g_assert_cmpint (write (new[1], "x", 1), ==, 1);
  core_turn (f);

  core_assert_said (f, "after-woken");
  close (old[0]);
  close (old[1]);
  close (new[0]);
  close (new[1]);
}

static void
test_a_number_given_to_another_file_under_a_waiter_is_noticed_at_the_next_wait (CoreFixture *f)
{
  int old[2], new[2];

  open_pipe (old);
  open_pipe (new);
  spawn_reader (f, "before", 0, old[0]);
  core_turn (f);

  dup2 (new[0], old[0]);
  spawn_reader (f, "after", 1, old[0]);
  core_turn (f);
  g_assert_cmpint (write (new[1], "x", 1), ==, 1);
  core_turn (f);
  core_turn (f);

  core_assert_said (f, "before after before-woken after-woken");
  close (old[0]);
  close (old[1]);
  close (new[0]);
  close (new[1]);
}

static void
test_who_cannot_be_watched_for_any_longer_is_told (CoreFixture *f)
{
  int fds[2];

  open_pipe (fds);
  spawn_reader (f, "first", 0, fds[0]);
  spawn_reader (f, "second", 1, fds[0]);
  core_turn (f);

  close (fds[0]);
  ct_poller_report (f->scheduler->poller, fds[0], POLLIN);
  core_turn (f);

  core_assert_said (f, "first second first-woken second-woken");
  g_assert_cmphex (revents_of[0], ==, POLLIN);
  g_assert_cmphex (revents_of[1], ==, POLLNVAL);
  close (fds[1]);
}

static void
test_a_regular_file_is_always_ready (CoreFixture *f)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("ct-regular-XXXXXX", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  spawn_reader (f, "a", 0, fd);
  spawn_reader (f, "b", 1, fd);
  core_turn (f);
  core_turn (f);
  core_turn (f);

  g_assert_cmpuint (f->scheduler->n_live, ==, 0);
  g_assert_cmphex (revents_of[0], ==, POLLIN);
  g_assert_cmphex (revents_of[1], ==, POLLIN);
  close (fd);
  unlink (path);
}

static void
test_a_cancelled_waiter_leaves_the_descriptor_to_the_others (CoreFixture *f)
{
  TestTask *first;
  int fds[2];

  open_pipe (fds);
  first = spawn_reader (f, "first", 0, fds[0]);
  spawn_reader (f, "second", 1, fds[0]);
  core_turn (f);

  ct_task_cancel (&first->task);
  core_turn (f);
  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  core_turn (f);

  core_assert_said (f, "first second first-woken second-woken");
  g_assert_cmphex (revents_of[0], ==, 0);
  g_assert_cmphex (revents_of[1], ==, POLLIN);
  close (fds[0]);
  close (fds[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/descriptors/a-hang-up-goes-to-everybody", test_a_hang_up_goes_to_everybody);
  core_test_add ("/core/descriptors/an-error-is-reported-to-who-waits-for-something-else", test_an_error_is_reported_to_who_waits_for_something_else);
  core_test_add ("/core/descriptors/who-waits-for-no-event-is-told-of-a-hang-up-and-of-nothing-else",
                 test_who_waits_for_no_event_is_told_of_a_hang_up_and_of_nothing_else);
  core_test_add ("/core/descriptors/a-closed-one-is-refused", test_a_closed_descriptor_is_refused);
  core_test_add ("/core/descriptors/a-number-that-can-be-none-is-refused", test_a_number_that_can_be_no_descriptor_is_refused);
  core_test_add ("/core/descriptors/a-number-given-to-another-file-is-noticed-at-the-next-wait",
                 test_a_number_given_to_another_file_is_noticed_at_the_next_wait);
  core_test_add ("/core/descriptors/a-number-given-to-another-file-under-a-waiter-is-noticed-at-the-next-wait",
                 test_a_number_given_to_another_file_under_a_waiter_is_noticed_at_the_next_wait);
  core_test_add ("/core/descriptors/who-cannot-be-watched-for-any-longer-is-told", test_who_cannot_be_watched_for_any_longer_is_told);
  core_test_add ("/core/descriptors/a-regular-file-is-always-ready", test_a_regular_file_is_always_ready);
  core_test_add ("/core/descriptors/a-cancelled-waiter-leaves-it-to-the-others", test_a_cancelled_waiter_leaves_the_descriptor_to_the_others);
  return g_test_run ();
}
