/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "listing.h"

#define BATCH 100

/*
 * How a task awaits any of GIO's asynchronous functions: the callback signals
 * an event with the result, and the task waits for that event. The callback
 * has a reference of its own, as it comes also when the task has given up.
 */
static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (CothreadEvent) done = user_data;

  cothread_event_signal_value (done, g_object_ref (result), g_object_unref);
}

static GAsyncResult *
await (CothreadEvent *done, GError **error)
{
  gpointer result = NULL;

  return cothread_event_wait_value (done, COTHREAD_FOREVER, &result, error) ? result : NULL;
}

/* FALSE: the task was cancelled. A folder that is gone or may not be read has
 * no entries. */
gboolean
dash_listing_open (DashListing *self, const char *folder, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  g_autoptr (GAsyncResult) result = NULL;

  *self = (DashListing) { .done = cothread_event_new (TRUE) };
  g_file_enumerate_children_async (file, G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_TYPE,
                                   G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, G_PRIORITY_DEFAULT, NULL,
                                   on_done, g_object_ref (self->done));
  result = await (self->done, error);
  if (result == NULL)
    return FALSE;

  self->enumerator = g_file_enumerate_children_finish (file, result, NULL);
  return TRUE;
}

static gboolean
fetch (DashListing *self, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_file_enumerator_next_files_async (self->enumerator, BATCH, G_PRIORITY_DEFAULT, NULL,
                                      on_done, g_object_ref (self->done));
  result = await (self->done, error);
  if (result == NULL)
    return FALSE;

  self->batch = g_file_enumerator_next_files_finish (self->enumerator, result, NULL);
  return TRUE;
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
  g_clear_object (&self->done);
}
