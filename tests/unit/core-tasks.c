/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

#include <pthread.h>

/* What the tasks of a test do, and how a test sees it. */

void
core_say (TestTask *self, const char *what)
{
  GString *said = self->fixture->said;

  g_string_append_printf (said, "%s%s%s%s", said->len > 0 ? " " : "", self->name, what != NULL ? "-" : "", what != NULL ? what : "");
}

void
core_assert_said (CoreFixture *fixture, const char *expected)
{
  g_assert_cmpstr (fixture->said->str, ==, expected);
  g_string_truncate (fixture->said, 0);
}

CtWake
core_wait (TestTask *self, CtLink *list, gint64 timeout_us)
{
  CtWaiter waiter = { .task = &self->task };

  g_assert_true (self->fixture->scheduler->current == &self->task);
  ct_link_init (&waiter.link);
  if (list != NULL)
    ct_link_insert_before (list, &waiter.link);
  self->wake = ct_scheduler_wait (self->fixture->scheduler, &waiter, core_deadline (self->fixture, timeout_us));
  g_assert_true (self->fixture->scheduler->current == &self->task);
  g_assert_false (ct_link_is_linked (&waiter.link));
  g_assert_cmpint (self->task.state, ==, CT_TASK_RUNNING);
  g_assert_cmpuint (self->task.timer.index, ==, 0);
  if (self->wake == CT_WAKE_NORMAL)
    g_assert_true (self->task.fired == &waiter);
  return self->wake;
}

CtWake
core_sleep (TestTask *self, gint64 timeout_us)
{
  return core_wait (self, NULL, timeout_us);
}

CtWake
core_yield (TestTask *self)
{
  self->wake = ct_scheduler_yield (self->fixture->scheduler);
  return self->wake;
}

gushort
core_wait_fd (TestTask *self, gint fd, gushort events, gint64 timeout_us)
{
  CtScheduler *scheduler = self->fixture->scheduler;
  CtFdWatch watch = { .waiter.task = scheduler->current, .fd = fd, .events = events };

  g_assert_cmpint (ct_poller_add (scheduler->poller, &watch), ==, 0);
  if (watch.revents == 0)
    self->wake = ct_scheduler_wait (scheduler, &watch.waiter, core_deadline (self->fixture, timeout_us));
  g_assert_false (ct_link_is_linked (&watch.waiter.link));
  ct_poller_remove (scheduler->poller, &watch);
  return watch.revents;
}

void
core_park (TestTask *self, CtLink *list, gint64 timeout_us)
{
  self->waiter = (CtWaiter) { .task = &self->task };
  ct_link_init (&self->waiter.link);
  if (list != NULL)
    ct_link_insert_before (list, &self->waiter.link);
  ct_task_park (&self->task, &self->waiter, core_deadline (self->fixture, timeout_us));
}

gboolean
core_fire_first (CtLink *list)
{
  CtWaiter *first = CT_CONTAINER_OF (list->next, CtWaiter, link);

  return ct_link_is_linked (list) && ct_task_fire (first->task, CT_WAKE_NORMAL, first);
}

gboolean
core_is_on_thread_stack (void)
{
  guint8 *frame = __builtin_frame_address (0);
  pthread_attr_t attributes;
  void *base;
  size_t bytes;

  g_assert_cmpint (pthread_getattr_np (pthread_self (), &attributes), ==, 0);
  pthread_attr_getstack (&attributes, &base, &bytes);
  pthread_attr_destroy (&attributes);
  return frame >= (guint8 *) base && frame < (guint8 *) base + bytes;
}

gboolean
core_is_on_stack_of (const TestTask *task)
{
  guint8 *frame = __builtin_frame_address (0);

  return task->task.stack != NULL && frame >= task->task.stack->base && frame < task->task.stack->limit;
}

void
core_just_say (TestTask *self)
{
  core_say (self, NULL);
}

void
core_wait_on_data (TestTask *self)
{
  core_wait (self, self->data, -1);
  core_say (self, NULL);
}

void
core_yield_for_ever (TestTask *self)
{
  while (core_yield (self) != CT_WAKE_CANCELLED)
    ;
}
