/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-warning-private.h"

#include "loop/cothread-scheduler-private.h"

#include <gio/gio.h>

struct _CothreadChecker
{
  CothreadScheduler *scheduler; /* not referenced */
  GHashTable *told;    /* deadlocks and lost waiters that still are: kind and id as text */
  GPtrArray *failures; /* under the lock; from any thread */
};

/* A look visits them all, in some 100 ns each: a million would hold the loop for
 * a tenth of a second, every second. */
#define MOST_TASKS 100000

static GMutex lock;
static GPtrArray *checkers; /* under the lock */

static void
note_failure (const CothreadTask *task)
{
  g_mutex_lock (&lock);
  for (guint i = 0; i < checkers->len; i++)
    {
      CothreadChecker *checker = checkers->pdata[i];
      char *message = g_strdup_printf ("Forgotten failure: task %s (%" G_GUINT64_FORMAT ") failed and nobody joined it: %s",
                                       cothread_task_get_name ((CothreadTask *) task), task->core.id, task->error->message);
      char *valid = g_utf8_make_valid (message, -1);

      g_ptr_array_add (checker->failures, cothread_warning_new (COTHREAD_WARNING_FORGOTTEN_FAILURE, task, valid));
      g_free (message);
    }
  g_mutex_unlock (&lock);
}

CothreadChecker *
cothread_checker_new (CothreadScheduler *scheduler)
{
  CothreadChecker *self = g_new0 (CothreadChecker, 1);

  self->scheduler = scheduler;
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->failures = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_warning_free);
  g_mutex_lock (&lock);
  if (checkers == NULL)
    checkers = g_ptr_array_new ();
  g_ptr_array_add (checkers, self);
  __atomic_store_n (&cothread_task_forgotten_failure, note_failure, __ATOMIC_RELEASE);
  g_mutex_unlock (&lock);
  return self;
}

void
cothread_checker_free (CothreadChecker *self)
{
  if (self == NULL)
    return;
  g_mutex_lock (&lock);
  g_ptr_array_remove_fast (checkers, self);
  if (checkers->len == 0)
    __atomic_store_n (&cothread_task_forgotten_failure, NULL, __ATOMIC_RELEASE);
  g_mutex_unlock (&lock);
  g_hash_table_unref (self->told);
  g_ptr_array_unref (self->failures);
  g_free (self);
}

static void
take_failures (CothreadChecker *self, GPtrArray *fresh)
{
  g_mutex_lock (&lock);
  for (guint i = 0; i < self->failures->len; i++)
    g_ptr_array_add (fresh, cothread_warning_copy (self->failures->pdata[i]));
  g_ptr_array_set_size (self->failures, 0);
  g_mutex_unlock (&lock);
}

static void
find_lost (CothreadChecker *self, GPtrArray *fresh)
{
  g_autoptr (GPtrArray) lost = cothread_scheduler_find_lost_waiters (self->scheduler);
  GHashTable *still = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < lost->len; i++)
    {
      const CothreadWarning *warning = lost->pdata[i];
      char *key = g_strdup_printf ("%d %" G_GUINT64_FORMAT, (int) warning->kind, warning->task_id);

      if (!g_hash_table_contains (self->told, key))
        g_ptr_array_add (fresh, cothread_warning_copy (warning));
      g_hash_table_add (still, key);
    }
  g_hash_table_unref (self->told);
  self->told = still;
}

GPtrArray *
cothread_checker_run (CothreadChecker *self)
{
  GPtrArray *fresh = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_warning_free);

  if (self->scheduler->core != NULL && self->scheduler->core->n_live <= MOST_TASKS)
    find_lost (self, fresh);
  take_failures (self, fresh);
  return fresh;
}
