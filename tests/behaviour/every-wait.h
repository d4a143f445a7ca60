/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "behaviour.h"

/* One of each kind of wait, for something that does not happen. */

typedef struct
{
  const char *name;
  /* TRUE: what was waited for came. */
  gboolean (*wait) (gint64 timeout_us, GError **error);
} EveryWait;

#define N_EVERY_WAIT 15
extern const EveryWait every_wait[N_EVERY_WAIT];

void every_wait_set_up (void);
/* Asserts that nobody waits any more. */
void every_wait_tear_down (void);
