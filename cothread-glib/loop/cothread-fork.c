/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-fork.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"

/* Only memory is touched: descriptors are shared with the parent, whose epoll
 * set would lose what is taken out of it here. Everything of the old scheduler
 * is kept, since stacks of its tasks may refer to it. */
static void
abandon (CothreadScheduler *self)
{
  CtScheduler *core = g_steal_pointer (&self->core);
  GSource *sources[] = { self->worker, self->fence, self->sentinel, self->jump };

  g_object_ref (self);
  self->is_shut_down = TRUE;
  self->inbox.head = COTHREAD_INBOX_CLOSED;
  if (core != NULL)
    {
      core->is_loop_asleep = FALSE;
      for (CtLink *link = core->all.next; link != &core->all; link = link->next)
        CT_CONTAINER_OF (link, CothreadTask, core.all)->scheduler = NULL;
    }
  /* Contexts of other threads have nobody to iterate them any more. */
  if (self->context != NULL && cothread_scheduler_is_own_thread (self))
    for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
      if (sources[i] != NULL && !g_source_is_destroyed (sources[i]))
        g_source_destroy (sources[i]);
  self->context = NULL;
}

/**
 * cothread_forked: (skip)
 *
 * To be called in the child of `fork()`, before anything else of the library,
 * if the child is to use it: forgets all schedulers and their tasks, which are
 * the parent's. The next use makes new ones, and the stack that the child runs
 * on, be it that of a task, is the thread's own from then on. It must not
 * return into what called it before the fork: into the function of a task or a
 * handler that was running.
 *
 * Waits work in a child that was forked outside of any dispatch. In others they
 * fail with %COTHREAD_ERROR_WRONG_CONTEXT: GLib takes them to be inside a
 * handler.
 *
 * Since: 0.1
 */
void
cothread_forked (void)
{
  cothread_registry_forget_all ();
  cothread_running_scheduler = NULL;
  for (CothreadScheduler *self = cothread_all_schedulers; self != NULL; self = self->next_of_all)
    abandon (self);
  cothread_all_schedulers = NULL;
}
