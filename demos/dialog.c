/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A task that asks the user, and goes on with the answer: no nested main loop,
 * and no state machine of callbacks. While it waits, everything else goes on:
 * another task counts in the window's title.
 *
 *   cothread-dialog [--answer]   (answers itself, for the tests)
 */
#include <cothread-glib.h>
#include <gtk/gtk.h>

G_GNUC_BEGIN_IGNORE_DEPRECATIONS

typedef struct
{
  GtkWindow *window;
  GtkLabel *label;
  gboolean answers_itself;
  guint n_counted;
} Program;

typedef struct
{
  GtkWindow *parent;
  const char *question;
  GtkDialog *dialog;
} Asking;

/* Widgets may call anybody's handlers, in any language, and draw with drivers
 * that need much stack: so they are made and shown on the thread's own. */
static void
show_dialog (gpointer data)
{
  Asking *asking = data;

  asking->dialog = GTK_DIALOG (gtk_message_dialog_new (asking->parent, GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION,
                                                       GTK_BUTTONS_YES_NO, "%s", asking->question));
  gtk_window_present (GTK_WINDOW (asking->dialog));
}

static void
destroy_dialog (gpointer data)
{
  gtk_window_destroy (GTK_WINDOW (((Asking *) data)->dialog));
}

static gboolean
answer_yes (gpointer dialog)
{
  gtk_dialog_response (dialog, GTK_RESPONSE_YES);
  return G_SOURCE_REMOVE;
}

/* Suspends the task until the user has answered. */
static int
ask (Program *program, const char *question)
{
  Asking asking = { program->window, question, NULL };
  g_autoptr (GArray) arguments = NULL;
  int response = GTK_RESPONSE_NONE;

  cothread_call_on_thread_stack (show_dialog, &asking);
  if (program->answers_itself)
    g_timeout_add (200, answer_yes, asking.dialog);
  if (cothread_wait_signal (asking.dialog, "response", COTHREAD_FOREVER, &arguments, NULL))
    response = g_value_get_int (&g_array_index (arguments, GValue, 0));
  cothread_call_on_thread_stack (destroy_dialog, &asking);
  return response;
}

static void
say (gpointer data)
{
  Program *program = data;

  gtk_label_set_text (program->label, "Then have another one.");
}

static void
close_window (gpointer data)
{
  Program *program = data;

  if (program->window != NULL) /* the user may have done so */
    gtk_window_destroy (program->window);
}

static gpointer
talk (gpointer data, G_GNUC_UNUSED GError **error)
{
  Program *program = data;

  while (ask (program, "Do you like eggs?") == GTK_RESPONSE_YES)
    {
      cothread_call_on_thread_stack (say, program);
      if (program->answers_itself)
        break;
      if (ask (program, "Was that enough?") == GTK_RESPONSE_YES)
        break;
    }
  g_print ("%u counted while you answered\n", program->n_counted);
  cothread_call_on_thread_stack (close_window, program);
  return NULL;
}

static void
show_count (gpointer data)
{
  Program *program = data;
  g_autofree char *title = g_strdup_printf ("Eggs, and %u", program->n_counted);

  gtk_window_set_title (program->window, title);
}

static gpointer
count (gpointer data, GError **error)
{
  Program *program = data;

  while (cothread_sleep (10000, error) && program->window != NULL)
    {
      program->n_counted++;
      cothread_call_on_thread_stack (show_count, program);
    }
  return NULL;
}

static void
activate (GtkApplication *application, gpointer data)
{
  Program *program = data;
  CothreadTask *counter;

  program->window = GTK_WINDOW (gtk_application_window_new (application));
  g_object_add_weak_pointer (G_OBJECT (program->window), (gpointer *) &program->window);
  program->label = GTK_LABEL (gtk_label_new ("Here are some eggs."));
  gtk_window_set_default_size (program->window, 400, 200);
  gtk_window_set_child (program->window, GTK_WIDGET (program->label));
  gtk_window_present (program->window);
  counter = cothread_spawn (count, program); /* kept by the handler */
  g_signal_connect_data (program->window, "destroy", G_CALLBACK (cothread_task_cancel), counter,
                         (GClosureNotify) (void (*) (void)) cothread_task_unref, G_CONNECT_SWAPPED);
  cothread_task_unref (cothread_spawn (talk, program));
}

int
main (int argc, char **argv)
{
  Program program = { .answers_itself = argc > 1 && g_str_equal (argv[1], "--answer") };
  g_autoptr (GtkApplication) application = gtk_application_new ("org.cothread.Dialog", G_APPLICATION_NON_UNIQUE);
  int status;

  g_signal_connect (application, "activate", G_CALLBACK (activate), &program);
  status = g_application_run (G_APPLICATION (application), 1, argv);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return status;
}

G_GNUC_END_IGNORE_DEPRECATIONS
