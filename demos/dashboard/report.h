/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "click-meter.h"
#include "frame-meter.h"
#include "readings.h"

G_BEGIN_DECLS

gboolean dash_report_save (const char *path, const DashReadings *readings, const DashFrameMeter *meter,
                           const DashClickMeter *clicks, gint64 elapsed_us, GError **error);

G_END_DECLS
