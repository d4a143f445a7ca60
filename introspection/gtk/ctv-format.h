/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *ctv_format_count (guint64 count);
char *ctv_format_us (gint64 us);
char *ctv_format_ns (gint64 ns);
char *ctv_format_text (const char *text);

G_END_DECLS
