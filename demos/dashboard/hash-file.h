/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean dash_hash_file (const char *path, int *stopping, guint8 *digest, gint64 *bytes);

G_END_DECLS
