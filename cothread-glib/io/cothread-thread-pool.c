/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/cothread-thread-pool-private.h"
#include "io/cothread-thread.h"

#include <pthread.h>
#include <unistd.h>

/* The threads that blocking work runs in, for all schedulers together. Work that
 * blocks needs no processor, so there may be many more than those. */

#define DEFAULT_MAX_THREADS 32
#define MAX_MAX_THREADS 10000
#define IDLE_US (10 * G_USEC_PER_SEC) /* then a thread ends */

/* GThreadPool goes on using more threads for a while when it is told to use
 * fewer, and keeps a job that it could start no thread for. */
typedef struct
{
  pid_t owner; /* the child of a fork inherits a pool without its threads */
  /* Not GLib's: ThreadSanitizer sees what these order. */
  pthread_mutex_t lock;
  pthread_cond_t has_job;
  gboolean has_cond;
  GQueue jobs; /* that wait for a thread */
  guint n_threads;
  guint n_idle;
} Pool;

static Pool pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .jobs = G_QUEUE_INIT };
static guint max_threads = DEFAULT_MAX_THREADS; /* under the lock */

/* Under the lock, once. */
static void
make_cond (void)
{
  pthread_condattr_t attributes;

  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&pool.has_job, &attributes);
  pthread_condattr_destroy (&attributes);
  pool.has_cond = TRUE;
}

static void
lock_pool (void)
{
  pid_t self = getpid ();

  if (__atomic_load_n (&pool.owner, __ATOMIC_RELAXED) != self)
    {
      pid_t nobody = 0;

      /* A forked child has one thread, so nobody else does the same. */
      if (!__atomic_compare_exchange_n (&pool.owner, &nobody, self, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED) && nobody != self)
        pool = (Pool) { .owner = self, .lock = PTHREAD_MUTEX_INITIALIZER, .jobs = G_QUEUE_INIT };
    }
  pthread_mutex_lock (&pool.lock);
  if (!pool.has_cond)
    make_cond ();
}

/* Under the lock: whether there was a signal. */
static gboolean
wait_while_idle (void)
{
  gint64 end_us = g_get_monotonic_time () + IDLE_US;
  struct timespec end = { end_us / G_USEC_PER_SEC, end_us % G_USEC_PER_SEC * 1000 };
  gboolean was_woken;

  pool.n_idle++;
  was_woken = pthread_cond_timedwait (&pool.has_job, &pool.lock, &end) == 0;
  pool.n_idle--;
  return was_woken;
}

/* Under the lock. NULL: the thread is not needed any more. */
static CothreadThreadJob *
next_job (void)
{
  while (pool.n_threads <= max_threads)
    {
      CothreadThreadJob *job = g_queue_pop_head (&pool.jobs);

      if (job != NULL)
        return job;
      if (!wait_while_idle () && g_queue_is_empty (&pool.jobs))
        return NULL;
    }
  return NULL;
}

static gpointer
work (G_GNUC_UNUSED gpointer unused)
{
  CothreadThreadJob *job;

  pthread_mutex_lock (&pool.lock);
  while ((job = next_job ()) != NULL)
    {
      pthread_mutex_unlock (&pool.lock);
      job->run (job);
      pthread_mutex_lock (&pool.lock);
    }
  pool.n_threads--;
  pthread_mutex_unlock (&pool.lock);
  return NULL;
}

/* Under the lock. */
static gboolean
start_thread (GError **error)
{
  GThread *thread = g_thread_try_new ("cothread work", work, NULL, error);

  if (thread == NULL)
    return FALSE;
  g_thread_unref (thread);
  pool.n_threads++;
  return TRUE;
}

gboolean
cothread_thread_pool_push (CothreadThreadJob *job, GError **error)
{
  gboolean is_pushed = TRUE;

  lock_pool ();
  g_queue_push_tail (&pool.jobs, job);
  /* Those that were woken and do not run yet count as idle, and so do their
   * jobs as waiting. */
  if (pool.jobs.length > pool.n_idle && pool.n_threads < max_threads)
    {
      /* If there are others, they come to it. */
      if (!start_thread (pool.n_threads == 0 ? error : NULL) && pool.n_threads == 0)
        {
          g_queue_remove (&pool.jobs, job);
          is_pushed = FALSE;
        }
    }
  else if (pool.n_idle > 0)
    pthread_cond_signal (&pool.has_job);
  pthread_mutex_unlock (&pool.lock);
  return is_pushed;
}

gboolean
cothread_thread_pool_take_back (CothreadThreadJob *job)
{
  gboolean was_waiting;

  lock_pool ();
  was_waiting = g_queue_remove (&pool.jobs, job);
  pthread_mutex_unlock (&pool.lock);
  return was_waiting;
}

/**
 * cothread_set_max_threads:
 * @n_threads: 1 to 10 000
 *
 * Sets how many threads may run work for cothread_run_in_thread() at once, in
 * the whole process; 32 unless set. What comes beyond waits for a thread. With a
 * smaller number the present work goes on.
 *
 * May be called in any thread; never suspends.
 *
 * Since: 0.1
 */
void
cothread_set_max_threads (guint n_threads)
{
  g_return_if_fail (n_threads >= 1 && n_threads <= MAX_MAX_THREADS);

  lock_pool ();
  max_threads = n_threads;
  pthread_cond_broadcast (&pool.has_job); /* those that are too many end */
  for (guint i = pool.n_idle; i < pool.jobs.length && pool.n_threads < max_threads; i++)
    if (!start_thread (NULL))
      break;
  pthread_mutex_unlock (&pool.lock);
}

/**
 * cothread_get_max_threads:
 *
 * May be called in any thread; never suspends.
 *
 * Returns: how many threads may run work for cothread_run_in_thread() at once
 *
 * Since: 0.1
 */
guint
cothread_get_max_threads (void)
{
  guint n_threads;

  lock_pool ();
  n_threads = max_threads;
  pthread_mutex_unlock (&pool.lock);
  return n_threads;
}
