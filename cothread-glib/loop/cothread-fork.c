/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-fork.h"
#include "loop/cothread-fork-private.h"
#include "loop/cothread-task-private.h"

#include <pthread.h>
#include <unistd.h>

/* What becomes of schedulers in the child of a fork, in two steps.
 *
 * At once, in the handler that fork() calls, where next to nothing may be done:
 * each is marked as shut down, and nothing of it runs any more. Its tasks are
 * the parent's, even the one that forked: that goes on, on the stack it is on,
 * as the child's main code. If its function returns, the turn ends, and the
 * child is back in the main loop, without tasks.
 *
 * Later, when the child uses the library or runs a main loop of the parent's,
 * what is left is taken down. Only memory is touched, and descriptors are
 * closed: an epoll set, a timer, an eventfd is one thing in both processes, and
 * what is taken out of it here is lost to the parent. */

guint cothread_fork_generation;
guint cothread_fork_cleaned;
static pid_t noticed_in;
static CothreadScheduler *inherited; /* what tasks' stacks may refer to is kept */

static void
before_fork (void)
{
  cothread_quit_lock_for_fork (); /* first: it may be held when the others are taken */
  cothread_registry_lock_for_fork ();
  cothread_all_schedulers_lock_for_fork ();
}

static void
in_parent (void)
{
  cothread_all_schedulers_unlock_for_fork ();
  cothread_registry_unlock_for_fork ();
  cothread_quit_unlock_for_fork ();
}

static void
mark (CothreadScheduler *self)
{
  if (self->is_of_parent)
    return;
  self->is_of_parent = TRUE;
  g_object_ref (self);
  self->is_shut_down = TRUE;
  self->inbox.head = COTHREAD_INBOX_CLOSED;
  if (self->core != NULL)
    ct_scheduler_abandon (self->core);
}

static void
mark_all (void)
{
  noticed_in = getpid ();
  __atomic_store_n (&cothread_fork_generation, cothread_fork_generation + 1, __ATOMIC_RELAXED);
  cothread_running_scheduler = NULL;
  for (CothreadScheduler *self = cothread_all_schedulers; self != NULL; self = self->next_of_all)
    mark (self);
}

static void
in_child (void)
{
  in_parent ();
  mark_all ();
}

static void
begin_to_watch (void)
{
  noticed_in = getpid ();
  pthread_atfork (before_fork, in_parent, in_child);
}

void
cothread_fork_watch (void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once (&once, begin_to_watch);
}

static void
call_forked (CtLink *hooks)
{
  CtLink *link = hooks->next;

  while (link != hooks)
    {
      CothreadShutdownHook *hook = CT_CONTAINER_OF (link, CothreadShutdownHook, link);

      link = link->next;
      if (hook->forked != NULL)
        {
          ct_link_unlink (&hook->link);
          hook->forked (&hook->link);
        }
    }
}

static void
destroy_sources (CothreadScheduler *self)
{
  GSource *sources[] = { self->worker, self->fence, self->sentinel, self->jump };

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    if (sources[i] != NULL && !g_source_is_destroyed (sources[i]))
      g_source_destroy (sources[i]);
}

/* Whether the fork was made from inside it, so that there are frames of it to
 * return to. */
static gboolean
is_in_use (const CtScheduler *core)
{
  return core->frame != NULL || core->current != &core->main || core->main.wake == CT_WAKE_ABANDONED;
}

static void
take_down (CothreadScheduler *self)
{
  CtScheduler *core = self->core;

  /* Contexts of other threads have nobody to iterate them any more. */
  if (self->context != NULL && cothread_scheduler_is_own_thread (self))
    destroy_sources (self);
  self->context = NULL;
  call_forked (&self->shutdown_hooks);
  call_forked (&self->end_hooks);
  if (self->wake_fd >= 0)
    close (self->wake_fd);
  self->wake_fd = -1;
  if (core == NULL)
    return;
  ct_scheduler_lay_tasks (core);
  for (CtLink *link = core->all.next; link != &core->all; link = link->next)
    CT_CONTAINER_OF (link, CothreadTask, core.all)->scheduler = NULL;
  if (is_in_use (core))
    return;
  g_clear_pointer (&core->poller, ct_poller_free);
  ct_tick_counter_clear (&core->ticks_counter);
  self->core = NULL;
  self->core_of_parent = core;
}

void
cothread_fork_clean_up_slowly (void)
{
  CothreadScheduler **at = &cothread_all_schedulers;

  cothread_fork_cleaned = cothread_fork_generation;
  cothread_registry_forget_all ();
  while (*at != NULL)
    {
      CothreadScheduler *self = *at;

      if (!self->is_of_parent)
        {
          at = &self->next_of_all;
          continue;
        }
      *at = self->next_of_all;
      self->next_of_all = inherited;
      inherited = self;
      take_down (self);
    }
}

/**
 * cothread_forked: (skip)
 *
 * In the child of `fork()` all schedulers and their tasks are the parent's: they
 * are forgotten, and the next use of the library makes new ones. That happens by
 * itself, and this need not be called. It is for children that are made without
 * `fork()`, by `_Fork()` or `clone()`, before anything else of the library; and
 * for those who want the descriptors of the parent's schedulers closed at once
 * rather than at the first use.
 *
 * The child goes on where it is; the stack that it runs on, be it that of a
 * task, is the thread's own from then on. Waits work in a child that was forked
 * outside of any dispatch. In others they fail with
 * %COTHREAD_ERROR_WRONG_CONTEXT: GLib takes them to be inside a handler.
 *
 * Since: 0.1
 */
void
cothread_forked (void)
{
  if (noticed_in != 0 && noticed_in != getpid ())
    mark_all ();
  cothread_fork_clean_up ();
}
