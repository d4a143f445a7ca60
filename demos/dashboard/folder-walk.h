/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hash-pool.h"

G_BEGIN_DECLS

/* Lists a tree of folders in a few tasks and hands each file to the workers. */
typedef struct
{
  DashHashPool *pool;
  GQueue folders;         /* still to be listed */
  guint walking;          /* tasks that are listing one */
  CothreadPulse *more;    /* there are more folders, or all have been listed */
  CothreadEvent *room;    /* a worker took a file */
  CothreadEvent *enabled; /* latched */
} DashFolderWalk;

void dash_folder_walk_init (DashFolderWalk *self, DashHashPool *pool);
void dash_folder_walk_begin (DashFolderWalk *self, const char *root);
gpointer dash_folder_walk_run (gpointer user_data, GError **error);
gboolean dash_folder_walk_drain (DashFolderWalk *self, GError **error);
void dash_folder_walk_clear (DashFolderWalk *self);

G_END_DECLS
