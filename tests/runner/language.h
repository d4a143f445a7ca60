/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "behaviour.h"

/* A language without stacks, as small as can be: what it does when it is called
 * is a function of the test. */

#define TYPE_LANGUAGE (language_get_type ())
G_DECLARE_FINAL_TYPE (Language, language, TEST, LANGUAGE, CothreadStacklessRunner)

typedef struct
{
  guint id;
  CothreadStacklessWake wake;
  guint which;
  double value;
} Woken;

struct _Language
{
  CothreadStacklessRunner parent_instance;

  void (*called) (Language *self);
  guint n_calls;
  guint n_tells;
  guint depth;
  GArray *woken; /* of Woken: all that were ever handed over */
  guint function;
};

Language *language_new (void);
CothreadStacklessRunner *runner (Language *self);
/* The default of `called`: takes over what is handed over, notes it, rests. */
void take_all (Language *self);
guint spawn_task (Language *self);
/* Lets the context run until so many were handed over. */
void run_until_woken (Language *self, guint n);
Woken *woken (Language *self, guint i);
