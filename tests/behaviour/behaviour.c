/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib-unix.h>

/* No test needs so many; one that never comes to rest would. */
#define MAX_ITERATIONS 1000000
#define ISOLATED_TIMEOUT_US (20 * G_USEC_PER_SEC)

static GString *said;

static void
run_test (gconstpointer test)
{
  GMainContext *context = g_main_context_new ();

  said = g_string_new (NULL);
  g_main_context_push_thread_default (context);
  cothread_scheduler_set_time_slice (cothread_scheduler_get_default (), G_USEC_PER_SEC);
  ((BehaviourFunc) test) ();
  assert_said ("");
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_string_free (g_steal_pointer (&said), TRUE);
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

  while (g_main_context_iteration (context, FALSE))
    g_assert_cmpuint (++n, <, MAX_ITERATIONS);
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

  while (live_tasks () > 0)
    g_main_context_iteration (context, TRUE);
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
make_pipe (gint ends[2])
{
  g_autoptr (GError) error = NULL;

  g_unix_open_pipe (ends, FD_CLOEXEC, &error);
  g_assert_no_error (error);
}
