/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "listing.h"

#define BATCH 100

/* A folder that is gone or may not be read has no entries; a task that was
 * cancelled goes no further. */
static gboolean
goes_on (GError *failure, GError **error)
{
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }

  g_clear_error (&failure);
  return TRUE;
}

/* FALSE: the task was cancelled. */
gboolean
dash_listing_open (DashListing *self, const char *folder, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  g_autoptr (GAsyncResult) result = NULL;
  GError *failure = NULL;

  *self = (DashListing) { NULL, NULL };
  result = cothread_await (&failure, g_file_enumerate_children_async, file,
                           G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_TYPE,
                           G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, G_PRIORITY_DEFAULT);
  if (result != NULL)
    self->enumerator = g_file_enumerate_children_finish (file, result, &failure);

  return goes_on (failure, error);
}

static gboolean
fetch (DashListing *self, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  GError *failure = NULL;

  result = cothread_await (&failure, g_file_enumerator_next_files_async, self->enumerator, BATCH, G_PRIORITY_DEFAULT);
  if (result != NULL)
    self->batch = g_file_enumerator_next_files_finish (self->enumerator, result, &failure);

  return goes_on (failure, error);
}

/* No info: that was the last one. The info is the caller's. */
gboolean
dash_listing_next (DashListing *self, GFileInfo **info, GError **error)
{
  *info = NULL;
  if (self->batch == NULL && self->enumerator != NULL && !fetch (self, error))
    return FALSE;

  if (self->batch != NULL)
    {
      *info = self->batch->data;
      self->batch = g_list_delete_link (self->batch, self->batch);
    }

  return TRUE;
}

void
dash_listing_close (DashListing *self)
{
  g_list_free_full (g_steal_pointer (&self->batch), g_object_unref);
  g_clear_object (&self->enumerator);
}
