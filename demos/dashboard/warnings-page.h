/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "readings.h"
#include "watch.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What looks wrong: stalls, tasks that nobody can wake, forgotten failures, and
 * a queue that loses callbacks or could grow for ever. */
typedef struct
{
  GtkWidget *widget;
  GtkListBox *list;
  GtkStackPage *page;
  CothreadMonitor *monitor;
  CothreadStallDetector *detector;
  gint64 began_us;
  guint n;
  gboolean is_watching; /* another process: of this one nothing is told meanwhile */
  guint64 stalls;
  gboolean was_unbounded;
  gboolean has_dropped;
  gboolean has_refused;
  gboolean is_hanging;
} DashWarningsPage;

void dash_warnings_page_init (DashWarningsPage *self, CothreadScheduler *scheduler);
void dash_warnings_page_clear (DashWarningsPage *self);
void dash_warnings_page_update (DashWarningsPage *self, const DashReadings *readings);
void dash_warnings_page_set_watching (DashWarningsPage *self, gboolean is_watching);
void dash_warnings_page_update_watch (DashWarningsPage *self, DashWatch *watch);
void dash_warnings_page_set_page (DashWarningsPage *self, GtkStackPage *page);

G_END_DECLS
