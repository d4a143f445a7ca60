/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "probe.h"

G_BEGIN_DECLS

#define DASH_DIGEST_BYTES 32

typedef struct _DashHashPool DashHashPool;

typedef struct
{
  DashHashPool *pool;
  gint64 bytes;
  gboolean failed;
  gboolean delivered;
  guint8 digest[DASH_DIGEST_BYTES];
} DashHashResult;

/* Called in the scheduler's thread, through the callback queue. */
typedef void (*DashHashDone) (const DashHashResult *result, gpointer user_data);

DashHashPool *dash_hash_pool_new (DashProbe *probe, guint n_threads, DashHashDone done, gpointer user_data);
gboolean dash_hash_pool_has_room (DashHashPool *self);
void dash_hash_pool_push (DashHashPool *self, char *path);
guint dash_hash_pool_get_pending (DashHashPool *self);
guint dash_hash_pool_get_lost (DashHashPool *self);
void dash_hash_pool_free (DashHashPool *self);

G_END_DECLS
