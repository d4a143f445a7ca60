/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

G_BEGIN_DECLS

/* The entries of a folder, one at a time, for tasks: where the disk is slow,
 * the task waits and the main loop goes on. */
typedef struct
{
  GFileEnumerator *enumerator;
  GList *batch;
} DashListing;

gboolean dash_listing_open (DashListing *self, const char *folder, GError **error);
gboolean dash_listing_next (DashListing *self, GFileInfo **info, GError **error);
void dash_listing_close (DashListing *self);

G_END_DECLS
