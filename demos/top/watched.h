/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <stdio.h>

/* Another process, over the session bus. Everything here waits for answers and
 * is to be called in a task. */

typedef struct _Watched Watched;

/* 0: the only one there is. */
Watched *watched_new (gint process, GError **error);
void watched_free (Watched *self);
/* A screenful. */
char *watched_describe (Watched *self, guint max_tasks, GError **error);
char *watched_dump (Watched *self, GError **error);
/* Prints the processes that can be watched. */
gboolean watched_list (FILE *file, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Watched, watched_free)
