/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "behaviour.h"

#include <signal.h>
#include <string.h>

#ifdef HAVE_JSON_GLIB
#include <json-glib/json-glib.h>
#endif

/* Backtraces, and everything written down. */

static void __attribute__ ((noinline))
wait_deep_inside (CothreadEvent *event, GError **error)
{
  cothread_event_wait (event, COTHREAD_FOREVER, error);
  __asm__ volatile ("");
}

static gpointer
wait_somewhere (gpointer event, GError **error)
{
  wait_deep_inside (event, error);
  __asm__ volatile ("");
  return NULL;
}

/* What the task stands in, from the inside out; TRUE if every name of `names`
 * is found in this order. */
static gboolean
has_frames (char **lines, const char *const *names)
{
  for (guint i = 0; lines[i] != NULL; i++)
    if (*names != NULL && g_str_has_prefix (lines[i], *names))
      names++;
  return *names == NULL;
}

static void
assert_frames (char **lines, const char *const *names)
{
  if (!has_frames (lines, names))
    {
      g_autofree char *all = g_strjoinv ("\n", lines);

      g_error ("%s and the others are not in:\n%s", names[0], all);
    }
}

static void
test_a_parked_task_shows_its_callers (void)
{
#ifdef HAVE_LIBUNWIND
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_somewhere, event);
  const char *const names[] = { "wait_deep_inside+", "wait_somewhere+", "run_native+", "native_task_entry+", "ct_context_start+", NULL };
  g_auto (GStrv) lines = NULL;

  settle ();
  lines = cothread_task_dup_backtrace (task);

  assert_frames (lines, names);
  g_assert_true (g_str_has_prefix (lines[g_strv_length (lines) - 1], "ct_context_start+"));
  cothread_task_cancel (task);
  settle ();
#else
  g_test_skip ("built without libunwind");
#endif
}

static G_GNUC_UNUSED gpointer
say_own_frames (gpointer found, G_GNUC_UNUSED GError **error)
{
  const char *const names[] = { "say_own_frames+", "native_task_entry+", NULL };
  g_auto (GStrv) lines = cothread_task_dup_backtrace (cothread_task_self ());

  *(gboolean *) found = has_frames (lines, names);
  return NULL;
}

static void
test_a_running_task_shows_its_own (void)
{
#ifdef HAVE_LIBUNWIND
  gboolean found = FALSE;

  start ("task", say_own_frames, &found);
  settle ();
  g_assert_true (found);
#else
  g_test_skip ("built without libunwind");
#endif
}

static void
look_at_opener (gpointer data)
{
  const char *const names[] = { "run_a_loop+", "native_task_entry+", NULL };
  g_auto (GStrv) lines = cothread_task_dup_backtrace (data);

  assert_frames (lines, names);
  say ("looked");
}

static gpointer
look_at_it (gpointer data, G_GNUC_UNUSED GError **error)
{
  look_at_opener (data);
  return NULL;
}

static G_GNUC_UNUSED gpointer
run_a_loop (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  start ("inner", look_at_it, cothread_task_self ());
  settle ();
  __asm__ volatile ("");
  return NULL;
}

static void
test_one_that_runs_a_nested_loop_shows_where (void)
{
#ifdef HAVE_LIBUNWIND
  start ("opener", run_a_loop, NULL);
  settle ();
  assert_said ("looked");
#else
  g_test_skip ("built without libunwind");
#endif
}

static void
test_without_a_stack_there_is_nothing_to_show (void)
{
  g_autoptr (CothreadTask) task = spawn ("task", say_own_name, NULL);
  g_auto (GStrv) before = cothread_task_dup_backtrace (task);
  g_auto (GStrv) after = NULL;

  settle ();
  assert_said ("task");
  after = cothread_task_dup_backtrace (task);
  g_assert_cmpuint (g_strv_length (before), ==, 0);
  g_assert_cmpuint (g_strv_length (after), ==, 0);
}

static char **
python_frames (CothreadTask *task, gpointer data)
{
  const char *const lines[] = { "File \"loader.py\", line 7, in load\xff", data, NULL };

  g_assert_cmpstr (cothread_task_get_language (task), ==, "Python");
  return g_strdupv ((char **) lines);
}

static void
test_a_language_adds_its_own_frames_first (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = spawn ("task", wait_somewhere, event);
  g_autoptr (CothreadTask) other = spawn ("other", wait_somewhere, event);
  g_auto (GStrv) lines = NULL;
  g_auto (GStrv) of_other = NULL;

  cothread_task_set_language (task, "Python");
  cothread_monitor_set_frames_hook ("Python", python_frames, (gpointer) "File \"app.py\", line 3, in main");
  settle ();
  lines = cothread_task_dup_backtrace (task);
  of_other = cothread_task_dup_backtrace (other);
  cothread_monitor_set_frames_hook ("Python", NULL, NULL);

  g_assert_true (g_str_has_prefix (lines[0], "File \"loader.py\""));
  g_assert_true (g_utf8_validate (lines[0], -1, NULL));
  g_assert_cmpstr (lines[1], ==, "File \"app.py\", line 3, in main");
  g_assert_cmpuint (g_strv_length (lines), ==, g_strv_length (of_other) + 2);
  cothread_task_cancel (task);
  cothread_task_cancel (other);
  settle ();
}

static CothreadTask *
make_a_scene (CothreadEvent *event)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  CothreadTask *task;

  cothread_callback_queue_post (cothread_scheduler_get_callback_queue (scheduler), (CothreadCallbackFunc) g_free, NULL, NULL, NULL);
  cothread_monitor_set_name (G_OBJECT (event), "rows \"loaded\"");
  task = spawn ("wai\xffter\n", wait_somewhere, event);
  settle ();
  return task;
}

static void
test_the_text_tells_about_tasks_and_queues (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = make_a_scene (event);
  g_autofree char *text = cothread_scheduler_dump_text (cothread_scheduler_get_default (), COTHREAD_DUMP_BACKTRACES, 0);

  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_nonnull (strstr (text, "\n  tasks                  2\n"));
  g_assert_nonnull (strstr (text, "waiting for event rows \"loaded\", since "));
  g_assert_nonnull (strstr (text, "callback queue \"default\""));
#ifdef HAVE_LIBUNWIND
  g_assert_nonnull (strstr (text, "wait_deep_inside+"));
#endif
  cothread_task_cancel (task);
  settle ();
}

/* Numbers and addresses differ from run to run. */
static char *
mask (const char *text)
{
  g_autoptr (GRegex) addresses = g_regex_new ("0x[0-9a-f]+", 0, 0, NULL);
  g_autoptr (GRegex) numbers = g_regex_new ("-?[0-9]+(\\.[0-9]+)?", 0, 0, NULL);
  g_autofree char *without_addresses = g_regex_replace_literal (addresses, text, -1, 0, "AT", 0, NULL);

  return g_regex_replace_literal (numbers, without_addresses, -1, 0, "N", 0, NULL);
}

static void
assert_golden (const char *text, const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, name, NULL);
  g_autofree char *masked = mask (text);
  g_autofree char *golden = NULL;

  if (g_getenv ("COTHREAD_WRITE_GOLDEN") != NULL)
    g_assert_true (g_file_set_contents (path, masked, -1, NULL));
  g_assert_true (g_file_get_contents (path, &golden, NULL, NULL));
  g_assert_cmpstr (masked, ==, golden);
}

static void
test_text_and_json_are_the_golden_ones (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = make_a_scene (event);
  g_autofree char *text = cothread_scheduler_dump_text (scheduler, COTHREAD_DUMP_DEFAULT, 0);
  g_autofree char *json = cothread_scheduler_dump_json (scheduler, COTHREAD_DUMP_DEFAULT, 0);

  assert_golden (text, "golden/dump.txt");
  assert_golden (json, "golden/dump.json");
  cothread_task_cancel (task);
  settle ();
}

static void
test_a_dump_of_few_says_how_many_are_left_out (void)
{
  g_autofree char *text = NULL;

  for (guint i = 0; i < 10; i++)
    start ("task", say_own_name, NULL);
  text = cothread_scheduler_dump_text (cothread_scheduler_get_default (), COTHREAD_DUMP_DEFAULT, 3);
  g_assert_true (g_str_has_suffix (text, "and 7 more tasks\n"));
  settle ();
  assert_said ("task task task task task task task task task task");
}

#ifdef HAVE_JSON_GLIB
static void
test_the_json_is_json_with_the_same_things (void)
{
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (CothreadTask) task = make_a_scene (event);
  g_autofree char *text = cothread_scheduler_dump_json (cothread_scheduler_get_default (), COTHREAD_DUMP_BACKTRACES, 0);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *root, *statistics, *json_task = NULL;
  JsonArray *tasks;

  json_parser_load_from_data (parser, text, -1, &error);
  g_assert_no_error (error);
  root = json_node_get_object (json_parser_get_root (parser));
  statistics = json_object_get_object_member (root, "statistics");
  tasks = json_object_get_array_member (root, "tasks");
  for (guint i = 0; i < json_array_get_length (tasks); i++)
    if ((guint64) json_object_get_int_member (json_array_get_object_element (tasks, i), "id") == cothread_task_get_id (task))
      json_task = json_array_get_object_element (tasks, i);

  g_assert_cmpint (json_object_get_int_member (statistics, "tasks"), ==, 2);
  g_assert_cmpuint (json_array_get_length (tasks), ==, 2);
  g_assert_nonnull (json_task);
  g_assert_cmpstr (json_object_get_string_member (json_task, "waits_for"), ==, "event rows \"loaded\"");
  g_assert_cmpstr (json_object_get_string_member (json_task, "name"), ==, "wai\xef\xbf\xbdter\n");
  g_assert_cmpstr (json_object_get_string_member (json_task, "state"), ==, "waiting");
  g_assert_true (json_object_get_null_member (json_task, "spawn_site"));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (json_task, "backtrace")), >=, 1);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "queues")), ==, 1);
  cothread_task_cancel (task);
  settle ();
}
#endif

static void
test_after_a_shutdown_it_says_so (void)
{
  CothreadScheduler *scheduler = g_object_ref (cothread_scheduler_get_default ());
  g_autofree char *text = NULL;
  g_autofree char *json = NULL;

  cothread_scheduler_shutdown (scheduler);
  text = cothread_scheduler_dump_text (scheduler, COTHREAD_DUMP_BACKTRACES, 0);
  json = cothread_scheduler_dump_json (scheduler, COTHREAD_DUMP_BACKTRACES, 0);
  g_assert_nonnull (strstr (text, "shut down"));
  g_assert_nonnull (strstr (json, "\"tasks\":[]"));
  g_object_unref (scheduler);
}

static gpointer
raise_in_task (gpointer number, G_GNUC_UNUSED GError **error)
{
  raise (GPOINTER_TO_INT (number));
  return NULL;
}

static void
dump_on (int number)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (GError) error = NULL;

  cothread_monitor_set_name (G_OBJECT (event), "the-sign");
  g_assert_true (cothread_scheduler_dump_on_signal (scheduler, number, &error));
  g_assert_no_error (error);
  g_assert_false (cothread_scheduler_dump_on_signal (scheduler, number, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);

  start ("waiter", wait_somewhere, event);
  start ("raiser", raise_in_task, GINT_TO_POINTER (number));
  settle ();
  cothread_scheduler_ignore_signal (scheduler, number);
  cothread_event_signal (event);
  settle ();
}

static void
test_a_signal_makes_it_write_to_standard_error (void)
{
  if (g_test_subprocess ())
    {
      dump_on (SIGUSR1);
      dump_on (SIGQUIT);
      /* Given back: it ends the process again, which the parent looks for. */
      raise (SIGUSR1);
      return;
    }
  g_test_trap_subprocess (NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_assert_false (g_test_trap_has_passed ());
  g_test_trap_assert_stderr ("*\"waiter\"*waiting for event the-sign*\"waiter\"*waiting for event the-sign*");
}

static void
test_a_signal_that_does_not_exist_is_an_error (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_scheduler_dump_on_signal (scheduler, SIGKILL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (cothread_scheduler_dump_on_signal (scheduler, 4000, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static gpointer
sleep_for_an_hour (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (3600 * 1000 * MS, error);
  return NULL;
}

static void
test_waits_in_virtual_time_are_told_in_virtual_time (void)
{
  g_autofree char *text = NULL;

  start ("sleeper", sleep_for_an_hour, NULL);
  cothread_sleep (1200 * 1000 * MS, NULL);
  text = cothread_scheduler_dump_text (cothread_scheduler_get_default (), COTHREAD_DUMP_DEFAULT, 0);
  g_assert_nonnull (strstr (text, "waiting for sleep, since 1200.000 s, for 2400.000 s more"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/backtrace/parked-task", test_a_parked_task_shows_its_callers);
  behaviour_add ("/backtrace/running-task", test_a_running_task_shows_its_own);
  behaviour_add ("/backtrace/nested-loop", test_one_that_runs_a_nested_loop_shows_where);
  behaviour_add ("/backtrace/no-stack", test_without_a_stack_there_is_nothing_to_show);
  behaviour_add ("/backtrace/language-hook", test_a_language_adds_its_own_frames_first);
  behaviour_add ("/dump/text/tasks-and-queues", test_the_text_tells_about_tasks_and_queues);
  behaviour_add ("/dump/golden", test_text_and_json_are_the_golden_ones);
  behaviour_add_virtual ("/dump/text/virtual-time", test_waits_in_virtual_time_are_told_in_virtual_time);
  behaviour_add ("/dump/text/few", test_a_dump_of_few_says_how_many_are_left_out);
#ifdef HAVE_JSON_GLIB
  behaviour_add ("/dump/json/is-json", test_the_json_is_json_with_the_same_things);
#endif
  behaviour_add ("/dump/after-shutdown", test_after_a_shutdown_it_says_so);
  behaviour_add ("/dump/signal/writes", test_a_signal_makes_it_write_to_standard_error);
  behaviour_add ("/dump/signal/does-not-exist", test_a_signal_that_does_not_exist_is_an_error);
  return g_test_run ();
}
