/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>
#include <string.h>

/* A library that was built without libunwind. */

static gpointer
nap (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;

  for (const char *at = strstr (text, part); at != NULL; at = strstr (at + 1, part))
    n++;
  return n;
}

static void
test_a_dump_says_in_one_line_why_there_are_no_backtraces (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (CothreadTask) first = cothread_spawn (nap, NULL);
  g_autoptr (CothreadTask) second = cothread_spawn (nap, NULL);
  g_autofree char *text = NULL;
  g_autofree char *json = NULL;
  g_autofree char *plain = NULL;
  g_auto (GStrv) lines = NULL;

  cothread_sleep (1000, NULL);
  text = cothread_scheduler_dump_text (scheduler, COTHREAD_DUMP_BACKTRACES, 0);
  g_assert_cmpuint (count (text, "\nno backtraces in C, but for where each task goes on: the library was built without libunwind\n"), ==, 1);
  g_assert_cmpuint (count (text, "  #0 "), ==, 2);
  g_assert_cmpuint (count (text, "  #1 "), ==, 0);
  json = cothread_scheduler_dump_json (scheduler, COTHREAD_DUMP_BACKTRACES, 0);
  g_assert_cmpuint (count (json, "\"no_backtraces\":\"the library was built without libunwind\""), ==, 1);
  plain = cothread_scheduler_dump_text (scheduler, COTHREAD_DUMP_DEFAULT, 0);
  g_assert_cmpuint (count (plain, "no backtraces"), ==, 0);
  lines = cothread_task_dup_backtrace (first);
  g_assert_cmpuint (g_strv_length (lines), ==, 1);
  cothread_scheduler_shutdown (scheduler);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/without-libunwind/a-dump-says-why", test_a_dump_says_in_one_line_why_there_are_no_backtraces);
  return g_test_run ();
}
