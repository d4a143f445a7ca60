/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <time.h>

/* What the performance programs share: measurements that are repeated, with
 * everybody who is compared taking turns, of which the least disturbed (the
 * minimum) counts, and one table for people and for programs.
 *
 * The table is Markdown, or with --json an object a line. The ratio is this
 * library's figure divided by the peer's: 1/20 is a twentieth of its time. */

typedef struct _Perf Perf;

/* One measurement; returns nanoseconds for each operation. */
typedef double (*PerfFunc) (gpointer data);

typedef struct
{
  const char *name;
  PerfFunc measure;
  gpointer data;
} PerfPeer;

/* Reads --json, --quick, --repeat and `more` (or NULL) from the command line. */
Perf *perf_new (const char *title, int *argc, char ***argv, const GOptionEntry *more);
/* Prints the table; the program's exit status. */
int perf_finish (Perf *perf);

/* n, or about a hundredth of it in a quick run, which only shows that the
 * program works. */
guint perf_scale (const Perf *perf, guint n);
gboolean perf_is_quick (const Perf *perf);
guint perf_repeat (const Perf *perf);
/* Many short measurements find a quiet moment where few long ones do not. */
void perf_set_repeat (Perf *perf, guint times);

/* Measures this library and its peers in turn; a row for each peer. */
void perf_compare (Perf *perf, const char *what, PerfFunc measure, gpointer data, const PerfPeer *peers, guint n_peers);
/* For an operation that needs a long preparation: does it n times in each of
 * several parts and returns the nanoseconds of one in the best part. */
double perf_best_part (void (*operate) (gpointer data, guint n), gpointer data, guint n, guint parts);
/* A row that was measured in some other way. `peer` may be NULL. */
void perf_row (Perf *perf, const char *what, const char *unit, double value, const char *peer, double peer_value);
/* A line below the table. */
void perf_note (Perf *perf, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Sorts the values (of type double); `part` is 0.5 for the median, 1 for the
 * largest. */
double perf_quantile (GArray *values, double part);

static inline double
perf_clock_ns (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

static inline double
perf_now_ns (void)
{
  return perf_clock_ns (CLOCK_MONOTONIC);
}

/* Work that no memory and no other processor can slow down. */
void perf_spin_rounds (guint rounds);
/* How many rounds of it make so many nanoseconds. */
guint perf_calibrate_spin (double ns);

static inline void
perf_spin_until (double end_ns)
{
  while (perf_now_ns () < end_ns)
    ;
}
