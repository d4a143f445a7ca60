/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "behaviour.h"

/* A table of calls that a program must not make. Each row is a test of its own,
 * in a process of its own: the call gets exactly one complaint, and the
 * scheduler works afterwards.
 *
 *   #define ROWS(ROW) \
 *     ROW (path_in_words, call (with, arguments)) ...
 *   MISUSE_TABLE (ROWS)
 */

typedef struct
{
  const char *name;
  void (*call) (void);
} Misuse;

#define MISUSE_FUNCTION(name, ...) static void misuse_##name (void) { __VA_ARGS__; }
#define MISUSE_ROW(name, ...) { #name, misuse_##name },
#define MISUSE_TABLE(ROWS) \
  ROWS (MISUSE_FUNCTION)   \
  static const Misuse misuse_rows[] = { ROWS (MISUSE_ROW) };

void misuse_add (const char *prefix, const Misuse *rows, guint n_rows, BehaviourFunc test);
/* Of the row that the running test is about: how often it is complained of. */
guint misuse_count_complaints (const Misuse *rows, guint n_rows);
/* The same, in a thread that has no main context of its own. */
guint misuse_count_complaints_in_a_thread (const Misuse *rows, guint n_rows);
