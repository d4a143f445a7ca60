/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The rows of a performance table, and how they are printed. */

typedef struct
{
  char *title;
  GPtrArray *rows;  /* of PerfRow */
  GPtrArray *notes; /* of char * */
} PerfTable;

typedef struct
{
  char *what;
  char *unit;
  double value;
  char *peer; /* NULL: none */
  double peer_value;
} PerfRow;

void perf_table_init (PerfTable *table, const char *title);
void perf_table_clear (PerfTable *table);
void perf_table_add (PerfTable *table, const PerfRow *row);
void perf_table_print (const PerfTable *table);
void perf_table_print_json (const PerfTable *table);
