/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-scheduler.h"

/* A turn of one task without what a turn costs, and inside whoever asks for it:
 * each call and return around a switch is two that the processor mispredicts,
 * one on either stack.
 *
 * Outside any turn, on the thread's own stack, while nothing is ready, nobody
 * watches and no order is imposed: wakes a native task and runs it until it
 * waits, yields or ends. Its slice is over from the beginning, and it began, as
 * far as anybody asks, at begin_us. Returns FALSE if an interrupt came. */
static inline gboolean
ct_scheduler_wake_at_once (CtScheduler *self, CtTask *task, gint depth, gint64 begin_us)
{
  CtFrame frame = {
    .caller = &self->main,
    .stack = &self->main,
    .home = &self->scheduler_context,
    .depth = depth,
  };
  guint64 n_finished = self->n_finished;

  if (!task->is_armed)
    return TRUE;
  g_return_val_if_fail (self->frame == NULL && self->current == &self->main && task->kind == CT_TASK_NATIVE, TRUE);
  ct_task_disarm (task, CT_WAKE_NORMAL, NULL);
  self->frame = &frame;
  /* Not to the scheduler task, which would only come here. One that yields or
   * ends does go there. */
  self->home = &self->main.context;
  self->slice.begin_us = begin_us;
  ct_slice_end_now (&self->slice);
  ct_scheduler_make_current (self, task);
  ct_scheduler_leave (self, &self->main);
  ct_context_switch_inline (&self->main.context, &task->context);
  ct_scheduler_return (self, &self->main);
  if (G_UNLIKELY (self->request.func != NULL))
    ct_scheduler_serve (self);
  ct_scheduler_reap (self);
  self->frame = NULL;
  self->home = &self->scheduler_context;
  self->current = &self->main;
  if (G_UNLIKELY (self->n_finished != n_finished))
    ct_scheduler_note_finished (self);
  return !frame.is_interrupted;
}
