/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-fork-private.h"
#include "loop/cothread-quit-private.h"
#include "loop/cothread-quit.h"

#include <glib-unix.h>
#include <signal.h>

/* Who wants to hear of the end: a post for each scheduler, so that cothread_quit()
 * in any thread reaches those who wait in every other. */

static GMutex posts_lock;
static CtLink posts = { &posts, &posts }; /* under the lock */
static gint is_quitting;                  /* atomic */

void
cothread_quit_lock_for_fork (void)
{
  g_mutex_lock (&posts_lock);
}

void
cothread_quit_unlock_for_fork (void)
{
  g_mutex_unlock (&posts_lock);
}

static void
post_unref (CothreadQuitPost *self)
{
  if (g_atomic_ref_count_dec (&self->ref_count))
    g_free (self);
}

static void
deliver (CothreadMail *mail)
{
  CothreadQuitPost *self = CT_CONTAINER_OF (mail, CothreadQuitPost, mail);

  if (self->scheduler != NULL)
    while (ct_link_is_linked (&self->waiters))
      {
        CtWaiter *waiter = CT_CONTAINER_OF (self->waiters.next, CtWaiter, link);

        ct_task_fire (waiter->task, CT_WAKE_NORMAL, waiter);
      }
  post_unref (self);
}

void
cothread_quit_post_drop (CothreadQuitPost *self)
{
  ct_link_unlink (&self->hook.link);
  g_mutex_lock (&posts_lock);
  ct_link_unlink (&self->link);
  g_mutex_unlock (&posts_lock);
  if (self->sigint != NULL)
    cothread_leave_context (self->sigint);
  g_clear_pointer (&self->sigint, g_source_unref);
  self->scheduler->quit_post = NULL;
  self->scheduler = NULL;
  /* Those who wait are cancelled next, and stand in no line of ours then. */
  while (ct_link_is_linked (&self->waiters))
    ct_link_unlink (self->waiters.next);
  post_unref (self);
}

static void
scheduler_shuts_down (CtLink *link)
{
  cothread_quit_post_drop (CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadQuitPost, hook));
}

CothreadQuitPost *
cothread_quit_post_ensure (CothreadScheduler *scheduler)
{
  CothreadQuitPost *self = scheduler->quit_post;

  if (self != NULL)
    return self;
  self = g_new0 (CothreadQuitPost, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->scheduler = scheduler;
  self->mail.deliver = deliver;
  self->hook.run = self->hook.forked = scheduler_shuts_down;
  ct_link_init (&self->waiters);
  ct_link_insert_before (&scheduler->shutdown_hooks, &self->hook.link);
  scheduler->quit_post = self;
  g_mutex_lock (&posts_lock);
  ct_link_insert_before (&posts, &self->link);
  g_mutex_unlock (&posts_lock);
  return self;
}

static gboolean
on_sigint (gpointer data)
{
  CothreadScheduler *scheduler = data;

  if (scheduler->quit_post == NULL)
    return G_SOURCE_REMOVE;
  if (scheduler->quit_post->n_catchers > 0)
    cothread_quit ();
  else
    cothread_scheduler_interrupt (scheduler);
  return G_SOURCE_CONTINUE;
}

gboolean
cothread_quit_post_update_sigint (CothreadQuitPost *self, GError **error)
{
  gboolean is_wanted = self->n_catchers > 0 || self->is_interrupt;

  if (is_wanted == (self->sigint != NULL))
    return TRUE;
  if (!is_wanted)
    {
      cothread_leave_context (self->sigint);
      g_clear_pointer (&self->sigint, g_source_unref);
      return TRUE;
    }
  if (self->scheduler->context == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "Ctrl-C can be caught only where a main context drives the scheduler");
      return FALSE;
    }
  self->sigint = g_unix_signal_source_new (SIGINT);
  /* A program that is too busy to be interrupted is what it is for. */
  g_source_set_priority (self->sigint, G_PRIORITY_HIGH);
  g_source_set_static_name (self->sigint, "cothread Ctrl-C");
  g_source_set_can_recurse (self->sigint, TRUE);
  g_source_set_callback (self->sigint, on_sigint, self->scheduler, NULL);
  g_source_attach (self->sigint, self->scheduler->context);
  return TRUE;
}

/**
 * cothread_quit:
 *
 * Says that the program is to end: everybody who waits in
 * cothread_wait_for_quit(), in whatever thread, goes on, and who calls it from
 * now on does not wait. Nothing else happens; what has to end is the program's
 * business. There is no way back, and calling it again does nothing.
 *
 * May be called in any thread, in tasks, callbacks and handlers, but not in a
 * handler that sigaction() installed: use g_unix_signal_add(). Never suspends.
 *
 * Since: 0.1
 */
void
cothread_quit (void)
{
  g_mutex_lock (&posts_lock);
  g_atomic_int_set (&is_quitting, TRUE);
  for (CtLink *link = posts.next; link != &posts; link = link->next)
    {
      CothreadQuitPost *post = CT_CONTAINER_OF (link, CothreadQuitPost, link);

      if (post->is_posted)
        continue;
      post->is_posted = TRUE;
      g_atomic_ref_count_inc (&post->ref_count);
      cothread_scheduler_post_mail (post->scheduler, &post->mail);
    }
  g_mutex_unlock (&posts_lock);
}

/**
 * cothread_is_quitting:
 *
 * May be called in any thread; never suspends.
 *
 * Returns: whether cothread_quit() was called
 *
 * Since: 0.1
 */
gboolean
cothread_is_quitting (void)
{
  return g_atomic_int_get (&is_quitting);
}
