/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs itself under a Sysprof that captures nothing but what its program says,
 * and reads the capture back. */

#include <cothread-glib.h>
#include <glib/gstdio.h>
#include <sysprof-capture.h>
#include <sysprof.h>

#define NAP_US 20000
#define PATIENCE_S 60

static gpointer
nap (G_GNUC_UNUSED gpointer unused, GError **error)
{
  for (guint i = 0; i < 3; i++)
    cothread_sleep (NAP_US, error);
  return NULL;
}

static void
nothing (G_GNUC_UNUSED gpointer unused)
{
}

static int
run_child (void)
{
  g_autoptr (CothreadTrace) trace = cothread_trace_new (NULL, 0, NULL);
  g_autoptr (CothreadTask) task = cothread_spawn_full (nap, NULL, &(CothreadSpawnOptions) { .name = "napper" }, NULL);

  cothread_callback_queue_post (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()), nothing, NULL, NULL, NULL);
  cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
  cothread_trace_stop (trace);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  return 0;
}

typedef struct
{
  GMainLoop *loop;
  GError *error;
} Capture;

static void
stopped (G_GNUC_UNUSED SysprofProfiler *profiler, Capture *capture)
{
  g_main_loop_quit (capture->loop);
}

static void
failed (G_GNUC_UNUSED SysprofProfiler *profiler, const GError *error, Capture *capture)
{
  capture->error = g_error_copy (error);
  g_main_loop_quit (capture->loop);
}

static gboolean
lost_patience (G_GNUC_UNUSED gpointer unused)
{
  g_error ("Sysprof has not stopped within a minute");
  return G_SOURCE_REMOVE;
}

static char *program;

static char *
capture (void)
{
  const char *const argv[] = { program, "--child", NULL };
  char *path = g_build_filename (g_get_tmp_dir (), "cothread-sysprof-XXXXXX", NULL);
  Capture self = { g_main_loop_new (NULL, FALSE), NULL };
  g_autoptr (SysprofProfiler) profiler = sysprof_local_profiler_new ();
  g_autoptr (SysprofSource) source = SYSPROF_SOURCE (sysprof_control_source_new ());
  SysprofCaptureWriter *writer = sysprof_capture_writer_new_from_fd (g_mkstemp (path), 0);
  guint timer = g_timeout_add_seconds (PATIENCE_S, lost_patience, NULL);

  sysprof_profiler_set_writer (profiler, writer);
  sysprof_profiler_set_spawn (profiler, TRUE);
  sysprof_profiler_set_spawn_inherit_environ (profiler, TRUE);
  sysprof_profiler_set_spawn_argv (profiler, argv);
  sysprof_profiler_set_whole_system (profiler, FALSE);
  sysprof_profiler_add_source (profiler, source);
  g_signal_connect (profiler, "stopped", G_CALLBACK (stopped), &self);
  g_signal_connect (profiler, "failed", G_CALLBACK (failed), &self);
  sysprof_profiler_start (profiler);
  g_main_loop_run (self.loop);
  g_source_remove (timer);
  g_assert_no_error (self.error);
  sysprof_capture_writer_flush (writer);
  sysprof_capture_writer_unref (writer);
  g_main_loop_unref (self.loop);
  return path;
}

typedef struct
{
  guint turns;
  guint runs;
  guint waits;
  guint callbacks;
  gint64 slept_ns;
  gint64 most_tasks;
  guint counter; /* the number of "tasks" */
} Seen;

static void
see_mark (Seen *seen, const SysprofCaptureMark *mark)
{
  if (!g_str_equal (mark->group, "cothread"))
    return;
  g_assert_cmpint (mark->duration, >=, 0);
  seen->turns += g_str_has_prefix (mark->name, "turn");
  seen->runs += g_str_equal (mark->name, "run") && g_str_equal (mark->message, "napper");
  seen->callbacks += g_str_equal (mark->name, "callback");
  if (g_str_equal (mark->name, "wait") && g_str_equal (mark->message, "napper: sleep"))
    {
      seen->waits++;
      seen->slept_ns += mark->duration;
    }
}

static void
see_definitions (Seen *seen, const SysprofCaptureCounterDefine *define)
{
  for (guint i = 0; i < define->n_counters; i++)
    if (g_str_equal (define->counters[i].category, "cothread") && g_str_equal (define->counters[i].name, "tasks"))
      seen->counter = define->counters[i].id;
}

static void
see_counters (Seen *seen, const SysprofCaptureCounterSet *set)
{
  for (guint i = 0; i < set->n_values; i++)
    for (guint j = 0; j < G_N_ELEMENTS (set->values[i].ids); j++)
      if (seen->counter != 0 && set->values[i].ids[j] == seen->counter)
        seen->most_tasks = MAX (seen->most_tasks, set->values[i].values[j].v64);
}

static void
read_capture (const char *path, Seen *seen)
{
  SysprofCaptureReader *reader = sysprof_capture_reader_new (path);
  SysprofCaptureFrameType type;

  g_assert_nonnull (reader);
  while (sysprof_capture_reader_peek_type (reader, &type))
    if (type == SYSPROF_CAPTURE_FRAME_MARK)
      see_mark (seen, sysprof_capture_reader_read_mark (reader));
    else if (type == SYSPROF_CAPTURE_FRAME_CTRDEF)
      see_definitions (seen, sysprof_capture_reader_read_counter_define (reader));
    else if (type == SYSPROF_CAPTURE_FRAME_CTRSET)
      see_counters (seen, sysprof_capture_reader_read_counter_set (reader));
    else if (!sysprof_capture_reader_skip (reader))
      break;
  sysprof_capture_reader_unref (reader);
}

static void
test_a_capture_has_turns_runs_waits_and_counters (void)
{
  g_autofree char *path = capture ();
  Seen seen = { 0 };

  read_capture (path, &seen);
  g_test_message ("%u turns, %u runs, %u waits of %" G_GINT64_FORMAT " ns, %u callbacks, %" G_GINT64_FORMAT " tasks", seen.turns,
                  seen.runs, seen.waits, seen.slept_ns, seen.callbacks, seen.most_tasks);
  g_assert_cmpuint (seen.turns, >, 0);
  g_assert_cmpuint (seen.runs, ==, 4); /* until each of the naps, and from the last one on */
  g_assert_cmpuint (seen.waits, ==, 3);
  g_assert_cmpint (seen.slept_ns, >=, (gint64) 3 * NAP_US * 1000);
  g_assert_cmpuint (seen.callbacks, ==, 1);
  g_assert_cmpint (seen.most_tasks, >, 0);
  g_remove (path);
}

int
main (int argc, char **argv)
{
  program = g_canonicalize_filename (argv[0], NULL);
  if (argc > 1 && g_str_equal (argv[1], "--child"))
    return run_child ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sysprof/capture-has-turns-runs-waits-and-counters", test_a_capture_has_turns_runs_waits_and_counters);
  return g_test_run ();
}
