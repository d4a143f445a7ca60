/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What the loop around the scheduler and the library's own watches see of a
 * poller. */

static void
wait_for_data (TestTask *self)
{
  core_wait_fd (self, GPOINTER_TO_INT (self->data), POLLIN, -1);
}

static void
test_an_event_for_a_descriptor_nobody_knows_is_ignored (CoreFixture *f)
{
  ct_poller_report (f->scheduler->poller, 100000, POLLIN);
  ct_poller_report (f->scheduler->poller, -1, POLLIN);
  ct_poller_report (f->scheduler->poller, 0, POLLIN);

  core_turn (f);

  g_assert_cmpint (f->timeout_us, ==, -1);
}

static guint n_notified;

static void
count_and_empty (CtFdWatch *watch)
{
  guint64 value;

  n_notified++;
  g_assert_cmphex (watch->revents, ==, POLLIN);
  g_assert_cmpint (read (watch->fd, &value, sizeof value), ==, sizeof value);
}

static void
test_a_permanent_watch_is_told_of_every_event (CoreFixture *f)
{
  CtFdWatch watch = { .fd = eventfd (0, EFD_CLOEXEC), .events = POLLIN, .notify = count_and_empty };
  guint64 one = 1;

  n_notified = 0;
  g_assert_cmpint (ct_poller_add (f->scheduler->poller, &watch), ==, 0);
  g_assert_cmpuint (f->scheduler->poller->n_watches, ==, 0);

  for (guint i = 1; i <= 3; i++)
    {
      g_assert_cmpint (write (watch.fd, &one, sizeof one), ==, sizeof one);
      core_turn (f);
      core_turn (f);
      g_assert_cmpuint (n_notified, ==, i);
    }

  ct_poller_remove (f->scheduler->poller, &watch);
  g_assert_cmpint (write (watch.fd, &one, sizeof one), ==, sizeof one);
  core_turn (f);
  g_assert_cmpuint (n_notified, ==, 3);
  close (watch.fd);
}

static void
test_the_generation_changes_with_the_list (CoreFixture *f)
{
  CtPoller *poller = f->scheduler->poller;
  guint64 before = poller->generation;
  guint64 waiting;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  core_spawn (f, "a", wait_for_data, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  waiting = poller->generation;
  g_assert_cmpuint (waiting, !=, before);

  core_turn (f);
  g_assert_cmpuint (poller->generation, ==, waiting);

  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  core_turn (f);
  g_assert_cmpuint (poller->generation, !=, waiting);
  close (fds[0]);
  close (fds[1]);
}

static void
test_the_generation_changes_before_the_woken_task_has_run (CoreFixture *f)
{
  CtPoller *poller = f->scheduler->poller;
  guint64 waiting;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  core_spawn (f, "a", wait_for_data, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  waiting = poller->generation;
  core_spawn (f, "first", core_just_say, NULL);
  f->slice_us = 0;

  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  core_turn (f);

  core_assert_said (f, "first");
  g_assert_cmpuint (f->scheduler->n_live, ==, 1);
  g_assert_cmpuint (poller->generation, !=, waiting);
  close (fds[0]);
  close (fds[1]);
}

/* The loop need not ask again for what never changes. */
static void
test_a_poller_of_one_descriptor_always_lists_the_same (CoreFixture *f)
{
  CtPoller *poller = f->scheduler->poller;
  g_autoptr (GArray) before = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  g_autoptr (GArray) after = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  poller->klass->list (poller, before);
  core_spawn (f, "a", wait_for_data, GINT_TO_POINTER (fds[0]));
  core_turn (f);
  poller->klass->list (poller, after);

  g_assert_cmpuint (before->len, ==, poller->klass->has_one_fd ? 1 : 0);
  g_assert_cmpuint (after->len, ==, 1);
  if (poller->klass->has_one_fd)
    g_assert_cmpmem (before->data, sizeof (GPollFD), after->data, sizeof (GPollFD));
  else
    g_assert_cmpint (g_array_index (after, GPollFD, 0).fd, ==, fds[0]);
  close (fds[0]);
  close (fds[1]);
}

static void
test_what_the_loop_found_not_ready_is_ignored (CoreFixture *f)
{
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  int pipe_fds[2];

  g_assert_cmpint (pipe (pipe_fds), ==, 0);
  core_spawn (f, "a", wait_for_data, GINT_TO_POINTER (pipe_fds[0]));
  core_turn (f);
  f->scheduler->poller->klass->list (f->scheduler->poller, fds);

  ct_scheduler_poll (f->scheduler, (const GPollFD *) (void *) fds->data, fds->len, ct_scheduler_now (f->scheduler), -1, 0, NULL);

  g_assert_cmpuint (f->scheduler->n_live, ==, 1);
  close (pipe_fds[0]);
  close (pipe_fds[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/poller/an-event-for-one-nobody-knows-is-ignored", test_an_event_for_a_descriptor_nobody_knows_is_ignored);
  core_test_add ("/core/poller/a-permanent-watch-is-told-of-every-event", test_a_permanent_watch_is_told_of_every_event);
  core_test_add ("/core/poller/the-generation-changes-with-the-list", test_the_generation_changes_with_the_list);
  core_test_add ("/core/poller/the-generation-changes-before-the-woken-task-has-run", test_the_generation_changes_before_the_woken_task_has_run);
  core_test_add ("/core/poller/of-one-descriptor-always-lists-the-same", test_a_poller_of_one_descriptor_always_lists_the_same);
  core_test_add ("/core/poller/what-the-loop-found-not-ready-is-ignored", test_what_the_loop_found_not_ready_is_ignored);
  return g_test_run ();
}
