/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  char *folder;
  char *screenshot;
  char *report;
  double after_s;
  double seconds;
  guint flood_rate;
  guint flood_cost_us;
  char *page;
  char *attach; /* a process; NULL: this one */
  gboolean dark;
  gboolean failed; /* what was asked for could not be done */
} DashOptions;

void dash_options_add_to (GApplication *application);
gboolean dash_options_read (DashOptions *self, GVariantDict *dict, GError **error);
void dash_options_clear (DashOptions *self);

G_END_DECLS
