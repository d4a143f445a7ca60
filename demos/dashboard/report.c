/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

/* Not printf: it would write the locale's decimal comma. */
static void
add_number (GString *json, const char *name, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (number, sizeof number, "%.1f", value);
  g_string_append_printf (json, "%s\n  \"%s\": %s", json->len > 1 ? "," : "", name, number);
}

static void
add_count (GString *json, const char *name, guint64 value)
{
  g_string_append_printf (json, "%s\n  \"%s\": %" G_GUINT64_FORMAT, json->len > 1 ? "," : "", name, value);
}

gboolean
dash_report_save (const char *path, const DashReadings *readings, const DashFrameMeter *meter,
                  const DashClickMeter *clicks, gint64 elapsed_us, GError **error)
{
  g_autoptr (GString) json = g_string_new ("{");

  add_number (json, "seconds", elapsed_us / 1e6);
  add_number (json, "frames_per_second", dash_frame_meter_get_mean_fps (meter));
  add_count (json, "frame_interval_p50_us", dash_frame_meter_get_percentile_us (meter, 0.5));
  add_count (json, "frame_interval_p99_us", dash_frame_meter_get_percentile_us (meter, 0.99));
  add_count (json, "frame_interval_worst_us", meter->worst_us);
  add_number (json, "callbacks_per_second", readings->queue.run * 1e6 / elapsed_us);
  add_count (json, "callbacks_posted", readings->queue.posted);
  add_count (json, "callbacks_run", readings->queue.run);
  add_count (json, "dropped", dash_readings_get_dropped (readings));
  add_count (json, "refused", readings->queue.refused);
  add_count (json, "blocked", readings->queue.blocked);
  add_count (json, "high_water", readings->queue.high_water);
  add_count (json, "bound", readings->queue.max_length);
  add_count (json, "turns", readings->scheduler.turns);
  add_count (json, "turns_cut", readings->scheduler.turns_cut);
  add_count (json, "longest_turn_us", readings->scheduler.longest_turn_us);
  add_count (json, "clicks", clicks->n);
  if (clicks->n > 0)
    {
      add_number (json, "click_latency_mean_us", (double) clicks->total_us / clicks->n);
      add_count (json, "click_latency_worst_us", clicks->worst_us);
    }
  g_string_append (json, "\n}\n");

  return g_file_set_contents (path, json->str, json->len, error);
}
