/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *dash_format_count (guint64 count);
char *dash_format_us (gint64 us);

G_END_DECLS
