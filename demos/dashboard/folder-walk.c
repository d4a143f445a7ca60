/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "folder-walk.h"

#include "listing.h"

/* Results may be dropped on the way (that is an overflow policy), and then
 * nobody signals: look again after this long. */
#define LOOK_AGAIN_US 20000

void
dash_folder_walk_init (DashFolderWalk *self, DashHashPool *pool)
{
  self->pool = pool;
  self->more = cothread_pulse_new ();
  self->room = cothread_event_new (TRUE);
  self->enabled = cothread_event_new (FALSE);
  cothread_event_signal (self->enabled);
  g_queue_init (&self->folders);
}

void
dash_folder_walk_begin (DashFolderWalk *self, const char *root)
{
  g_queue_push_tail (&self->folders, g_strdup (root));
}

static gboolean
wait_for_room (DashFolderWalk *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (cothread_event_wait (self->room, LOOK_AGAIN_US, &local) ||
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* Suspends while the workers are behind, instead of blocking the main thread. */
static gboolean
hand_over (DashFolderWalk *self, char *path, GError **error)
{
  while (!dash_hash_pool_has_room (self->pool))
    if (!wait_for_room (self, error))
      {
        g_free (path);
        return FALSE;
      }

  dash_hash_pool_push (self->pool, path);
  return TRUE;
}

static gboolean
visit (DashFolderWalk *self, const char *folder, GFileInfo *info, GError **error)
{
  char *path = g_build_filename (folder, g_file_info_get_name (info), NULL);

  switch (g_file_info_get_file_type (info))
    {
    case G_FILE_TYPE_DIRECTORY:
      /* Newest first: the list of folders stays short. */
      g_queue_push_head (&self->folders, path);
      cothread_pulse_signal (self->more, FALSE);
      return TRUE;

    case G_FILE_TYPE_REGULAR:
      return hand_over (self, path, error);

    default:
      g_free (path);
      return TRUE;
    }
}

static gboolean
list_folder (DashFolderWalk *self, const char *folder, GError **error)
{
  DashListing listing;
  gboolean going = dash_listing_open (&listing, folder, error);

  while (going)
    {
      g_autoptr (GFileInfo) info = NULL;

      going = dash_listing_next (&listing, &info, error);
      if (info == NULL)
        break;
      going = visit (self, folder, info, error) && cothread_checkpoint (error);
    }
  dash_listing_close (&listing);

  return going;
}

/* The tree is done when no folder is left and nobody may yet find one. */
static gboolean
next_folder (DashFolderWalk *self, char **folder, GError **error)
{
  while (g_queue_is_empty (&self->folders) && self->walking > 0)
    if (!cothread_pulse_wait (self->more, COTHREAD_FOREVER, error))
      return FALSE;

  *folder = g_queue_pop_head (&self->folders);
  return TRUE;
}

/* The function of each walking task. */
gpointer
dash_folder_walk_run (gpointer user_data, GError **error)
{
  DashFolderWalk *self = user_data;
  char *folder = NULL;
  gboolean going;

  while (cothread_event_wait (self->enabled, COTHREAD_FOREVER, error) && next_folder (self, &folder, error) &&
         folder != NULL)
    {
      self->walking++;
      going = list_folder (self, folder, error);
      self->walking--;
      g_clear_pointer (&folder, g_free);
      if (!going)
        break;
    }

  cothread_pulse_signal (self->more, TRUE);
  return NULL;
}

/* Waits until every file's result has arrived. */
gboolean
dash_folder_walk_drain (DashFolderWalk *self, GError **error)
{
  while (dash_hash_pool_get_pending (self->pool) > 0)
    if (!wait_for_room (self, error))
      return FALSE;

  return TRUE;
}

void
dash_folder_walk_clear (DashFolderWalk *self)
{
  dash_hash_pool_free (self->pool);
  g_queue_clear_full (&self->folders, g_free);
  g_clear_object (&self->more);
  g_clear_object (&self->room);
  g_clear_object (&self->enabled);
}
