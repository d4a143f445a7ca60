/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a language keeps for a thread and means for a stack: it is put away
 * when control leaves a stack, and taken out again when control is back. Each
 * stack, the thread's own included, has a slot for it; the scheduler task's
 * stack has none and is passed in silence.
 *
 * All four run on the stack that they are about and must not suspend. A stack
 * that was there before the hooks begins with `suspend`, or with `resume` if it
 * was left already, and an empty slot. */

typedef struct
{
  void (*start) (gpointer *state, gpointer data); /* before a task's function */
  void (*suspend) (gpointer *state, gpointer data);
  void (*resume) (gpointer *state, gpointer data);
  void (*end) (gpointer *state, gpointer data); /* after a task's function; its slot is not used again */
} CtSwitchHooks;
