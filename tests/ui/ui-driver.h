/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

/* What a user sees and does, for tests that run as a task beside the window. */

/* The widget of that name; fails the test if there is none. */
GtkWidget *ui_find (GtkWidget *root, const char *name);

/* The number a label shows, without the spaces that group its digits. */
guint64 ui_read_number (GtkWidget *root, const char *name);

/* Activates a switch or toggle button, as Space does when it has the keyboard
 * focus, and waits until it has acted. */
void ui_toggle (GtkWidget *root, const char *name);
void ui_set_spin (GtkWidget *root, const char *name, double value);
void ui_select (GtkWidget *root, const char *name, guint index);

void ui_set_text (GtkWidget *root, const char *name, const char *text);
void ui_select_row (GtkWidget *root, const char *name, guint position);
void ui_sort (GtkWidget *root, const char *name, guint column, GtkSortType direction);
void ui_act (GtkWidget *root, const char *action, GVariant *parameter);

/* Whether a label in there has that text in it. */
gboolean ui_has_text (GtkWidget *root, const char *text);

/* What can be used or looked at, and has no name for those who do not see it. */
GPtrArray *ui_list_nameless (GtkWidget *root);

/* What can be used and is in view, and that the Tab key does not come to. */
GPtrArray *ui_list_unreachable (GtkWidget *window);

/* Waits until a condition holds; fails the test after a minute. */
typedef gboolean (*UiCondition) (gpointer data);
void ui_wait_until (const char *what, UiCondition condition, gpointer data);
