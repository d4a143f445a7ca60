/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctv-task-list.h"
#include "readings.h"

G_BEGIN_DECLS

typedef enum
{
  DASH_WATCH_SEARCHING,
  DASH_WATCH_ANSWERS,
  DASH_WATCH_HANGS, /* does not answer, for now */
  DASH_WATCH_ENDED, /* what was read last is kept */
  DASH_WATCH_FAILED,
} DashWatchState;

/* Another process, and what was read of it last. */
typedef struct
{
  char *target; /* as the user named it */
  char *program;
  CothreadRemote *remote; /* NULL while searching */
  DashReadings readings;
  char **queues;      /* the names of its callback queues */
  guint queue;        /* the one of them that the readings are of */
  CtvTaskList *tasks; /* or NULL */
  GPtrArray *warnings;
  guint64 last_warning;
  guint peak; /* the highest high-water mark so far */
  guint high; /* that is to be shown by the plot */
  DashWatchState state;
  char *problem; /* a sentence; NULL: there is none */
} DashWatch;

DashWatch *dash_watch_new (const char *target);
DashWatch *dash_watch_ref (DashWatch *self);
void dash_watch_unref (DashWatch *self);

/* In a task. FALSE: there will be nothing more to read. */
gboolean dash_watch_open (DashWatch *self);
gboolean dash_watch_look (DashWatch *self);
gboolean dash_watch_look_at_tasks (DashWatch *self, guint64 open_task);

gboolean dash_watch_has_read (const DashWatch *self);
void dash_watch_take_depth (DashWatch *self, guint *low, guint *high);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DashWatch, dash_watch_unref)

G_END_DECLS
