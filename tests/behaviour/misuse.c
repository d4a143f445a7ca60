/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "misuse.h"

static char *
path_of (const char *prefix, const Misuse *row)
{
  g_autofree char *words = g_strdelimit (g_strdup (row->name), "_", '-');

  return g_strconcat (prefix, words, NULL);
}

void
misuse_add (const char *prefix, const Misuse *rows, guint n_rows, BehaviourFunc test)
{
  for (guint i = 0; i < n_rows; i++)
    {
      g_autofree char *path = path_of (prefix, &rows[i]);

      behaviour_add_isolated (path, test);
    }
}

static const Misuse *
find_row (const Misuse *rows, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++)
    {
      g_autofree char *end = path_of ("/", &rows[i]);

      if (g_str_has_suffix (g_test_get_path (), end))
        return &rows[i];
    }
  g_assert_not_reached ();
}

static void
call_row (gpointer row)
{
  ((const Misuse *) row)->call ();
}

guint
misuse_count_complaints (const Misuse *rows, guint n_rows)
{
  return count_complaints (call_row, (gpointer) find_row (rows, n_rows));
}

static gpointer
call_row_in_a_thread (gpointer row)
{
  call_row (row);
  return NULL;
}

static void
run_row_in_a_thread (gpointer row)
{
  g_thread_join (g_thread_new ("wrong", call_row_in_a_thread, row));
}

guint
misuse_count_complaints_in_a_thread (const Misuse *rows, guint n_rows)
{
  return count_complaints (run_row_in_a_thread, (gpointer) find_row (rows, n_rows));
}
