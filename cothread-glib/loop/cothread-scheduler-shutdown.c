/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-extra.h"

/* How a scheduler ends. */

/* Tasks that ignore their cancellation get this long to end at shutdown. */
#define UNWIND_SLICE_US 10000
#define UNWIND_TURNS 100

static void
run_hooks (CtLink *hooks)
{
  while (ct_link_is_linked (hooks))
    {
      CtLink *link = hooks->next;

      ct_link_unlink (link);
      CT_CONTAINER_OF (link, CothreadShutdownHook, link)->run (link);
    }
}

void
cothread_scheduler_forget (CothreadScheduler *self)
{
  CtScheduler *core;

  g_critical ("A scheduler was dropped, or its main context destroyed, in a thread that it does not live on: "
              "its tasks are abandoned. Call cothread_scheduler_shutdown() in its own thread first");
  if (self->context != NULL)
    cothread_registry_remove (self->context, self);
  self->is_shut_down = TRUE;
  /* Who waits in other threads for what the hooks end must hear of it. */
  self->owner = cothread_thread_id ();
  run_hooks (&self->shutdown_hooks);
  core = g_steal_pointer (&self->core);
  ct_scheduler_abandon (core);
  ct_scheduler_lay_tasks (core);
  for (CtLink *link = core->all.next; link != &core->all; link = link->next)
    CT_CONTAINER_OF (link, CothreadTask, core.all)->scheduler = NULL;
  g_clear_pointer (&core->poller, ct_poller_free);
  ct_tick_counter_clear (&core->ticks_counter);
  run_hooks (&self->end_hooks);
  cothread_inbox_close (&self->inbox);
  g_clear_object (&self->callback_queue);
  self->owner = 0;
  self->context = NULL;
  /* The dying context destroys them. */
  g_clear_pointer (&self->worker, g_source_unref);
  g_clear_pointer (&self->fence, g_source_unref);
  g_clear_pointer (&self->sentinel, g_source_unref);
  g_clear_pointer (&self->jump, g_source_unref);
}

static void
report_abandoned_tasks (CothreadScheduler *self)
{
  for (CtLink *link = self->core->all.next; link != &self->core->all; link = link->next)
    {
      CothreadTask *task = CT_CONTAINER_OF (link, CothreadTask, core.all);

      g_critical ("Task %s goes on although it was cancelled: it is abandoned with everything on its stack",
                  cothread_task_get_name (task));
      task->scheduler = NULL;
    }
  /* What it waits for may answer one day, in any thread. */
  if (self->core->n_live > 0)
    g_object_ref (self);
}

static void
cancel_tasks (CtScheduler *core)
{
  CtLink *link = core->all.next;

  while (link != &core->all)
    {
      CothreadTask *task = CT_CONTAINER_OF (link, CothreadTask, core.all);

      link = link->next;
      if (task->core.is_cancelled)
        continue;
      cothread_task_cancel_and_tell (task);
      if (task->extra != NULL && task->extra->canceller != NULL)
        link = core->all.next; /* a handler may have ended the next one */
    }
}

static gboolean
set_flag (gpointer flag)
{
  *(gboolean *) flag = TRUE;
  return G_SOURCE_REMOVE;
}

/* The operations that tasks wait for were cancelled, and answer through the
 * context, if that still lives and its owner called us. FALSE: it cannot. */
static gboolean
iterate_for_answers (CothreadScheduler *self)
{
  guint64 n_finished = self->core->n_finished;
  g_autoptr (GSource) limit = NULL;
  gboolean is_over = FALSE;

  if (self->n_answers == 0 || self->context == NULL || g_source_is_destroyed (self->worker) || g_main_depth () > 0 ||
      !g_main_context_acquire (self->context))
    return FALSE;
  limit = g_timeout_source_new (UNWIND_SLICE_US / 1000);
  g_source_set_callback (limit, set_flag, &is_over, NULL);
  g_source_attach (limit, self->context);
  while (!is_over && self->core->n_finished == n_finished)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (limit);
  g_main_context_release (self->context);
  return TRUE;
}

/* Cancels all tasks and lets them run to their ends. */
static gboolean
unwind_tasks (CothreadScheduler *self)
{
  CtScheduler *core = self->core;
  gint64 timeout_us;

  for (guint turn = 0; core->n_live > 0 && turn < UNWIND_TURNS; turn++)
    {
      guint64 n_finished = core->n_finished;

      cancel_tasks (core);
      cothread_scheduler_run_turn (self, NULL, 0, ct_scheduler_now (core), UNWIND_SLICE_US, &timeout_us);
      if (core->n_finished > n_finished)
        turn = 0; /* patience is with the last one that ended */
      if (core->n_live > 0 && timeout_us != 0 && !iterate_for_answers (self))
        core->poller->klass->wait (core->poller, timeout_us < 0 ? UNWIND_SLICE_US : MIN (timeout_us, UNWIND_SLICE_US));
    }
  return core->n_live == 0;
}

/* A context that dies has let go of its sources already, and destroys them
 * itself; GLib 2.74 loses its reference to one that it finds destroyed. */
void
cothread_leave_context (GSource *source)
{
  if (!g_source_is_destroyed (source) && g_source_get_context (source) != NULL)
    g_source_destroy (source);
}

/**
 * cothread_scheduler_shutdown:
 * @self: a scheduler
 *
 * Ends the scheduler: closes its callback queues, cancels every task, lets all
 * of them unwind (their waits fail with %G_IO_ERROR_CANCELLED, so that every
 * clean-up runs), frees their stacks, and leaves the main context. A task that
 * keeps the others waiting for a second although it was cancelled is abandoned with a
 * critical. Calling it again does nothing.
 *
 * Happens by itself when the main context is destroyed, or when the last
 * reference to an unattached scheduler is dropped. An open callback queue holds
 * such a reference, so an unattached scheduler with one is to be shut down by
 * its owner.
 *
 * To be called on the scheduler's thread, outside of its tasks and turns;
 * elsewhere it is a critical and changes nothing.
 *
 * Since: 0.1
 */
void
cothread_scheduler_shutdown (CothreadScheduler *self)
{
  CtScheduler *core;

  g_return_if_fail (COTHREAD_IS_SCHEDULER (self));
  if (self->is_shut_down)
    return;
  g_return_if_fail (cothread_scheduler_is_own_thread (self));
  core = self->core;
  /* Main may also be waiting below us, with us called by its loop. */
  if (core != NULL && (core->frame != NULL || core->current != &core->main || core->main.is_armed))
    {
      g_critical ("A scheduler cannot be shut down from inside one of its tasks or turns");
      return;
    }
  self->is_shut_down = TRUE;
  g_object_ref (self); /* an open callback queue may hold the last one */
  if (self->context != NULL)
    cothread_registry_remove (self->context, self);
  if (core != NULL)
    {
      core->is_loop_asleep = FALSE; /* the context may be gone already */
      run_hooks (&self->shutdown_hooks);
      if (unwind_tasks (self))
        {
          ct_poller_remove (core->poller, &self->wake_watch);
          g_clear_pointer (&self->core, ct_scheduler_free);
        }
      else
        {
          report_abandoned_tasks (self);
          self->core = NULL;
        }
    }
  run_hooks (&self->end_hooks);
  cothread_inbox_close (&self->inbox);
  g_clear_object (&self->callback_queue);
  self->context = NULL;
  if (self->jump != NULL)
    {
      g_autoptr (GSource) jump = g_steal_pointer (&self->jump);

      cothread_leave_context (jump);
    }
  if (self->worker != NULL)
    {
      g_autoptr (GSource) worker = g_steal_pointer (&self->worker);
      g_autoptr (GSource) fence = g_steal_pointer (&self->fence);
      g_autoptr (GSource) sentinel = g_steal_pointer (&self->sentinel);

      if (fence != NULL)
        cothread_leave_context (fence);
      cothread_leave_context (sentinel);
      cothread_leave_context (worker); /* drops the context's reference */
    }
  g_object_unref (self);
}
