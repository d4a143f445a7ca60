/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

/* The GTK Inspector of the test's own process, for tests that run in main(). */

typedef gboolean (*InspectorCondition) (gpointer data);

/* Runs the main loop until a condition holds; fails the test after a minute. */
void inspector_run_until (const char *what, InspectorCondition condition, gpointer data);

/* Opens the Inspector as Ctrl+Shift+D does, and turns to our page. */
GtkWidget *inspector_open (void);

/* How many pages of our kind the Inspector has. */
guint inspector_count_pages (void);

/* The visible widget of that name on the page, or NULL. */
GtkWidget *inspector_find (GtkWidget *page, const char *name);

/* Leaves a picture of the whole Inspector in the build folder. */
void inspector_keep_picture (GtkWidget *page, const char *name);
