/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-entries.h"

#include <pthread.h>

#define BATCH 32
#define MAX_SHARED 1024

/* What this thread has taken. */
static __thread CothreadEntry *spares __attribute__ ((tls_model ("initial-exec")));
static __thread gboolean is_watched __attribute__ ((tls_model ("initial-exec")));
static pthread_key_t thread_end;

static void
thread_ends (G_GNUC_UNUSED void *unused)
{
  cothread_entry_release_all (g_steal_pointer (&spares));
  is_watched = FALSE;
}

static void
make_key (void)
{
  pthread_key_create (&thread_end, thread_ends);
}

/* So that nothing is lost with this thread. */
static void
watch_thread (void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  if (is_watched)
    return;
  pthread_once (&once, make_key);
  is_watched = pthread_setspecific (thread_end, &spares) == 0;
}

static CothreadEntry *
take_all (CothreadEntryPool *pool)
{
  CothreadEntry *all;

  if (__atomic_load_n (&pool->shared, __ATOMIC_RELAXED) == NULL)
    return NULL;
  all = __atomic_exchange_n (&pool->shared, NULL, __ATOMIC_ACQUIRE);
  __atomic_store_n (&pool->n_shared, 0, __ATOMIC_RELAXED);
  return all;
}

CothreadEntry *
cothread_entry_pool_get (CothreadEntryPool *pool, CothreadCallbackFlags flags, CothreadCallbackFunc func,
                         gpointer user_data, GDestroyNotify user_data_destroy)
{
  CothreadEntry *entry = spares;

  if (G_UNLIKELY (entry == NULL))
    {
      entry = take_all (pool);
      if (entry == NULL)
        entry = cothread_entry_alloc_some ();
      watch_thread ();
    }
  spares = entry->next;
  cothread_entry_init (entry, flags, func, user_data, user_data_destroy);
  return entry;
}

static void
share_batch (CothreadEntryPool *pool)
{
  CothreadEntry *first = g_steal_pointer (&pool->first);
  guint n = pool->n;

  pool->n = 0;
  if (__atomic_load_n (&pool->n_shared, __ATOMIC_RELAXED) >= MAX_SHARED)
    {
      cothread_entry_release_all (first);
      return;
    }
  pool->last->next = __atomic_load_n (&pool->shared, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n (&pool->shared, &pool->last->next, first, TRUE, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
    ;
  __atomic_fetch_add (&pool->n_shared, n, __ATOMIC_RELAXED);
}

void
cothread_entry_pool_put (CothreadEntryPool *pool, CothreadEntry *entry)
{
  if (!COTHREAD_ENTRIES_ARE_KEPT || (entry->flags & COTHREAD_ENTRY_HAS_KEY) != 0)
    {
      cothread_entry_free (entry);
      return;
    }
  if (entry->user_data_destroy != NULL)
    entry->user_data_destroy (entry->user_data);
  entry->next = pool->first;
  if (pool->first == NULL)
    pool->last = entry;
  pool->first = entry;
  if (++pool->n >= BATCH)
    share_batch (pool);
}

void
cothread_entry_pool_clear (CothreadEntryPool *pool)
{
  cothread_entry_release_all (g_steal_pointer (&pool->first));
  cothread_entry_release_all (__atomic_exchange_n (&pool->shared, NULL, __ATOMIC_ACQUIRE));
  pool->n = 0;
}
