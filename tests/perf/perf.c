/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "perf.h"
#include "perf-table.h"

#include <math.h>
#include <stdlib.h>

#define QUICK_DIVISOR 100

struct _Perf
{
  PerfTable table;
  gboolean as_json;
  gboolean is_quick;
  int repeat; /* 0: whatever the program thinks best */
  guint default_repeat;
};

Perf *
perf_new (const char *title, int *argc, char ***argv, const GOptionEntry *more)
{
  Perf *perf = g_new0 (Perf, 1);
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &perf->as_json, "Print JSON instead of a table", NULL },
    { "quick", 0, 0, G_OPTION_ARG_NONE, &perf->is_quick, "Only show that the program works", NULL },
    { "repeat", 0, 0, G_OPTION_ARG_INT, &perf->repeat, "Repeat each measurement so many times", "TIMES" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  perf_table_init (&perf->table, title);
  g_option_context_set_summary (context, title);
  g_option_context_add_main_entries (context, entries, NULL);
  if (more != NULL)
    g_option_context_add_main_entries (context, more, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      g_printerr ("%s\n", error->message);
      exit (2);
    }
  perf->default_repeat = 5;
  return perf;
}

guint
perf_scale (const Perf *perf, guint n)
{
  return perf->is_quick ? MAX (1, n / QUICK_DIVISOR) : n;
}

gboolean
perf_is_quick (const Perf *perf)
{
  return perf->is_quick;
}

guint
perf_repeat (const Perf *perf)
{
  if (perf->repeat > 0)
    return (guint) perf->repeat;
  return perf->is_quick ? 1 : perf->default_repeat;
}

void
perf_set_repeat (Perf *perf, guint times)
{
  perf->default_repeat = times;
}

void
perf_row (Perf *perf, const char *what, const char *unit, double value, const char *peer, double peer_value)
{
  perf_table_add (&perf->table, &(PerfRow) { (char *) what, (char *) unit, value, (char *) peer, peer_value });
}

void
perf_compare (Perf *perf, const char *what, PerfFunc measure, gpointer data, const PerfPeer *peers, guint n_peers)
{
  g_autofree double *best = g_new (double, n_peers + 1);

  for (guint i = 0; i <= n_peers; i++)
    best[i] = INFINITY;
  for (guint turn = 0; turn < perf_repeat (perf); turn++)
    {
      best[n_peers] = fmin (best[n_peers], measure (data));
      for (guint i = 0; i < n_peers; i++)
        best[i] = fmin (best[i], peers[i].measure (peers[i].data));
    }
  if (n_peers == 0)
    perf_row (perf, what, "ns", best[0], NULL, 0);
  for (guint i = 0; i < n_peers; i++)
    perf_row (perf, what, "ns", best[n_peers], peers[i].name, best[i]);
}

double
perf_best_part (void (*operate) (gpointer data, guint n), gpointer data, guint n, guint parts)
{
  double best = INFINITY;

  for (guint i = 0; i < parts; i++)
    {
      double start = perf_now_ns ();

      operate (data, n);
      best = fmin (best, perf_now_ns () - start);
    }
  return best / n;
}

void
perf_note (Perf *perf, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (perf->table.notes, g_strdup_vprintf (format, args));
  va_end (args);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

double
perf_quantile (GArray *values, double part)
{
  if (values->len == 0)
    return NAN;
  qsort (values->data, values->len, sizeof (double), compare_doubles);
  return g_array_index (values, double, (guint) lround (part * (values->len - 1)));
}

/* In one place for all callers: how such a loop is aligned can double its time. */
__attribute__ ((noinline)) void
perf_spin_rounds (guint rounds)
{
  for (guint i = 0; i < rounds; i++)
    __asm__ volatile ("" : : "r"(i));
}

static void
spin (G_GNUC_UNUSED gpointer data, guint n)
{
  perf_spin_rounds (n);
}

guint
perf_calibrate_spin (double ns)
{
  double round_ns = perf_best_part (spin, NULL, 100000, 200);

  return MAX (1, (guint) lround (ns / round_ns));
}

int
perf_finish (Perf *perf)
{
  if (perf->as_json)
    perf_table_print_json (&perf->table);
  else
    perf_table_print (&perf->table);
  perf_table_clear (&perf->table);
  g_free (perf);
  return 0;
}
