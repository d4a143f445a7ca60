/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Inspector page in a program that links cothread-gtk and has tasks. */

#include "cothread-gtk.h"
#include "inspector-driver.h"
#include "language.h"

#include <cothread-glib.h>

#define N_SLEEPERS 40
#define N_CALLBACKS 7
#define MILLION 1000000

static gboolean
says_that_there_are_no_tasks (gpointer page)
{
  return inspector_find (page, "no-tasks") != NULL;
}

static guint
count_rows (GtkWidget *page)
{
  GtkWidget *list = inspector_find (page, "task-list");

  if (list == NULL)
    return 0;
  return g_list_model_get_n_items (G_LIST_MODEL (gtk_column_view_get_model (GTK_COLUMN_VIEW (list))));
}

static gboolean
lists_the_sleepers (gpointer page)
{
  return count_rows (page) == N_SLEEPERS + 1; /* and the queue's own */
}

static gboolean
lists_one (gpointer page)
{
  return count_rows (page) == 1;
}

static gboolean
shows_a_task (gpointer page)
{
  GtkWidget *name = inspector_find (page, "detail-name");

  return name != NULL && g_str_has_prefix (gtk_label_get_text (GTK_LABEL (name)), "sleeper ");
}

static gboolean
shows_the_depth (gpointer page)
{
  GtkWidget *depth = inspector_find (page, "depth");
  g_autofree char *expected = g_strdup_printf ("%d", N_CALLBACKS);

  return depth != NULL && g_str_equal (gtk_label_get_text (GTK_LABEL (depth)), expected);
}

static gboolean
says_it_has_finished (gpointer page)
{
  GtkWidget *state = inspector_find (page, "detail-state");

  return state != NULL && g_str_equal (gtk_label_get_text (GTK_LABEL (state)), "finished");
}

static gpointer
sleep_long (G_GNUC_UNUSED gpointer data, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
do_nothing (G_GNUC_UNUSED gpointer data)
{
}

static void
spawn_sleepers (CothreadTask **tasks)
{
  for (guint i = 0; i < N_SLEEPERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("sleeper %u%s", i, i == 3 ? " \xff\n" : ""); /* no UTF-8 */

      tasks[i] = cothread_spawn_full (sleep_long, NULL, &(CothreadSpawnOptions) { .name = name }, NULL);
      g_assert_nonnull (tasks[i]);
    }
}

static void
end_sleepers (CothreadTask **tasks)
{
  for (guint i = 0; i < N_SLEEPERS; i++)
    {
      cothread_task_cancel (tasks[i]);
      cothread_task_join (tasks[i], 20 * G_USEC_PER_SEC, NULL, NULL);
      g_assert_true (cothread_task_is_finished (tasks[i]));
      cothread_task_unref (tasks[i]);
    }
}

static gboolean
tells_a_million (gpointer page)
{
  GtkWidget *count = inspector_find (page, "task-count");

  return count != NULL && g_str_has_suffix (gtk_label_get_text (GTK_LABEL (count)), " of 1\u202f000\u202f000 tasks");
}

static gboolean
note_frame (G_GNUC_UNUSED GtkWidget *widget, GdkFrameClock *clock, gpointer worst_us)
{
  static gint64 last_us;
  gint64 now_us = g_get_monotonic_time ();

  if (last_us != 0)
    *(gint64 *) worst_us = MAX (*(gint64 *) worst_us, now_us - last_us);
  last_us = now_us;
  return G_SOURCE_CONTINUE;
}

static gboolean
is_over (gpointer end_us)
{
  return g_get_monotonic_time () > *(gint64 *) end_us;
}

/* Stackless ones, which take no memory to speak of. */
static void
test_a_million_tasks_leave_the_program_alive (void)
{
  GtkWidget *window = gtk_window_new ();
  g_autoptr (Language) language = language_new ();
  gint64 worst_us = 0, end_us;
  GtkWidget *page;

  for (guint i = 0; i < MILLION; i++)
    cothread_stackless_runner_park (runner (language), spawn_task (language), COTHREAD_FOREVER);
  gtk_window_present (GTK_WINDOW (window));
  page = inspector_open ();
  inspector_run_until ("a million are told", tells_a_million, page);
  gtk_editable_set_text (GTK_EDITABLE (inspector_find (page, "task-filter")), "work");
  gtk_widget_add_tick_callback (page, note_frame, &worst_us, NULL);
  end_us = g_get_monotonic_time () + 3 * G_USEC_PER_SEC;
  inspector_run_until ("three seconds have passed", is_over, &end_us);
  g_test_message ("the worst frame after %.1f ms", (double) worst_us / 1000);
  g_assert_cmpint (worst_us, >, 0);
  g_assert_cmpint (worst_us, <, G_USEC_PER_SEC);

  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  gtk_window_set_interactive_debugging (FALSE);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_shows_tasks_that_come_later (void)
{
  GtkWidget *window = gtk_window_new ();
  CothreadTask *tasks[N_SLEEPERS];
  CothreadCallbackQueue *queue;
  GtkWidget *page, *plot;

  gtk_window_present (GTK_WINDOW (window));
  page = inspector_open ();
  g_assert_cmpuint (inspector_count_pages (), ==, 1); /* linked, and loaded as a module as well */
  inspector_run_until ("no tasks yet", says_that_there_are_no_tasks, page);
  g_assert_null (cothread_scheduler_peek_default ());

  queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  cothread_callback_queue_pause (queue);
  for (guint i = 0; i < N_CALLBACKS; i++)
    g_assert_true (cothread_callback_queue_post (queue, do_nothing, NULL, NULL, NULL));
  spawn_sleepers (tasks);
  inspector_run_until ("the tasks are listed", lists_the_sleepers, page);
  inspector_run_until ("the depth is shown", shows_the_depth, page);

  plot = inspector_find (page, "depth-plot");
  gtk_test_accessible_assert_role (plot, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_test_accessible_assert_property (plot, GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       "Callback queue over time: 7 waiting, high water 7, bound 100000");
  gtk_test_accessible_assert_property (inspector_find (page, "depth"), GTK_ACCESSIBLE_PROPERTY_LABEL, "Queue depth: 7");

  gtk_editable_set_text (GTK_EDITABLE (inspector_find (page, "task-filter")), "SLEEPER 17");
  inspector_run_until ("one is left", lists_one, page);
  gtk_selection_model_select_item (gtk_column_view_get_model (GTK_COLUMN_VIEW (inspector_find (page, "task-list"))), 0, TRUE);
  inspector_run_until ("it is open", shows_a_task, page);
  gtk_editable_set_text (GTK_EDITABLE (inspector_find (page, "task-filter")), "");
  inspector_run_until ("all are back", lists_the_sleepers, page);
  g_assert_cmpstr (gtk_label_get_text (GTK_LABEL (inspector_find (page, "detail-name"))), ==, "sleeper 17");
  inspector_keep_picture (page, "inspector-tasks.png");

  end_sleepers (tasks);
  cothread_callback_queue_resume (queue);
  inspector_run_until ("the open one has ended", says_it_has_finished, page);

  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  inspector_run_until ("no tasks any more", says_that_there_are_no_tasks, page);
  gtk_window_set_interactive_debugging (FALSE);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  cothread_gtk_add_inspector_page (); /* before gtk_init(): allowed */
  gtk_test_init (&argc, &argv, NULL);
  cothread_gtk_add_inspector_page ();

  g_test_add_func ("/inspector/linked/shows-tasks-that-come-later", test_shows_tasks_that_come_later);
  g_test_add_func ("/inspector/linked/a-million-tasks-leave-the-program-alive", test_a_million_tasks_leave_the_program_alive);

  return g_test_run ();
}
