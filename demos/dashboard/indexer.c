/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "indexer.h"

#include "folder-walk.h"

#define N_HASHERS 2
#define N_WALKERS 3
#define REST_US (2 * G_USEC_PER_SEC)

struct _DashIndexer
{
  DashFolderWalk walk;
  char *root;
  CothreadTask *task;
  CothreadTask *walkers[N_WALKERS];
  GHashTable *seen;      /* of digests, which live in the chunk */
  GStringChunk *digests;
  DashIndexProgress progress;
};

/* Runs in the main thread, once a file: no lock guards the table. */
static void
on_hashed (const DashHashResult *result, gpointer user_data)
{
  DashIndexer *self = user_data;

  cothread_event_signal (self->walk.room);
  if (result->failed)
    {
      self->progress.failed++;
      return;
    }

  self->progress.files++;
  self->progress.bytes += result->bytes;
  if (result->bytes == 0)
    return;
  if (g_hash_table_contains (self->seen, result->digest))
    self->progress.duplicates++;
  else
    g_hash_table_add (self->seen, g_string_chunk_insert_len (self->digests, (const char *) result->digest,
                                                             DASH_DIGEST_BYTES));
}

static guint
digest_hash (gconstpointer key)
{
  guint hash;

  memcpy (&hash, key, sizeof hash);
  return hash;
}

static gboolean
digest_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, DASH_DIGEST_BYTES) == 0;
}

static void
start_over (DashIndexer *self)
{
  guint rounds = self->progress.rounds;

  self->progress = (DashIndexProgress) { .rounds = rounds };
  g_hash_table_remove_all (self->seen);
  g_string_chunk_clear (self->digests);
}

/* Several walkers share the folders still to be listed. They are tasks of one
 * thread, so that is a plain queue. */
static gboolean
index_once (DashIndexer *self, GError **error)
{
  dash_folder_walk_begin (&self->walk, self->root);
  for (guint i = 0; i < N_WALKERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("walker %u", i + 1);

      self->walkers[i] = cothread_spawn_full (dash_folder_walk_run, &self->walk,
                                              &(CothreadSpawnOptions) { .name = name }, error);
      if (self->walkers[i] == NULL)
        return FALSE;
    }

  for (guint i = 0; i < N_WALKERS; i++)
    {
      if (!cothread_task_join (self->walkers[i], COTHREAD_FOREVER, NULL, error))
        return FALSE;
      g_clear_pointer (&self->walkers[i], cothread_task_unref);
    }

  return dash_folder_walk_drain (&self->walk, error);
}

static gpointer
index_folder (gpointer user_data, GError **error)
{
  DashIndexer *self = user_data;

  while (index_once (self, error))
    {
      self->progress.rounds++;
      self->progress.resting = TRUE;
      if (!cothread_sleep (REST_US, error))
        break;
      start_over (self);
    }

  return NULL;
}

DashIndexer *
dash_indexer_new (const char *root, DashProbe *probe)
{
  DashIndexer *self = g_new0 (DashIndexer, 1);

  self->root = g_strdup (root);
  self->seen = g_hash_table_new (digest_hash, digest_equal);
  self->digests = g_string_chunk_new (64 * 1024);
  dash_folder_walk_init (&self->walk, dash_hash_pool_new (probe, N_HASHERS, on_hashed, self));
  self->task = cothread_spawn_full (index_folder, self, &(CothreadSpawnOptions) { .name = "index" }, NULL);

  return self;
}

void
dash_indexer_set_enabled (DashIndexer *self, gboolean enabled)
{
  if (enabled)
    cothread_event_signal (self->walk.enabled);
  else
    cothread_event_reset (self->walk.enabled);
}

const DashIndexProgress *
dash_indexer_get_progress (DashIndexer *self)
{
  self->progress.lost = dash_hash_pool_get_lost (self->walk.pool);
  return &self->progress;
}

const char *
dash_indexer_get_root (DashIndexer *self)
{
  return self->root;
}

static void
stop_task (CothreadTask **task)
{
  if (*task == NULL)
    return;

  cothread_task_cancel (*task);
  cothread_task_join (*task, COTHREAD_FOREVER, NULL, NULL);
  g_clear_pointer (task, cothread_task_unref);
}

/* From another task, with the queue closed. The indexing task cannot wait for
 * its walkers once it is cancelled: cancellation is sticky. */
void
dash_indexer_stop (DashIndexer *self)
{
  stop_task (&self->task);
  for (guint i = 0; i < N_WALKERS; i++)
    stop_task (&self->walkers[i]);
}

void
dash_indexer_free (DashIndexer *self)
{
  dash_folder_walk_clear (&self->walk);
  g_hash_table_unref (self->seen);
  g_string_chunk_free (self->digests);
  g_free (self->root);
  g_free (self);
}
