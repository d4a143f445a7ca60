/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-model.h"

#include <poll.h>
#include <unistd.h>

Model model;

gint
model_pick (gint n)
{
  return g_rand_int_range (model.rand, 0, n);
}

CtWaiter *
model_register_at_random (Actor *actor)
{
  gint n = model_pick (4);

  for (gint i = 0; i < n; i++)
    {
      actor->waiters[i] = (CtWaiter) {
        .task = &actor->task->task,
        .next = i + 1 < n ? &actor->waiters[i + 1] : NULL,
        .sequence = model.n_registered++,
      };
      ct_link_insert_before (&model.events[model_pick (MODEL_EVENTS)], &actor->waiters[i].link);
    }
  return n > 0 ? &actor->waiters[0] : NULL;
}

gint64
model_begin_wait (Actor *actor)
{
  gint64 timeout_us = model_pick (3) == 0 ? -1 : model_pick (4) == 0 ? 0 : model_pick (300);

  actor->deadline_us = core_deadline (model.f, timeout_us);
  actor->is_waiting = TRUE;
  model.n_waits++;
  return actor->deadline_us;
}

void
model_end_wait (Actor *actor)
{
  CtTask *task = &actor->task->task;

  model.n_wakeups++;
  actor->is_waiting = FALSE;
  switch ((CtWake) task->wake)
    {
    case CT_WAKE_NORMAL:
      g_assert_cmpint (actor->woken_by, ==, CT_WAKE_NORMAL);
      g_assert_true (task->fired == actor->fired);
      break;
    case CT_WAKE_TIMEOUT:
      g_assert_cmpint (actor->woken_by, ==, MODEL_NOTHING);
      g_assert_cmpint (actor->deadline_us, <=, model.f->now_us);
      break;
    case CT_WAKE_CANCELLED:
      g_assert_true (task->is_cancelled);
      g_assert_true (actor->woken_by == MODEL_NOTHING || actor->woken_by == CT_WAKE_CANCELLED);
      break;
    case CT_WAKE_INTERRUPT:
    default:
      g_assert_not_reached ();
    }
  for (guint i = 0; i < G_N_ELEMENTS (actor->waiters); i++)
    if (actor->waiters[i].task != NULL)
      g_assert_false (ct_link_is_linked (&actor->waiters[i].link));
  g_assert_cmpuint (task->timer.index, ==, 0);
  actor->woken_by = MODEL_NOTHING;
}

void
model_wait_for_a_pipe (Actor *actor)
{
  CtScheduler *scheduler = model.f->scheduler;
  gint which = model_pick (MODEL_PIPES);
  CtFdWatch watch = { .waiter.task = &actor->task->task, .fd = model.pipes[which][0], .events = POLLIN };
  char byte;

  g_assert_cmpint (ct_poller_add (scheduler->poller, &watch), ==, 0);
  model_begin_wait (actor);
  actor->waits_for_pipe = which;
  ct_scheduler_wait (scheduler, &watch.waiter, actor->deadline_us);
  actor->waits_for_pipe = MODEL_NOTHING;
  if (actor->task->task.wake == CT_WAKE_NORMAL)
    {
      g_assert_cmphex (watch.revents, ==, POLLIN);
      actor->woken_by = CT_WAKE_NORMAL;
      actor->fired = &watch.waiter;
    }
  g_assert_false (ct_link_is_linked (&watch.waiter.link));
  ct_poller_remove (scheduler->poller, &watch);
  model_end_wait (actor);
  if (watch.revents != 0 && read (watch.fd, &byte, 1) == 1)
    model.pipe_bytes[which]--;
}

void
model_fire_at_random (void)
{
  CtLink *event = &model.events[model_pick (MODEL_EVENTS)];
  CtWaiter *first = CT_CONTAINER_OF (event->next, CtWaiter, link);
  Actor *actor;

  if (!ct_link_is_linked (event))
    return;
  for (CtLink *link = event->next; link != event; link = link->next)
    g_assert_cmpuint (first->sequence, <=, CT_CONTAINER_OF (link, CtWaiter, link)->sequence);
  actor = ((TestTask *) first->task)->data;
  g_assert_true (ct_task_fire (first->task, CT_WAKE_NORMAL, first));
  g_assert_false (ct_task_fire (first->task, CT_WAKE_NORMAL, first));
  actor->woken_by = CT_WAKE_NORMAL;
  actor->fired = first;
}

void
model_cancel (Actor *actor)
{
  gboolean wakes = actor->task->task.is_armed;

  ct_task_cancel (&actor->task->task);
  if (wakes)
    actor->woken_by = CT_WAKE_CANCELLED;
  g_assert_false (actor->task->task.is_armed);
}

/* Nothing is ready and nothing has expired: then nobody was forgotten. */
void
model_assert_that_nobody_was_forgotten (void)
{
  g_assert_cmpint (ct_timer_heap_next_deadline (&model.f->scheduler->timers), >, model.f->now_us);
  for (guint i = 0; i < model.actors->len; i++)
    {
      Actor *actor = model.actors->pdata[i];

      g_assert_cmpint (actor->woken_by, ==, MODEL_NOTHING);
      if (actor->waits_for_pipe != MODEL_NOTHING)
        g_assert_cmpuint (model.pipe_bytes[actor->waits_for_pipe], ==, 0);
    }
}

