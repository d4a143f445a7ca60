/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

/* What is told of another process. Waits for answers: to be called in a task. */

typedef struct
{
  CothreadRemote *remote;
  CothreadStatistics *before; /* of the last look, or NULL */
} Watched;

void watched_clear (Watched *self);
/* A screenful, or NULL. */
char *watched_describe (Watched *self, guint max_tasks, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Watched, watched_clear)
