/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "behaviour.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HAVE_JSON_GLIB
#include <json-glib/json-glib.h>
#endif

/* The trace: what is recorded, and that others can read it. */

static CothreadTrace *
new_trace (guint max_events)
{
  g_autoptr (GError) error = NULL;
  CothreadTrace *trace = cothread_trace_new (NULL, max_events, &error);

  g_assert_no_error (error);
  return trace;
}

static char *
temporary_path (void)
{
  char *path = NULL;
  gint fd = g_file_open_tmp ("cothread-trace-XXXXXX", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  return path;
}

static gpointer
sleep_and_yield (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (0, error);
  cothread_yield (error);
  return NULL;
}

static gpointer
run_a_loop (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  start ("inner", sleep_and_yield, NULL);
  settle ();
  return NULL;
}

static void
small_callback (G_GNUC_UNUSED gpointer unused)
{
  __asm__ volatile ("");
}

static void
do_some_of_everything (void)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());

  for (guint i = 0; i < 5; i++)
    start ("wor\"ker\xff", sleep_and_yield, NULL);
  start ("opener", run_a_loop, NULL);
  for (guint i = 0; i < 5; i++)
    cothread_callback_queue_post (queue, small_callback, NULL, NULL, NULL);
  settle ();
}

#ifdef HAVE_JSON_GLIB
/* The rules of Chrome's "Trace Event Format" for the phases that are used. */
typedef struct
{
  GHashTable *waits; /* open asynchronous ones, by id */
  guint n_of[128];
  gboolean has_worker;
  gboolean has_inner;
  gboolean has_callback;
} Seen;

static void
check_event (JsonObject *event, Seen *seen)
{
  const char *phase = json_object_get_string_member (event, "ph");
  const char *name = json_object_get_string_member (event, "name");
  const char *category = json_object_get_string_member (event, "cat");

  g_assert_cmpuint (strlen (phase), ==, 1);
  g_assert_nonnull (strchr ("XibeCM", phase[0]));
  seen->n_of[(guchar) phase[0]]++;
  g_assert_cmpfloat (json_object_get_double_member (event, "ts"), >=, 0);
  g_assert_cmpint (json_object_get_int_member (event, "pid"), >, 0);
  g_assert_true (json_object_has_member (event, "tid"));
  if (phase[0] == 'X')
    {
      g_assert_cmpfloat (json_object_get_double_member (event, "dur"), >=, 0);
      seen->has_worker |= g_str_equal (category, "task") && g_str_has_prefix (name, "wor\"ker");
      seen->has_inner |= g_str_equal (category, "task") && g_str_equal (name, "inner");
      seen->has_callback |= g_str_equal (category, "callback");
    }
  else if (phase[0] == 'b')
    g_assert_true (g_hash_table_add (seen->waits, g_strdup (json_object_get_string_member (event, "id"))));
  else if (phase[0] == 'e')
    g_assert_true (g_hash_table_remove (seen->waits, json_object_get_string_member (event, "id")));
  else if (phase[0] == 'i')
    g_assert_cmpstr (json_object_get_string_member (event, "s"), ==, "t");
}

typedef struct
{
  double begin, end;
} Span;

static int
by_begin_then_longest (gconstpointer a, gconstpointer b)
{
  const Span *x = a, *y = b;

  return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) : (x->end < y->end) - (x->end > y->end);
}

/* On one track, slices lie inside each other or beside each other. */
static void
check_nesting (JsonArray *events)
{
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (Span));
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < json_array_get_length (events); i++)
    {
      JsonObject *event = json_array_get_object_element (events, i);

      if (g_str_equal (json_object_get_string_member (event, "ph"), "X"))
        {
          Span span;

          span.begin = json_object_get_double_member (event, "ts");
          span.end = span.begin + json_object_get_double_member (event, "dur");
          g_array_append_val (spans, span);
        }
    }
  g_array_sort (spans, by_begin_then_longest);
  for (guint i = 0; i < spans->len; i++)
    {
      Span *span = &g_array_index (spans, Span, i);

      while (open->len > 0 && g_array_index (open, double, open->len - 1) <= span->begin + 0.0015)
        g_array_set_size (open, open->len - 1);
      if (open->len > 0) /* both rounded to a nanosecond */
        g_assert_cmpfloat (span->end, <=, g_array_index (open, double, open->len - 1) + 0.0025);
      g_array_append_val (open, span->end);
    }
}

static JsonArray *
read_events (JsonParser *parser, const char *path)
{
  g_autoptr (GError) error = NULL;

  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  return json_object_get_array_member (json_node_get_object (json_parser_get_root (parser)), "traceEvents");
}

static void
check_file (const char *path, Seen *seen)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonArray *events = read_events (parser, path);

  *seen = (Seen) { .waits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  for (guint i = 0; i < json_array_get_length (events); i++)
    check_event (json_array_get_object_element (events, i), seen);
  check_nesting (events);
  g_clear_pointer (&seen->waits, g_hash_table_unref);
}

static void
test_the_file_keeps_the_rules_and_tells_what_happened (void)
{
  g_autoptr (CothreadTrace) trace = new_trace (0);
  g_autofree char *path = temporary_path ();
  g_autoptr (GError) error = NULL;
  Seen seen;

  do_some_of_everything ();
  g_assert_true (cothread_trace_write (trace, path, &error));
  g_assert_no_error (error);
  check_file (path, &seen);

  g_assert_true (seen.has_worker);
  g_assert_true (seen.has_inner);
  g_assert_true (seen.has_callback);
  g_assert_cmpuint (seen.n_of['M'], ==, 1);
  g_assert_cmpuint (seen.n_of['i'], >=, 2 * 7); /* spawned and finished */
  g_assert_cmpuint (seen.n_of['b'], >=, 6);
  g_assert_cmpuint (seen.n_of['C'], >, 0);
  g_assert_cmpuint (cothread_trace_get_n_lost (trace), ==, 0);
  g_unlink (path);
}

static void
test_a_small_ring_keeps_the_last_events_and_the_rules (void)
{
  g_autofree char *path = temporary_path ();

  for (guint size = 16; size <= 128; size *= 2)
    {
      g_autoptr (CothreadTrace) trace = new_trace (size);
      g_autoptr (GError) error = NULL;
      Seen seen;

      for (guint i = 0; i < 10; i++)
        do_some_of_everything ();
      g_assert_true (cothread_trace_write (trace, path, &error));
      g_assert_no_error (error);
      check_file (path, &seen);
      g_assert_cmpuint (cothread_trace_get_n_events (trace) - cothread_trace_get_n_lost (trace), ==, size);
    }
  g_unlink (path);
}

static void
test_it_can_be_written_after_the_shutdown (void)
{
  g_autoptr (CothreadTrace) trace = new_trace (0);
  g_autofree char *path = temporary_path ();
  g_autoptr (GError) error = NULL;
  Seen seen;

  do_some_of_everything ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_assert_true (cothread_trace_write (trace, path, &error));
  g_assert_no_error (error);
  check_file (path, &seen);
  g_assert_true (seen.has_inner);
  g_unlink (path);
}
#endif

static void
test_a_full_disk_is_an_error (void)
{
  g_autoptr (CothreadTrace) trace = new_trace (0);
  g_autoptr (GError) error = NULL;

  do_some_of_everything ();
  g_assert_false (cothread_trace_write (trace, "/dev/full", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "/dev/full"));
  assert_scheduler_works ();
}

static void
test_a_folder_that_is_not_there_is_an_error (void)
{
  g_autoptr (CothreadTrace) trace = new_trace (0);
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_trace_write (trace, "/nonexistent/trace.json", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
test_there_is_one_trace_at_a_time (void)
{
  g_autoptr (CothreadTrace) first = new_trace (0);
  g_autoptr (CothreadTrace) second = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (cothread_trace_new (NULL, 0, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  cothread_trace_stop (first);
  second = new_trace (0);
  g_assert_nonnull (second);
}

static gpointer
toggle (gpointer data, GError **error)
{
  CothreadTrace **trace = data;

  g_clear_object (trace);
  cothread_yield (error);
  *trace = new_trace (32);
  cothread_sleep (0, error);
  return NULL;
}

static void
test_a_task_may_stop_and_start_it (void)
{
  CothreadTrace *trace = new_trace (0);

  start ("toggle", toggle, &trace);
  start ("other", sleep_and_yield, NULL);
  settle ();
  g_assert_cmpuint (cothread_trace_get_n_events (trace), >, 0);
  g_object_unref (trace);
  assert_scheduler_works ();
}

static void
test_what_ran_before_is_named_all_the_same (void)
{
  g_autoptr (CothreadTrace) trace = NULL;
  g_autofree char *path = temporary_path ();
  g_autofree char *text = NULL;

  start ("early", sleep_and_yield, NULL);
  trace = new_trace (0);
  settle ();
  g_assert_true (cothread_trace_write (trace, path, NULL));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "\"name\":\"early\",\"cat\":\"task\",\"ph\":\"X\""));
  g_unlink (path);
}

/* In processes of their own, since the environment is read once a scheduler. */

static void
child (gboolean shuts_down)
{
  start ("of the child", sleep_and_yield, NULL);
  settle ();
  if (shuts_down)
    cothread_scheduler_shutdown (cothread_scheduler_get_default ());
}

static void
run_child (const char *path, const char *how)
{
  g_autofree char *which = g_strdup_printf ("/trace/environment/child/%s", how);

  g_setenv ("COTHREAD_TRACE", path, TRUE);
  g_test_trap_subprocess (which, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_DEFAULT);
  g_unsetenv ("COTHREAD_TRACE");
}

static void
child_that_exits (void)
{
  if (g_test_subprocess ())
    {
      child (FALSE);
      exit (0);
    }
}

static void
child_that_shuts_down (void)
{
  if (g_test_subprocess ())
    child (TRUE);
}

/* ---- processes that run with the same environment ---- */

/* Without what exit() would say of the parent's memory, which is lost here. */
static void
trace_and_exit (const char *name)
{
  start (name, sleep_and_yield, NULL);
  settle ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  _exit (0);
}

static void
wait_for (pid_t pid)
{
  int status = -1;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static void
child_that_forks (void)
{
  pid_t pid;

  if (!g_test_subprocess ())
    return;
  start ("of the parent", sleep_and_yield, NULL);
  settle ();
  pid = fork ();
  if (pid == 0)
    trace_and_exit ("of the forked");
  wait_for (pid);
  exit (0);
}

/* Neither has a parent that would have taken the file; the first lives until the
 * second has its own. */
static void
child_that_forks_twice (void)
{
  pid_t pids[2];
  int first[2], second[2];
  char byte;

  if (!g_test_subprocess ())
    return;
  g_assert_cmpint (pipe (first), ==, 0);
  g_assert_cmpint (pipe (second), ==, 0);
  pids[0] = fork ();
  if (pids[0] == 0)
    {
      cothread_scheduler_get_default ();
      g_assert_cmpint (write (first[1], "x", 1), ==, 1);
      g_assert_cmpint (read (second[0], &byte, 1), ==, 1);
      trace_and_exit ("of the first");
    }
  g_assert_cmpint (read (first[0], &byte, 1), ==, 1);
  pids[1] = fork ();
  if (pids[1] == 0)
    {
      cothread_scheduler_get_default ();
      g_assert_cmpint (write (second[1], "x", 1), ==, 1);
      trace_and_exit ("of the second");
    }
  wait_for (pids[0]);
  wait_for (pids[1]);
  exit (0);
}

static guint
count_traces_of (GPtrArray *traces, const char *name)
{
  guint n = 0;

  for (guint i = 0; i < traces->len; i++)
    n += strstr (traces->pdata[i], name) != NULL;
  return n;
}

/* All traces that a child's processes have written; those files are gone then. */
static GPtrArray *
collect_traces (const char *how)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *traces = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *folder = g_dir_make_tmp ("cothread-trace-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "trace.json", NULL);
  g_autoptr (GDir) files = NULL;
  const char *name;

  run_child (path, how);
  g_test_trap_assert_passed ();
  files = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (files)) != NULL)
    {
      g_autofree char *file = g_build_filename (folder, name, NULL);
      char *text;

      g_file_get_contents (file, &text, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (g_str_has_suffix (text, "]}"));
      g_ptr_array_add (traces, text);
      g_unlink (file);
    }
  g_rmdir (folder);
  return traces;
}

static void
test_the_child_of_a_fork_has_a_file_of_its_own (void)
{
  g_autoptr (GPtrArray) traces = collect_traces ("forks");

  g_assert_cmpuint (traces->len, ==, 2);
  g_assert_cmpuint (count_traces_of (traces, "of the parent"), ==, 1);
  g_assert_cmpuint (count_traces_of (traces, "of the forked"), ==, 1);
}

static void
test_two_children_have_a_file_each (void)
{
  g_autoptr (GPtrArray) traces = collect_traces ("forks-twice");

  g_assert_cmpuint (traces->len, ==, 2);
  g_assert_cmpuint (count_traces_of (traces, "of the first"), ==, 1);
  g_assert_cmpuint (count_traces_of (traces, "of the second"), ==, 1);
}

static void
check_environment (const char *how)
{
  g_autofree char *path = temporary_path ();
  g_autofree char *text = NULL;

  run_child (path, how);
  g_test_trap_assert_passed ();
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "of the child"));
  g_assert_true (g_str_has_suffix (text, "]}"));
  g_unlink (path);
}

static void
test_the_environment_asks_for_a_file_at_the_shutdown (void)
{
  check_environment ("shuts-down");
}

static void
test_the_environment_asks_for_a_file_at_the_exit (void)
{
  check_environment ("exits");
}

static void
test_a_full_disk_is_one_message (void)
{
  run_child ("/dev/full", "exits");
  g_test_trap_assert_stderr ("*Cannot write the trace to /dev/full: No space left on device*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#ifdef HAVE_JSON_GLIB
  behaviour_add ("/trace/file/keeps-the-rules", test_the_file_keeps_the_rules_and_tells_what_happened);
  behaviour_add ("/trace/file/small-ring", test_a_small_ring_keeps_the_last_events_and_the_rules);
  behaviour_add ("/trace/file/after-the-shutdown", test_it_can_be_written_after_the_shutdown);
#endif
  behaviour_add ("/trace/file/full-disk", test_a_full_disk_is_an_error);
  behaviour_add ("/trace/file/no-folder", test_a_folder_that_is_not_there_is_an_error);
  behaviour_add ("/trace/file/names-of-earlier-tasks", test_what_ran_before_is_named_all_the_same);
  behaviour_add ("/trace/one-at-a-time", test_there_is_one_trace_at_a_time);
  behaviour_add ("/trace/stopped-by-a-task", test_a_task_may_stop_and_start_it);
  behaviour_add ("/trace/environment/shutdown", test_the_environment_asks_for_a_file_at_the_shutdown);
  behaviour_add ("/trace/environment/exit", test_the_environment_asks_for_a_file_at_the_exit);
  behaviour_add ("/trace/environment/full-disk", test_a_full_disk_is_one_message);
  behaviour_add ("/trace/environment/forked", test_the_child_of_a_fork_has_a_file_of_its_own);
  behaviour_add ("/trace/environment/forked-twice", test_two_children_have_a_file_each);
  behaviour_add ("/trace/environment/child/forks", child_that_forks);
  g_test_add_func ("/trace/environment/child/forks-twice", child_that_forks_twice);
  behaviour_add ("/trace/environment/child/exits", child_that_exits);
  behaviour_add ("/trace/environment/child/shuts-down", child_that_shuts_down);
  return g_test_run ();
}
