/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hash-pool.h"

G_BEGIN_DECLS

typedef struct _DashIndexer DashIndexer;

typedef struct
{
  guint64 files;
  guint64 bytes;
  guint64 duplicates;
  guint64 failed;
  guint lost;
  guint rounds;
  gboolean resting;
} DashIndexProgress;

DashIndexer *dash_indexer_new (const char *root, DashProbe *probe);
void dash_indexer_set_enabled (DashIndexer *self, gboolean enabled);
const DashIndexProgress *dash_indexer_get_progress (DashIndexer *self);
const char *dash_indexer_get_root (DashIndexer *self);
void dash_indexer_stop (DashIndexer *self);
void dash_indexer_free (DashIndexer *self);

G_END_DECLS
