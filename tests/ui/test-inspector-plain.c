/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A GTK program that knows nothing of this library, with the module in one of
 * the folders that GTK and GIO look into (see meson.build). */

#include "inspector-driver.h"

static gboolean
says_that_there_are_no_tasks (gpointer page)
{
  return inspector_find (page, "no-tasks") != NULL;
}

static void
test_says_that_there_are_no_tasks (void)
{
  GtkWidget *window = gtk_window_new ();
  GtkWidget *page;
  g_autofree char *title = NULL;

  gtk_window_present (GTK_WINDOW (window));
  page = inspector_open ();

  g_object_get (page, "title", &title, NULL);
  g_assert_cmpstr (title, ==, "Cothreads");
  g_assert_cmpuint (inspector_count_pages (), ==, 1);
  inspector_run_until ("it says so", says_that_there_are_no_tasks, page);
  g_assert_null (inspector_find (page, "task-list"));
  inspector_keep_picture (page, g_getenv ("TEST_PICTURE"));

  /* To look has made nothing. */
  g_object_set (page, "object", window, NULL);
  g_assert_true (says_that_there_are_no_tasks (page));
  gtk_window_set_interactive_debugging (FALSE);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspector/plain/says-that-there-are-no-tasks", test_says_that_there_are_no_tasks);
  return g_test_run ();
}
