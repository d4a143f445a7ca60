/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens the dashboard, drives it as a user would, and compares what it shows
 * with the library's own counters. The test itself is a task in its main loop.
 * The pictures stay in the build folder. */

#include "ctv-task-model.h"
#include "language.h"
#include "screenshot.h"
#include "ctv-style.h"
#include "ui-driver.h"
#include "window.h"

#define BOUND 5000
#define MILLION 1000000
#define FLOOD_RATE 2000000
#define THIN_SPACE "\u202f" /* groups the digits of what is shown */

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
scenario_the_original_has_no_bound_and_no_slice (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();

  ui_set_spin (ui.window, "bound", BOUND);
  ui_toggle (ui.window, "original-switch");
  g_assert_cmpuint (cothread_callback_queue_get_max_length (ui.queue), ==, 0);
  g_assert_cmpint (cothread_scheduler_get_time_slice (scheduler), ==, G_USEC_PER_SEC);
  g_assert_false (gtk_widget_get_sensitive (ui_find (ui.window, "bound")));

  ui_toggle (ui.window, "original-switch");
  g_assert_cmpuint (cothread_callback_queue_get_max_length (ui.queue), ==, BOUND);
  g_assert_cmpint (cothread_scheduler_get_time_slice (scheduler), ==, 2000);
  g_assert_true (gtk_widget_get_sensitive (ui_find (ui.window, "bound")));
}

static CtvTaskModel *
get_model (void)
{
  GtkSelectionModel *selection = gtk_column_view_get_model (GTK_COLUMN_VIEW (ui_find (ui.window, "task-list")));

  return CTV_TASK_MODEL (gtk_single_selection_get_model (GTK_SINGLE_SELECTION (selection)));
}

static guint
count_rows (void)
{
  GtkSelectionModel *model = gtk_column_view_get_model (GTK_COLUMN_VIEW (ui_find (ui.window, "task-list")));

  return g_list_model_get_n_items (G_LIST_MODEL (model));
}

static gboolean
lists_more_rows_than (gpointer n)
{
  return count_rows () > GPOINTER_TO_UINT (n);
}

static gboolean
lists_rows (gpointer n)
{
  return count_rows () == GPOINTER_TO_UINT (n);
}

static gboolean
line_says (gpointer text)
{
  return strstr (gtk_label_get_text (GTK_LABEL (ui_find (ui.window, "index"))), text) != NULL;
}

static gboolean
line_does_not_say (gpointer text)
{
  return !line_says (text);
}

static gboolean
tells_more_tasks_than (gpointer n)
{
  return ctv_task_model_get_n_tasks (get_model ()) > GPOINTER_TO_UINT (n);
}

static void
scenario_sleepers_are_listed_while_the_window_stays_alive (void)
{
  ui_act (ui.window, "win.page", g_variant_new_string ("tasks"));
  ui_toggle (ui.window, "sleepers-switch");
  ui_wait_until ("many tasks are told", tells_more_tasks_than, GUINT_TO_POINTER (30000));
  ui_wait_until ("some of them are listed", lists_more_rows_than, GUINT_TO_POINTER (4000));
  ui_wait_until ("the animation moves meanwhile", shows_smooth_animation, NULL);
  keep_picture ("dashboard-sleepers.png");

  ui_toggle (ui.window, "sleepers-switch");
  ui_wait_until ("none is asleep", line_does_not_say, (gpointer) "asleep");
}

static gboolean
line_counts_thousands_of_round_trips (G_GNUC_UNUSED gpointer unused)
{
  return g_regex_match_simple (THIN_SPACE "\\d{3} round trips",
                               gtk_label_get_text (GTK_LABEL (ui_find (ui.window, "index"))), 0, 0);
}

static void
scenario_echo_server_serves (void)
{
  ui_toggle (ui.window, "echo-switch");
  ui_wait_until ("it listens", line_says, (gpointer) "echo on port");
  ui_wait_until ("messages come back", line_counts_thousands_of_round_trips, NULL);

  ui_toggle (ui.window, "echo-switch");
  ui_wait_until ("it has ended", line_does_not_say, (gpointer) "echo");
}

static gboolean
detail_names_the_index (G_GNUC_UNUSED gpointer unused)
{
  return g_str_equal (gtk_label_get_text (GTK_LABEL (ui_find (ui.window, "detail-name"))), "index");
}

static void
scenario_tasks_are_listed_filtered_and_opened (void)
{
  ui_act (ui.window, "win.find", NULL);
  ui_wait_until ("tasks are listed", lists_more_rows_than, GUINT_TO_POINTER (4));
  g_assert_false (gtk_widget_get_mapped (ui_find (ui.window, "task-detail")));

  ui_set_text (ui.window, "task-filter", "walker 1"); /* one of that name, and the one that joins it */
  ui_wait_until ("two are left", lists_rows, GUINT_TO_POINTER (2));
  ui_select_row (ui.window, "task-list", 0);
  ui_wait_until ("the first is open", detail_names_the_index, NULL);
  g_assert_true (gtk_widget_get_mapped (ui_find (ui.window, "task-detail")));

  ui_set_text (ui.window, "task-filter", "");
  ui_wait_until ("all are listed", lists_more_rows_than, GUINT_TO_POINTER (4));
  g_assert_true (detail_names_the_index (NULL));
  keep_picture ("dashboard-tasks.png");
}

static gboolean
backtrace_is_shown (G_GNUC_UNUSED gpointer unused)
{
  return *gtk_label_get_text (GTK_LABEL (ui_find (ui.window, "detail-backtrace"))) != '\0';
}

static gboolean
detail_is_a_toy (G_GNUC_UNUSED gpointer unused)
{
  return g_str_equal (gtk_label_get_text (GTK_LABEL (ui_find (ui.window, "detail-language"))), "toy");
}

static gboolean
newest_come_first (G_GNUC_UNUSED gpointer unused)
{
  return ctv_task_model_get_id (get_model (), 0) > ctv_task_model_get_id (get_model (), 1) &&
         ctv_task_model_get_id (get_model (), 1) > ctv_task_model_get_id (get_model (), 2);
}

static gboolean
oldest_come_first (G_GNUC_UNUSED gpointer unused)
{
  return ctv_task_model_get_id (get_model (), 0) < ctv_task_model_get_id (get_model (), 1);
}

static gboolean
names_are_in_order (G_GNUC_UNUSED gpointer unused)
{
  for (guint i = 0; i + 1 < count_rows (); i++)
    {
      g_autoptr (CothreadTaskInfo) first = ctv_task_model_dup_info (get_model (), i);
      g_autoptr (CothreadTaskInfo) second = ctv_task_model_dup_info (get_model (), i + 1);

      if (g_strcmp0 (first->name, second->name) > 0)
        return FALSE;
    }
  return TRUE;
}

static void
scenario_headers_sort_and_the_open_task_stays_open (void)
{
  ui_act (ui.window, "win.find", NULL);
  ui_wait_until ("tasks are listed", lists_more_rows_than, GUINT_TO_POINTER (4));
  ui_select_row (ui.window, "task-list", 1);
  ui_wait_until ("it is open", detail_names_the_index, NULL);
  ui_wait_until ("and tells where it stands", backtrace_is_shown, NULL);

  ui_sort (ui.window, "task-list", 0, GTK_SORT_DESCENDING);
  ui_wait_until ("the newest come first", newest_come_first, NULL);
  g_assert_true (detail_names_the_index (NULL));
  ui_sort (ui.window, "task-list", 1, GTK_SORT_ASCENDING);
  ui_wait_until ("names are in order", names_are_in_order, NULL);
  ui_sort (ui.window, "task-list", 0, GTK_SORT_ASCENDING);
  ui_wait_until ("the oldest come first", oldest_come_first, NULL);
  g_assert_true (detail_names_the_index (NULL));
  keep_picture ("dashboard-sorted.png");
}

static gboolean
warnings_say (gpointer text)
{
  return ui_has_text (ui_find (ui.window, "warnings"), text);
}

static gpointer
join (gpointer task, GError **error)
{
  cothread_task_join (*(CothreadTask **) task, COTHREAD_FOREVER, NULL, error);
  return NULL;
}

static void
scenario_warnings_name_who_holds_the_loop_and_who_is_lost (void)
{
  CothreadTask *first, *second;

  ui_act (ui.window, "win.page", g_variant_new_string ("warnings"));
  ui_set_spin (ui.window, "bound", 0);
  ui_wait_until ("an unbounded queue is news", warnings_say, (gpointer) "no bound");

  first = cothread_spawn_full (join, &second, &(CothreadSpawnOptions) { .name = "Kastor" }, NULL);
  second = cothread_spawn_full (join, &first, &(CothreadSpawnOptions) { .name = "Pollux" }, NULL);
  ui_wait_until ("a circle is found", warnings_say, (gpointer) "Kastor");
  cothread_task_cancel (first);
  cothread_task_cancel (second);

  g_usleep (300000); /* this task holds the main loop */
  ui_wait_until ("a stall is told", warnings_say, (gpointer) "was held for");
  ui_wait_until ("and who it was", warnings_say, (gpointer) "run_scenario");
  keep_picture ("dashboard-warnings.png");
  cothread_task_unref (first);
  cothread_task_unref (second);
}

static gboolean
lists_a_sample_of_a_million (G_GNUC_UNUSED gpointer unused)
{
  return ctv_task_model_get_n_tasks (get_model ()) > MILLION && count_rows () > 1000;
}

/* Worst frame while the view is refreshed several times, in us. */
static gint64
measure_worst_frame (const char *what)
{
  DashFrameMeter *meter = dash_animation_get_meter (DASH_ANIMATION (ui_find (ui.window, "animation")));

  dash_frame_meter_reset_intervals (meter);
  g_assert_true (cothread_sleep (3 * G_USEC_PER_SEC, NULL));
  g_test_message ("%s: %" G_GUINT64_FORMAT " frames in 3 s, the worst after %.1f ms", what, meter->intervals.n,
                  (double) meter->intervals.longest_ns / 1e6);
  return meter->intervals.longest_ns / 1000;
}

/* Stackless ones, which take no memory to speak of. A refresh that looked at all
 * of them would hold the window for a second or more, and then again. */
static void
scenario_a_million_tasks_leave_the_window_alive (void)
{
  Language *language = language_new ();

  ui_act (ui.window, "win.find", NULL);
  for (guint i = 0; i < MILLION; i++)
    {
      cothread_stackless_runner_park (runner (language), spawn_task (language), COTHREAD_FOREVER);
      cothread_checkpoint (NULL);
    }
  ui_wait_until ("a million are told, some are listed", lists_a_sample_of_a_million, NULL);
  ui_wait_until ("the animation moves meanwhile", shows_smooth_animation, NULL);
  g_assert_cmpint (measure_worst_frame ("as they come"), <, G_USEC_PER_SEC);

  ui_sort (ui.window, "task-list", 1, GTK_SORT_ASCENDING);
  g_assert_cmpint (measure_worst_frame ("sorted by name"), <, G_USEC_PER_SEC);
  ui_set_text (ui.window, "task-filter", "work");
  g_assert_cmpint (measure_worst_frame ("filtered too"), <, G_USEC_PER_SEC);
  ui_select_row (ui.window, "task-list", 7);
  ui_wait_until ("one is open", detail_is_a_toy, NULL);
  g_assert_cmpint (measure_worst_frame ("one opened"), <, G_USEC_PER_SEC);
  keep_picture ("dashboard-million.png");
  g_object_unref (language);
}

static void
scenario_everything_has_an_accessible_name (void)
{
  g_autoptr (GPtrArray) nameless = ui_list_nameless (ui.window);

  for (guint i = 0; i < nameless->len; i++)
    g_test_message ("nameless: %s", (const char *) g_ptr_array_index (nameless, i));
  g_assert_cmpuint (nameless->len, ==, 0);
  gtk_test_accessible_assert_role (ui_find (ui.window, "depth-plot"), GTK_ACCESSIBLE_ROLE_IMG);
  gtk_test_accessible_assert_relation (ui_find (ui.window, "bound"), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                       ui_find (ui.window, "bound-label"), NULL);
}

static void
assert_all_is_reached (const char *page)
{
  g_autoptr (GPtrArray) unreachable = NULL;

  ui_act (ui.window, "win.page", g_variant_new_string (page));
  g_assert_true (cothread_sleep (500000, NULL)); /* the page has slid in, and rows are there */
  unreachable = ui_list_unreachable (ui.window);
  for (guint i = 0; i < unreachable->len; i++)
    g_test_message ("page %s: the keyboard does not reach %s", page, (const char *) g_ptr_array_index (unreachable, i));
  g_assert_cmpuint (unreachable->len, ==, 0);
}

static void
scenario_everything_is_reached_from_the_keyboard (void)
{
  ui_wait_until ("files indexed", shows_something, (gpointer) "files");
  assert_all_is_reached ("queue");
  assert_all_is_reached ("tasks");
  assert_all_is_reached ("warnings");
}

static void
scenario_closes_while_flooding (void)
{
  start_flood (POLICY_BLOCK);
  ui_toggle (ui.window, "pause");
  ui_wait_until ("the poster is blocked", shows_bound_as_depth, NULL);
}

static void
scenario_closes_with_every_workload_on (void)
{
  start_flood (POLICY_DROP_OLDEST);
  ui_toggle (ui.window, "sleepers-switch");
  ui_toggle (ui.window, "echo-switch");
  ui_wait_until ("it listens", line_says, (gpointer) "echo on port");
  ui_wait_until ("some sleep", line_says, (gpointer) "asleep");
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

/* Every warning is a failure, but that of the stall detector: on a machine with
 * much to do it may well be right. */
static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  gboolean is_stall = FALSE;

  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE") && fields[i].length < 0)
      is_stall = strstr (fields[i].value, "has held the main loop") != NULL;
  g_log_writer_default (level, fields, n_fields, data);
  if ((level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL)) && !is_stall)
    abort ();

  return G_LOG_WRITER_HANDLED;
}

int
main (int argc, char **argv)
{
  g_log_set_writer_func (write_log, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK); /* write_log() sees to the rest */

#define ADD(path, scenario) g_test_add_data_func ("/dashboard/" path, (gconstpointer) scenario, test_scenario)
  ADD ("indexes-a-folder", scenario_indexes_a_folder);
  ADD ("flood-drops-and-the-window-stays-alive", scenario_flood_drops_and_the_window_stays_alive);
  ADD ("refusals-are-shown", scenario_refusals_are_shown);
  ADD ("pause-stops-the-queue-and-resume-goes-on", scenario_pause_stops_the_queue_and_resume_goes_on);
  ADD ("time-slice-reaches-the-scheduler", scenario_time_slice_reaches_the_scheduler);
  ADD ("the-original-has-no-bound-and-no-slice", scenario_the_original_has_no_bound_and_no_slice);
  ADD ("sleepers-are-listed-while-the-window-stays-alive", scenario_sleepers_are_listed_while_the_window_stays_alive);
  ADD ("echo-server-serves", scenario_echo_server_serves);
  ADD ("tasks-are-listed-filtered-and-opened", scenario_tasks_are_listed_filtered_and_opened);
  ADD ("headers-sort-and-the-open-task-stays-open", scenario_headers_sort_and_the_open_task_stays_open);
  ADD ("warnings-name-who-holds-the-loop-and-who-is-lost", scenario_warnings_name_who_holds_the_loop_and_who_is_lost);
  ADD ("everything-has-an-accessible-name", scenario_everything_has_an_accessible_name);
  ADD ("everything-is-reached-from-the-keyboard", scenario_everything_is_reached_from_the_keyboard);
  ADD ("a-million-tasks-leave-the-window-alive", scenario_a_million_tasks_leave_the_window_alive);
  ADD ("closes-with-every-workload-on", scenario_closes_with_every_workload_on);
  ADD ("closes-while-flooding", scenario_closes_while_flooding);

  return g_test_run ();
}
