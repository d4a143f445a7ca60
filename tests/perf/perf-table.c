/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "perf-table.h"

#include <math.h>
#include <stdio.h>

#define N_COLUMNS 5

static void
free_row (gpointer data)
{
  PerfRow *row = data;

  g_free (row->what);
  g_free (row->unit);
  g_free (row->peer);
  g_free (row);
}

void
perf_table_init (PerfTable *table, const char *title)
{
  table->title = g_strdup (title);
  table->rows = g_ptr_array_new_with_free_func (free_row);
  table->notes = g_ptr_array_new_with_free_func (g_free);
}

void
perf_table_clear (PerfTable *table)
{
  g_ptr_array_unref (table->rows);
  g_ptr_array_unref (table->notes);
  g_free (table->title);
}

void
perf_table_add (PerfTable *table, const PerfRow *row)
{
  PerfRow *copy = g_new (PerfRow, 1);

  *copy = (PerfRow) { g_strdup (row->what), g_strdup (row->unit), row->value, g_strdup (row->peer), row->peer_value };
  g_ptr_array_add (table->rows, copy);
}

/* Three figures are more than the machine deserves. */
static char *
format_number (double value)
{
  char digits[64];
  GString *grouped;

  if (!isfinite (value))
    return g_strdup ("–");
  if (fabs (value) < 99.95)
    return g_strdup_printf (fabs (value) < 9.995 ? "%.2f" : "%.1f", value);
  g_snprintf (digits, sizeof digits, "%.0f", value);
  grouped = g_string_new (digits);
  for (gssize at = (gssize) grouped->len - 3; at > 0 && grouped->str[at - 1] != '-'; at -= 3)
    g_string_insert_c (grouped, at, ' ');
  return g_string_free (grouped, FALSE);
}

static char *
format_ratio (const PerfRow *row)
{
  double ratio = row->value / row->peer_value;

  if (!isfinite (ratio) || ratio <= 0)
    return g_strdup ("–");
  if (ratio >= 0.2)
    return g_strdup_printf ("%.2f", ratio);
  return g_strdup_printf (ratio > 0.01 ? "1/%.1f" : "1/%.0f", 1 / ratio);
}

static void
fill_cells (const PerfRow *row, char **cells)
{
  g_autofree char *value = format_number (row->value);

  cells[0] = g_strdup (row->what);
  cells[1] = g_strdup_printf ("%s %s", value, row->unit);
  cells[2] = g_strdup (row->peer != NULL ? row->peer : "");
  if (row->peer != NULL)
    {
      g_autofree char *peer_value = format_number (row->peer_value);

      cells[3] = g_strdup_printf ("%s %s", peer_value, row->unit);
      cells[4] = format_ratio (row);
    }
  else
    {
      cells[3] = g_strdup ("");
      cells[4] = g_strdup ("");
    }
}

static void
print_cell (const char *text, glong width, gboolean to_the_right)
{
  glong blanks = width - g_utf8_strlen (text, -1);

  printf ("| %*s%s%*s ", to_the_right ? (int) blanks : 0, "", text, to_the_right ? 0 : (int) blanks, "");
}

void
perf_table_print (const PerfTable *table)
{
  static const char *const headings[N_COLUMNS] = { "what", "this library", "peer", "the peer", "ratio" };
  static const gboolean to_the_right[N_COLUMNS] = { FALSE, TRUE, FALSE, TRUE, TRUE };
  g_autofree char **cells = g_new0 (char *, table->rows->len * N_COLUMNS);
  glong widths[N_COLUMNS];

  for (guint column = 0; column < N_COLUMNS; column++)
    widths[column] = g_utf8_strlen (headings[column], -1);
  for (guint i = 0; i < table->rows->len; i++)
    {
      fill_cells (table->rows->pdata[i], &cells[i * N_COLUMNS]);
      for (guint column = 0; column < N_COLUMNS; column++)
        widths[column] = MAX (widths[column], g_utf8_strlen (cells[i * N_COLUMNS + column], -1));
    }

  printf ("**%s**\n\n", table->title);
  for (guint column = 0; column < N_COLUMNS; column++)
    print_cell (headings[column], widths[column], to_the_right[column]);
  printf ("|\n");
  for (guint column = 0; column < N_COLUMNS; column++)
    {
      g_autofree char *rule = g_strnfill ((gsize) widths[column], '-');

      printf ("| %s%s", rule, to_the_right[column] ? ":" : " ");
    }
  printf ("|\n");
  for (guint i = 0; i < table->rows->len * N_COLUMNS; i++)
    {
      guint column = i % N_COLUMNS;

      print_cell (cells[i], widths[column], to_the_right[column]);
      if (column == N_COLUMNS - 1)
        printf ("|\n");
      g_free (cells[i]);
    }
  for (guint i = 0; i < table->notes->len; i++)
    printf ("\n%s\n", (const char *) table->notes->pdata[i]);
  printf ("\n");
}

static void
print_json_number (const char *key, double value)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  printf (", \"%s\": %s", key, isfinite (value) ? g_ascii_formatd (digits, sizeof digits, "%.5g", value) : "null");
}

/* An object a line. No text of ours holds a quotation mark or a backslash. */
void
perf_table_print_json (const PerfTable *table)
{
  for (guint i = 0; i < table->rows->len; i++)
    {
      const PerfRow *row = table->rows->pdata[i];

      printf ("{ \"program\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\"", table->title, row->what, row->unit);
      print_json_number ("value", row->value);
      if (row->peer != NULL)
        {
          printf (", \"peer\": \"%s\"", row->peer);
          print_json_number ("peer_value", row->peer_value);
          print_json_number ("ratio", row->value / row->peer_value);
        }
      printf (" }\n");
    }
}
