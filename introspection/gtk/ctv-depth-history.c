/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-depth-history.h"

static void
close_column (CtvDepthHistory *self)
{
  self->columns[self->length++ % CTV_HISTORY_COLUMNS] = self->current;
  self->current_ends_us += CTV_COLUMN_US;
}

/* Returns whether there is something new to draw. */
gboolean
ctv_depth_history_add (CtvDepthHistory *self, gint64 now_us, guint low, guint high)
{
  guint64 before = self->length;

  if (self->current_ends_us == 0)
    {
      self->current = (CtvDepthColumn) { low, high };
      self->current_ends_us = now_us + CTV_COLUMN_US;
      return FALSE;
    }

  self->current.low = MIN (self->current.low, low);
  self->current.high = MAX (self->current.high, high);

  /* No frame for longer than a column (a stall, a hidden window): the time has
   * passed all the same, and all that is known of it is this range. */
  if (now_us - self->current_ends_us > (gint64) CTV_HISTORY_COLUMNS * CTV_COLUMN_US)
    self->current_ends_us = now_us - (gint64) CTV_HISTORY_COLUMNS * CTV_COLUMN_US;
  while (now_us >= self->current_ends_us)
    close_column (self);
  if (self->length == before)
    return FALSE;

  /* The next column begins where this one ended, so that steps join up. */
  self->current = (CtvDepthColumn) { low, low };
  return TRUE;
}

/* back 0 is the newest; before the beginning there is nothing. */
CtvDepthColumn
ctv_depth_history_get (const CtvDepthHistory *self, guint back)
{
  if (back >= self->length || back >= CTV_HISTORY_COLUMNS)
    return (CtvDepthColumn) { 0, 0 };

  return self->columns[(self->length - 1 - back) % CTV_HISTORY_COLUMNS];
}
