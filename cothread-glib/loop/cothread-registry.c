/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-fork-private.h"
#include "loop/cothread-scheduler-private.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

__thread CothreadScheduler *cothread_running_scheduler = NULL;
__thread gsize cothread_thread_number;

gsize
cothread_thread_take_number (void)
{
  static gsize last; /* atomic */

  cothread_thread_number = __atomic_add_fetch (&last, 1, __ATOMIC_RELAXED);
  return cothread_thread_number;
}

/* POSIX's own, which ThreadSanitizer understands. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *registry; /* GMainContext -> CothreadScheduler, neither referenced */

CothreadScheduler *
cothread_registry_lookup (GMainContext *context, gboolean *is_taken)
{
  CothreadScheduler *found;

  cothread_fork_clean_up ();
  pthread_mutex_lock (&registry_lock);
  found = registry != NULL ? g_hash_table_lookup (registry, context) : NULL;
  *is_taken = found != NULL;
  /* Another thread's may be gone as soon as the lock is. */
  if (found != NULL && !cothread_scheduler_is_own_thread (found))
    found = NULL;
  pthread_mutex_unlock (&registry_lock);
  return found;
}

static GMainContext *
own_context (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  return context != NULL ? context : g_main_context_default ();
}

CothreadScheduler *
cothread_registry_peek (void)
{
  gboolean is_taken;

  return cothread_running_scheduler != NULL ? cothread_running_scheduler
                                            : cothread_registry_lookup (own_context (), &is_taken);
}

gboolean
cothread_registry_add (GMainContext *context, CothreadScheduler *self)
{
  gboolean is_first;

  pthread_mutex_lock (&registry_lock);
  if (registry == NULL)
    registry = g_hash_table_new (NULL, NULL);
  is_first = !g_hash_table_contains (registry, context);
  if (is_first)
    g_hash_table_insert (registry, context, self);
  pthread_mutex_unlock (&registry_lock);
  return is_first;
}

void
cothread_registry_remove (GMainContext *context, CothreadScheduler *self)
{
  pthread_mutex_lock (&registry_lock);
  if (registry != NULL && g_hash_table_lookup (registry, context) == self)
    g_hash_table_remove (registry, context);
  if (registry != NULL && g_hash_table_size (registry) == 0)
    g_clear_pointer (&registry, g_hash_table_unref);
  pthread_mutex_unlock (&registry_lock);
}

void
cothread_registry_lock_for_fork (void)
{
  pthread_mutex_lock (&registry_lock);
}

void
cothread_registry_unlock_for_fork (void)
{
  pthread_mutex_unlock (&registry_lock);
}

/* In the child of a fork. */
void
cothread_registry_forget_all (void)
{
  g_clear_pointer (&registry, g_hash_table_unref);
}

/* A worker thread that forgot to push a context of its own must not become the
 * home of the program's default scheduler. */
static gboolean
may_own_context (GMainContext *context)
{
  if (g_main_context_is_owner (context))
    return TRUE;
  if (context == g_main_context_default () && syscall (SYS_gettid) != getpid ())
    return FALSE;
  if (!g_main_context_acquire (context))
    return FALSE;
  g_main_context_release (context);
  return TRUE;
}

gboolean
cothread_registry_may_own (GMainContext *context, gboolean is_taken, GError **error)
{
  if (!is_taken && may_own_context (context))
    return TRUE;
  g_set_error_literal (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT,
                       "The context of this thread belongs to another thread: push a thread-default GMainContext "
                       "first, or post to the callback queue of the scheduler that is meant");
  return FALSE;
}

CothreadScheduler *
cothread_scheduler_ensure (GError **error)
{
  GMainContext *context;
  CothreadScheduler *self = cothread_running_scheduler;
  gboolean is_taken;

  if (self != NULL)
    return self;
  context = own_context ();
  self = cothread_registry_lookup (context, &is_taken);
  if (self != NULL)
    return self;
  if (!cothread_registry_may_own (context, is_taken, error))
    return NULL;
  self = cothread_scheduler_new (error);
  if (self == NULL)
    return NULL;
  cothread_scheduler_attach (self, context);
  /* The context's source holds it from here on. */
  g_object_unref (self);
  return self;
}
