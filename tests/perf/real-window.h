/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame-model.h"

/* A GTK window with a drawing that moves at every frame, and somebody who clicks
 * on it: through the display server, as a mouse would. */

typedef struct _RealWindow RealWindow;

/* Shows it, and returns when it is there. */
RealWindow *real_window_new (gboolean is_animated);
void real_window_free (RealWindow *window);

/* FALSE: the display server takes no clicks from programs. */
gboolean real_window_can_be_clicked (RealWindow *window);

/* Forgets what was measured. */
void real_window_reset (RealWindow *window);
/* The processor time is that of painting; NAN for clicks that nobody could make. */
FrameReport real_window_report (RealWindow *window);
/* How many frames the report is about. */
guint real_window_get_n_frames (RealWindow *window);
