/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A window, as far as the main loop can tell: a frame is due 60 times a second
 * at the priority of GTK's layout and painting and takes some time, and now and
 * then an event of the window system comes at priority 0. */

typedef struct _FrameModel FrameModel;

FrameModel *frame_model_new (GMainContext *context, double paint_ns);
void frame_model_free (FrameModel *model);

typedef struct
{
  double frames_per_second;
  double interval_p99_ms;
  double interval_max_ms;
  double click_p99_ms;
  double click_max_ms;
  double cpu_ns; /* of the frames */
} FrameReport;

/* Since the model was made. */
FrameReport frame_model_report (FrameModel *model);
