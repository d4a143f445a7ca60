/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#define MAX_ITERATIONS 1000000

static GString *said;
static CothreadTestScheduler *present;

static void
run_test (gconstpointer test)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  said = g_string_new (NULL);
  g_main_context_push_thread_default (context);
  present = cothread_test_scheduler_new (0, &error);
  g_assert_no_error (error);
  ((SyncTestFunc) test) ();
  assert_said ("");
  g_clear_object (&present);
  assert_said ("");
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_string_free (g_steal_pointer (&said), TRUE);
}

void
sync_test_add (const char *path, SyncTestFunc test)
{
  g_test_add_data_func (path, test, run_test);
}

CothreadTestScheduler *
test_scheduler (void)
{
  return present;
}

gint64
now (void)
{
  return cothread_scheduler_get_time (cothread_test_scheduler_get_scheduler (present));
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

void
assert_said (const char *expected)
{
  g_assert_cmpstr (said->str, ==, expected);
  g_string_truncate (said, 0);
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

guint64
own_switches (void)
{
  return cothread_task_get_switches (cothread_task_self ());
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

/* A test may have shut it down. */
static gboolean
is_alive (void)
{
  return cothread_scheduler_get_default () == cothread_test_scheduler_get_scheduler (present);
}

void
settle (void)
{
  GMainContext *context = g_main_context_get_thread_default ();
  guint n = 0;

  if (is_alive ())
    cothread_test_scheduler_hold (present);
  while (g_main_context_iteration (context, FALSE))
    g_assert_cmpuint (++n, <, MAX_ITERATIONS);
  if (is_alive ())
    cothread_test_scheduler_release (present);
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
  g_autoptr (GError) error = NULL;

  if (!is_alive ())
    return;
  cothread_test_scheduler_run (present, &error);
  g_assert_no_error (error);
}

void
expect_critical (const char *pattern)
{
  g_test_expect_message ("Cothread", G_LOG_LEVEL_CRITICAL, pattern);
}
