/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

/* No test needs so many; one that never comes to rest would. */
#define MAX_ITERATIONS 1000000
#define ISOLATED_TIMEOUT_US (20 * G_USEC_PER_SEC)

static GString *said;
static CothreadTestScheduler *tester; /* where time is virtual */

static void
run_test_on_context (BehaviourFunc test)
{
  GMainContext *context = g_main_context_new ();

  said = g_string_new (NULL);
  g_main_context_push_thread_default (context);
  test ();
  assert_said ("");
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_string_free (g_steal_pointer (&said), TRUE);
}

static BehaviourFunc present;

static void
run_in_real_time (void)
{
  cothread_scheduler_set_time_slice (cothread_scheduler_get_default (), G_USEC_PER_SEC);
  present ();
  assert_said ("");
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
}

static void
run_test (gconstpointer test)
{
  present = (BehaviourFunc) test;
  run_test_on_context (run_in_real_time);
}

static void
run_in_virtual_time (void)
{
  g_autoptr (GError) error = NULL;

  tester = cothread_test_scheduler_new (0, &error);
  g_assert_no_error (error);
  present ();
  assert_said ("");
  g_clear_object (&tester);
}

static void
run_virtual_test (gconstpointer test)
{
  present = (BehaviourFunc) test;
  run_test_on_context (run_in_virtual_time);
}

static void
run_isolated (gconstpointer test)
{
  if (g_test_subprocess ())
    {
      run_test (test);
      return;
    }
  g_test_trap_subprocess (NULL, ISOLATED_TIMEOUT_US, G_TEST_SUBPROCESS_INHERIT_STDERR);
  if (g_test_trap_reached_timeout ())
    g_test_fail_printf ("%s hangs", g_test_get_path ());
  else if (!g_test_trap_has_passed ())
    g_test_fail_printf ("%s fails in its own process", g_test_get_path ());
}

void
behaviour_add (const char *path, BehaviourFunc test)
{
  g_test_add_data_func (path, test, run_test);
}

void
behaviour_add_virtual (const char *path, BehaviourFunc test)
{
  g_test_add_data_func (path, test, run_virtual_test);
}

CothreadTestScheduler *
test_scheduler (void)
{
  return tester;
}

/* A test may have shut it down. */
static gboolean
is_tester_alive (void)
{
  return tester != NULL && cothread_scheduler_get_default () == cothread_test_scheduler_get_scheduler (tester);
}

gint64
now (void)
{
  return cothread_scheduler_get_time (tester != NULL ? cothread_test_scheduler_get_scheduler (tester)
                                                     : cothread_scheduler_get_default ());
}

void
behaviour_add_isolated (const char *path, BehaviourFunc test)
{
  g_test_add_data_func (path, test, run_isolated);
}

void
use_default_time_slice (void)
{
  cothread_scheduler_set_time_slice (cothread_scheduler_get_default (), 2 * MS);
}

void
say (const char *format, ...)
{
  va_list args;

  if (said->len > 0)
    g_string_append_c (said, ' ');
  va_start (args, format);
  g_string_append_vprintf (said, format, args);
  va_end (args);
}

char *
take_said (void)
{
  char *text = g_strdup (said->str);

  g_string_truncate (said, 0);
  return text;
}

void
assert_said (const char *expected)
{
  g_assert_cmpstr (said->str, ==, expected);
  g_string_truncate (said, 0);
}

void
say_outcome (gboolean success, GError **failure)
{
  g_autoptr (GError) error = g_steal_pointer (failure);
  const char *how = "failed";

  g_assert_true (success == (error == NULL));
  if (error == NULL)
    how = "ok";
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    how = "cancelled";
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    how = "timeout";
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT))
    how = "refused";
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED))
    how = "closed";
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED))
    how = "interrupted";
  else if (g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_DEADLOCK))
    how = "deadlock";
  say ("%s-%s", cothread_task_self () != NULL ? own_name () : "main", how);
}

void
ignore_what_was_said (void)
{
  g_string_truncate (said, 0);
}

CothreadTask *
spawn (const char *name, CothreadTaskFunc func, gpointer user_data)
{
  CothreadSpawnOptions options = { .name = name };
  g_autoptr (GError) error = NULL;
  CothreadTask *task = cothread_spawn_full (func, user_data, &options, &error);

  g_assert_no_error (error);
  return task;
}

void
start (const char *name, CothreadTaskFunc func, gpointer user_data)
{
  cothread_task_unref (spawn (name, func, user_data));
}

const char *
own_name (void)
{
  return cothread_task_get_name (cothread_task_self ());
}

gpointer
say_own_name (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  say ("%s", own_name ());
  return NULL;
}

void
settle (void)
{
  GMainContext *context = g_main_context_get_thread_default ();
  guint n = 0;

  if (is_tester_alive ())
    cothread_test_scheduler_hold (tester);
  while (g_main_context_iteration (context, FALSE))
    g_assert_cmpuint (++n, <, MAX_ITERATIONS);
  if (is_tester_alive ())
    cothread_test_scheduler_release (tester);
}

guint
live_tasks (void)
{
  g_autoptr (CothreadStatistics) statistics = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());

  return statistics->tasks;
}

void
run_until_no_task_is_left (void)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr (GError) error = NULL;

  if (is_tester_alive ())
    cothread_test_scheduler_run (tester, &error);
  else if (tester == NULL)
    while (live_tasks () > 0)
      g_main_context_iteration (context, TRUE);
  g_assert_no_error (error);
}

void
add_source (int priority, GSourceFunc func, gpointer user_data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, priority);
  g_source_set_callback (source, func, user_data, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
}

guint64
own_switches (void)
{
  return cothread_task_get_switches (cothread_task_self ());
}

static void
count_complaint (G_GNUC_UNUSED const char *domain, G_GNUC_UNUSED GLogLevelFlags level,
                 const char *message, gpointer count)
{
  g_atomic_int_inc ((gint *) count);
  g_test_message ("Complaint: %s", message);
}

guint
count_complaints (void (*func) (gpointer data), gpointer data)
{
  gint count = 0;
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);

  g_log_set_default_handler (count_complaint, &count);
  func (data);
  g_log_set_default_handler (g_log_default_handler, NULL);
  g_log_set_always_fatal (fatal);
  return (guint) g_atomic_int_get (&count);
}

void
expect_critical (const char *pattern)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, pattern);
}

static gpointer
set_flag (gpointer flag, G_GNUC_UNUSED GError **error)
{
  *(gboolean *) flag = TRUE;
  return NULL;
}

void
assert_scheduler_works (void)
{
  gboolean ran = FALSE;

  start ("works", set_flag, &ran);
  settle ();
  g_assert_true (ran);
}

guint
count_open_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

void
wait_until_main_thread_sleeps (void)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/stat", getpid ());

  for (;;)
    {
      g_autofree char *text = NULL;
      const char *state;

      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      state = strrchr (text, ')'); /* after the name, which may be anything */
      g_assert_nonnull (state);
      if (state[2] == 'S')
        return;
      g_usleep (200);
    }
}

void
make_pipe (gint ends[2])
{
  g_autoptr (GError) error = NULL;

  g_unix_open_pipe (ends, FD_CLOEXEC, &error);
  g_assert_no_error (error);
}
