/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspector-driver.h"

#include "screenshot.h"

#define PATIENCE_US (60 * G_USEC_PER_SEC)
#define LOOK_EVERY_MS 50
#define PAGE_TYPE "CtvInspectorPage"

static gboolean
tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

void
inspector_run_until (const char *what, InspectorCondition condition, gpointer data)
{
  gint64 deadline_us = g_get_monotonic_time () + PATIENCE_US;
  guint timer = g_timeout_add (LOOK_EVERY_MS, tick, NULL);

  while (!condition (data))
    {
      if (g_get_monotonic_time () > deadline_us)
        g_error ("Not within a minute: %s", what);
      g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (timer);
}

static guint
count (GtkWidget *widget, GtkWidget **found)
{
  guint n = 0;

  if (g_str_equal (G_OBJECT_TYPE_NAME (widget), PAGE_TYPE))
    {
      *found = widget;
      n++;
    }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    n += count (child, found);

  return n;
}

static guint
count_in_all_windows (GtkWidget **found)
{
  GListModel *windows = gtk_window_get_toplevels ();
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (windows); i++)
    {
      g_autoptr (GtkWidget) window = g_list_model_get_item (windows, i);

      n += count (window, found);
    }
  return n;
}

static gboolean
has_page (gpointer page)
{
  return count_in_all_windows (page) > 0;
}

static gboolean
is_mapped (gpointer widget)
{
  return gtk_widget_get_mapped (widget);
}

GtkWidget *
inspector_open (void)
{
  GtkWidget *page = NULL;

  gtk_window_set_interactive_debugging (TRUE);
  inspector_run_until ("a page in the Inspector", has_page, &page);
  for (GtkWidget *child = page; gtk_widget_get_parent (child) != NULL; child = gtk_widget_get_parent (child))
    if (GTK_IS_STACK (gtk_widget_get_parent (child)))
      gtk_stack_set_visible_child (GTK_STACK (gtk_widget_get_parent (child)), child);
  inspector_run_until ("the page is in view", is_mapped, page);

  return page;
}

guint
inspector_count_pages (void)
{
  GtkWidget *last;

  return count_in_all_windows (&last);
}

GtkWidget *
inspector_find (GtkWidget *page, const char *name)
{
  if (g_str_equal (gtk_widget_get_name (page), name) && gtk_widget_get_mapped (page))
    return page;
  for (GtkWidget *child = gtk_widget_get_first_child (page); child != NULL; child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = inspector_find (child, name);

      if (found != NULL)
        return found;
    }
  return NULL;
}

typedef struct
{
  GtkWidget *window;
  char *path;
} Picture;

static gboolean
try_picture (gpointer data)
{
  Picture *picture = data;

  return dash_screenshot_save (picture->window, picture->path, NULL);
}

void
inspector_keep_picture (GtkWidget *page, const char *name)
{
  Picture picture = { GTK_WIDGET (gtk_widget_get_root (page)), g_test_build_filename (G_TEST_BUILT, name, NULL) };

  gtk_test_widget_wait_for_draw (picture.window);
  inspector_run_until ("a picture", try_picture, &picture);
  g_test_message ("picture: %s", picture.path);
  g_free (picture.path);
}
