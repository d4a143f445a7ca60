/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens the dashboard, drives it as a user would, and compares what it shows
 * with the library's own counters. The test itself is a task in its main loop.
 * The pictures stay in the build folder. */

#include "screenshot.h"
#include "ctv-style.h"
#include "ui-driver.h"
#include "window.h"

#define BOUND 5000
#define FLOOD_RATE 2000000

enum
{
  POLICY_FAIL,
  POLICY_DROP_OLDEST,
  POLICY_BLOCK,
};

typedef struct
{
  GtkApplication *application;
  DashOptions options;
  GtkWidget *window;
  CothreadCallbackQueue *queue;
  GTestFunc scenario;
  const char *picture;
} Ui;

static Ui ui;

static CothreadCallbackStatistics *
get_statistics (void)
{
  return cothread_callback_queue_get_statistics (ui.queue);
}

static guint64
get_run (void)
{
  g_autoptr (CothreadCallbackStatistics) statistics = get_statistics ();

  return statistics->run;
}

static gboolean
shows_more_than (const char *name, guint64 number)
{
  return ui_read_number (ui.window, name) > number;
}

static gboolean
shows_something (gpointer name)
{
  return shows_more_than (name, 0);
}

static gboolean
shows_bound_as_depth (G_GNUC_UNUSED gpointer unused)
{
  return ui_read_number (ui.window, "depth") == BOUND;
}

static gboolean
shows_smooth_animation (G_GNUC_UNUSED gpointer unused)
{
  return shows_more_than ("fps", 29);
}

static gboolean
queue_runs (gpointer run_before)
{
  return get_run () > *(guint64 *) run_before;
}

typedef struct
{
  char *path;
  gboolean is_taken;
} Picture;

static void
take_picture (gpointer data)
{
  Picture *picture = data;

  picture->is_taken = dash_screenshot_save (ui.window, picture->path, NULL);
}

/* While the window awaits its next layout there is nothing to render. */
static gboolean
try_picture (gpointer data)
{
  Picture *picture = data;

  cothread_call_on_thread_stack (take_picture, picture);
  return picture->is_taken;
}

static void
keep_picture (const char *name)
{
  Picture picture = { g_test_build_filename (G_TEST_BUILT, name, NULL), FALSE };

  ui_wait_until ("a picture", try_picture, &picture);
  g_test_message ("picture: %s", picture.path);
  g_free (picture.path);
}

static void
scenario_indexes_a_folder (void)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;

  ui_wait_until ("files indexed", shows_something, (gpointer) "files");
  ui_wait_until ("callbacks counted", shows_something, (gpointer) "callback-rate");
  ui_wait_until ("the animation moves", shows_smooth_animation, NULL);

  statistics = get_statistics ();
  g_assert_cmpuint (statistics->run, >=, ui_read_number (ui.window, "files"));
  g_assert_cmpuint (ui_read_number (ui.window, "dropped"), ==, 0);
  g_assert_cmpuint (ui_read_number (ui.window, "refused"), ==, 0);
  keep_picture ("dashboard-indexing.png");
}

static void
start_flood (guint policy)
{
  ui_set_spin (ui.window, "bound", BOUND);
  ui_select (ui.window, "policy", policy);
  ui_set_spin (ui.window, "flood-rate", FLOOD_RATE);
  ui_set_spin (ui.window, "flood-cost", 5);
  ui_toggle (ui.window, "flood-switch");
}

static void
scenario_flood_drops_and_the_window_stays_alive (void)
{
  g_autoptr (CothreadCallbackStatistics) statistics = NULL;
  guint64 shown;

  start_flood (POLICY_DROP_OLDEST);
  ui_wait_until ("drops shown", shows_something, (gpointer) "dropped");
  ui_wait_until ("the animation moves meanwhile", shows_smooth_animation, NULL);

  shown = ui_read_number (ui.window, "dropped");
  statistics = get_statistics ();
  g_assert_cmpuint (cothread_callback_queue_get_max_length (ui.queue), ==, BOUND);
  g_assert_cmpuint (statistics->dropped_oldest, >=, shown);
  g_assert_cmpuint (statistics->length, <=, BOUND);
  g_assert_cmpuint (statistics->high_water, <=, 10000); /* the bound it began with */
  g_assert_cmpuint (statistics->posted, ==,
                    statistics->run + statistics->dropped_oldest + statistics->dropped_closed + statistics->length);
  keep_picture ("dashboard-flood.png");
}

static void
scenario_refusals_are_shown (void)
{
  start_flood (POLICY_FAIL);
  ui_wait_until ("refusals shown", shows_something, (gpointer) "refused");
}

static void
scenario_pause_stops_the_queue_and_resume_goes_on (void)
{
  guint64 run;

  start_flood (POLICY_BLOCK);
  ui_wait_until ("callbacks counted", shows_something, (gpointer) "callback-rate");

  ui_toggle (ui.window, "pause");
  ui_wait_until ("the queue fills to its bound", shows_bound_as_depth, NULL);
  run = get_run ();
  g_assert_true (cothread_sleep (300000, NULL));
  g_assert_cmpuint (get_run (), ==, run);
  keep_picture ("dashboard-paused.png");

  ui_toggle (ui.window, "pause");
  ui_wait_until ("the queue goes on", queue_runs, &run);
}

static void
scenario_time_slice_reaches_the_scheduler (void)
{
  ui_set_spin (ui.window, "slice", 4);

  g_assert_cmpint (cothread_scheduler_get_time_slice (cothread_scheduler_get_default ()), ==, 4000);
}

static void
scenario_tasks_are_listed (void)
{
  GtkSelectionModel *model = gtk_column_view_get_model (GTK_COLUMN_VIEW (ui_find (ui.window, "task-list")));
  g_autoptr (GPtrArray) tasks = NULL;

  g_assert_true (cothread_sleep (600000, NULL)); /* the list looks four times a second */
  tasks = cothread_scheduler_list_tasks (cothread_scheduler_get_default ());

  /* Between two looks some tasks come and go; those of the window stay. */
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (model)), >=, 4);
  g_assert_cmpuint (tasks->len, >=, 4);
}

static void
scenario_closes_while_flooding (void)
{
  start_flood (POLICY_BLOCK);
  ui_toggle (ui.window, "pause");
  ui_wait_until ("the poster is blocked", shows_bound_as_depth, NULL);
}

static void
close_window (gpointer window)
{
  gtk_window_close (window);
}

static gpointer
run_scenario (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  ui.scenario ();
  cothread_call_on_thread_stack (close_window, ui.window);
  return NULL;
}

static void
on_activate (GtkApplication *application, G_GNUC_UNUSED gpointer data)
{
  ctv_style_load (gdk_display_get_default ());
  ui.window = GTK_WIDGET (dash_window_new (application, &ui.options));
  ui.queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  gtk_window_present (GTK_WINDOW (ui.window));
  cothread_task_unref (cothread_spawn (run_scenario, NULL));
}

/* Each scenario in a process of its own: the dashboard shuts its scheduler down
 * with its window. */
static void
test_scenario (gconstpointer data)
{
  g_autoptr (GtkApplication) application = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 120 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }
  ui.scenario = (GTestFunc) data;
  ui.options.folder = g_strdup ("/usr/share");
  application = gtk_application_new ("org.cothread.DashboardTest", G_APPLICATION_NON_UNIQUE);
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), NULL);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  dash_options_clear (&ui.options);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, scenario) g_test_add_data_func ("/dashboard/" path, (gconstpointer) scenario, test_scenario)
  ADD ("indexes-a-folder", scenario_indexes_a_folder);
  ADD ("flood-drops-and-the-window-stays-alive", scenario_flood_drops_and_the_window_stays_alive);
  ADD ("refusals-are-shown", scenario_refusals_are_shown);
  ADD ("pause-stops-the-queue-and-resume-goes-on", scenario_pause_stops_the_queue_and_resume_goes_on);
  ADD ("time-slice-reaches-the-scheduler", scenario_time_slice_reaches_the_scheduler);
  ADD ("tasks-are-listed", scenario_tasks_are_listed);
  ADD ("closes-while-flooding", scenario_closes_while_flooding);

  return g_test_run ();
}
