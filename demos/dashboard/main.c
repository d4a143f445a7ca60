/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-style.h"
#include "window.h"

#include <cothread-gtk.h>

#include <glib-unix.h>

static int
on_local_options (GApplication *application, GVariantDict *dict, DashOptions *options)
{
  g_autoptr (GError) error = NULL;

  if (dash_options_read (options, dict, &error))
    return -1;

  g_printerr ("cothread-dashboard: %s\n", error->message);
  return 2;
}

static void
on_activate (GtkApplication *application, DashOptions *options)
{
  GtkWindow *window = gtk_application_get_active_window (application);

  if (window == NULL)
    {
      ctv_style_load (gdk_display_get_default ());
      cothread_gtk_add_inspector_page (); /* Ctrl+Shift+D */
      window = GTK_WINDOW (dash_window_new (application, options));
    }
  gtk_window_present (window);
}

/* Ctrl-C closes the window as its button does: the report gets written. */
static gboolean
on_signal (gpointer application)
{
  GtkWindow *window = gtk_application_get_active_window (application);

  if (window != NULL)
    gtk_window_close (window);

  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GtkApplication) application = NULL;
  DashOptions options = { 0 };
  int status;

  /* Each dashboard watches its own process: there is nothing to share. */
  application = gtk_application_new ("org.cothread.Dashboard", G_APPLICATION_NON_UNIQUE);
  dash_options_add_to (G_APPLICATION (application));
  g_signal_connect (application, "handle-local-options", G_CALLBACK (on_local_options), &options);
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), &options);

  g_unix_signal_add (SIGINT, on_signal, application);
  g_unix_signal_add (SIGTERM, on_signal, application);
  status = g_application_run (G_APPLICATION (application), argc, argv);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  dash_options_clear (&options);

  return status == 0 && options.failed ? 1 : status;
}
