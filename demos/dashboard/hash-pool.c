/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hash-pool.h"

#include "hash-file.h"

#include <sys/resource.h>
#include <unistd.h>

/* More files than this waiting for a worker would only use memory. */
#define BACKLOG 64
#define RETRY_US 2000
#define LONGEST_REST_US 50000

struct _DashHashPool
{
  DashProbe *probe;
  DashHashDone done;
  gpointer user_data;
  GAsyncQueue *paths; /* an empty path ends the worker that takes it */
  GPtrArray *threads;
  guint pending; /* atomic; files pushed whose result is not freed yet */
  guint lost;    /* atomic; results that were dropped on the way */
  int stopping;  /* atomic */
};

static void
result_clear (gpointer data)
{
  DashHashResult *result = data;

  if (!result->delivered)
    g_atomic_int_inc (&result->pool->lost);
  g_atomic_int_add (&result->pool->pending, -1);
}

/* Any thread: after the callback, or by whoever drops the entry. */
static void
result_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, result_clear);
}

static void
deliver (gpointer data)
{
  DashHashResult *result = data;

  result->delivered = TRUE;
  result->pool->done (result, result->pool->user_data);
}

/* A result is worth keeping: where the queue refuses it, try again later. A
 * failed post frees what it was given, so each try gets a reference. */
static void
bring_home (DashHashPool *self, DashHashResult *result)
{
  while (!g_atomic_int_get (&self->stopping))
    {
      g_autoptr (GError) error = NULL;

      if (cothread_callback_queue_post_full (self->probe->queue, COTHREAD_CALLBACK_DESTROY_ANYWHERE, deliver,
                                             g_atomic_rc_box_acquire (result), result_unref, &error))
        {
          dash_probe_note (self->probe);
          break;
        }
      if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED))
        break;
      g_usleep (RETRY_US);
    }

  result_unref (result);
}

static gpointer
work (gpointer data)
{
  DashHashPool *self = data;

  /* On Linux this concerns the calling thread alone. The window goes first. */
  if (setpriority (PRIO_PROCESS, gettid (), 10) != 0)
    g_debug ("Could not lower the priority of a worker");

  for (;;)
    {
      g_autofree char *path = g_async_queue_pop (self->paths);
      gint64 began = g_get_monotonic_time ();
      DashHashResult *result;

      if (*path == '\0' || g_atomic_int_get (&self->stopping))
        return NULL;

      result = g_atomic_rc_box_new0 (DashHashResult);
      result->pool = self;
      result->failed = !dash_hash_file (path, &self->stopping, result->digest, &result->bytes);
      bring_home (self, result);

      /* An indexer that nobody waits for leaves half of its time to others. */
      g_usleep (MIN (g_get_monotonic_time () - began, LONGEST_REST_US));
    }
}

DashHashPool *
dash_hash_pool_new (DashProbe *probe, guint n_threads, DashHashDone done, gpointer user_data)
{
  DashHashPool *self = g_new0 (DashHashPool, 1);

  self->probe = probe;
  self->done = done;
  self->user_data = user_data;
  self->paths = g_async_queue_new_full (g_free);
  self->threads = g_ptr_array_new ();
  for (guint i = 0; i < n_threads; i++)
    g_ptr_array_add (self->threads, g_thread_new ("hash", work, self));

  return self;
}

gboolean
dash_hash_pool_has_room (DashHashPool *self)
{
  return g_async_queue_length (self->paths) < BACKLOG;
}

/* Takes the path. */
void
dash_hash_pool_push (DashHashPool *self, char *path)
{
  g_atomic_int_inc (&self->pending);
  g_async_queue_push (self->paths, path);
}

guint
dash_hash_pool_get_pending (DashHashPool *self)
{
  return g_atomic_int_get (&self->pending);
}

guint
dash_hash_pool_get_lost (DashHashPool *self)
{
  return g_atomic_int_get (&self->lost);
}

/* Ends the workers. The queue must be closed before: a worker that is blocked
 * by a full queue comes back only then, and no result may arrive afterwards. */
void
dash_hash_pool_free (DashHashPool *self)
{
  g_atomic_int_set (&self->stopping, TRUE);
  for (guint i = 0; i < self->threads->len; i++)
    g_async_queue_push_front (self->paths, g_strdup (""));
  for (guint i = 0; i < self->threads->len; i++)
    g_thread_join (g_ptr_array_index (self->threads, i));

  g_ptr_array_unref (self->threads);
  g_async_queue_unref (self->paths);
  g_free (self);
}
