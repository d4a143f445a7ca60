/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

static const GOptionEntry entries[] = {
  { "folder", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Index this folder (default: /usr/share)", "DIR" },
  { "flood", 0, 0, G_OPTION_ARG_STRING, NULL, "Start with a flood of RATE callbacks a second that take COST µs each", "RATE:COST" },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, NULL, "Quit after so many seconds", "N" },
  { "screenshot", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Save a picture of the window, then quit", "FILE.png" },
  { "after", 0, 0, G_OPTION_ARG_DOUBLE, NULL, "How long to run before the picture is taken (default: 5)", "SECONDS" },
  { "report", 0, 0, G_OPTION_ARG_FILENAME, NULL, "Write what was measured when the window closes", "FILE.json" },
  { "attach", 0, 0, G_OPTION_ARG_STRING, NULL, "Watch another process that runs with COTHREAD_MONITOR=1", "PROCESS|BUS-NAME" },
  { "page", 0, 0, G_OPTION_ARG_STRING, NULL, "Begin with this page: queue, tasks or warnings", "PAGE" },
  { "dark", 0, 0, G_OPTION_ARG_NONE, NULL, "Begin with dark colours", NULL },
  { NULL },
};

void
dash_options_add_to (GApplication *application)
{
  g_application_add_main_option_entries (application, entries);
  g_application_set_option_context_summary (
    application, "Watch a cothread scheduler and its callback queue at work.");
}

static gboolean
parse_flood (DashOptions *self, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 2);
  guint64 rate = 0, cost = 0;

  if (g_strv_length (parts) == 2 &&
      g_ascii_string_to_unsigned (parts[0], 10, 1, 5000000, &rate, NULL) &&
      g_ascii_string_to_unsigned (parts[1], 10, 0, 100000, &cost, NULL))
    {
      self->flood_rate = rate;
      self->flood_cost_us = cost;
      return TRUE;
    }

  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "--flood %s: expected RATE:COST, for instance 200000:20", text);
  return FALSE;
}

gboolean
dash_options_read (DashOptions *self, GVariantDict *dict, GError **error)
{
  const char *flood = NULL;

  self->after_s = 5;
  g_variant_dict_lookup (dict, "folder", "^ay", &self->folder);
  g_variant_dict_lookup (dict, "screenshot", "^ay", &self->screenshot);
  g_variant_dict_lookup (dict, "report", "^ay", &self->report);
  g_variant_dict_lookup (dict, "after", "d", &self->after_s);
  g_variant_dict_lookup (dict, "seconds", "d", &self->seconds);
  g_variant_dict_lookup (dict, "page", "s", &self->page);
  g_variant_dict_lookup (dict, "attach", "s", &self->attach);
  g_variant_dict_lookup (dict, "dark", "b", &self->dark);
  if (self->folder == NULL)
    self->folder = g_strdup ("/usr/share");

  if (!g_file_test (self->folder, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY, "--folder %s: not a folder", self->folder);
      return FALSE;
    }
  if (self->page != NULL && !g_strv_contains ((const char *const[]) { "queue", "tasks", "warnings", NULL }, self->page))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--page %s: expected queue, tasks or warnings", self->page);
      return FALSE;
    }
  if (g_variant_dict_lookup (dict, "flood", "&s", &flood))
    return parse_flood (self, flood, error);

  return TRUE;
}

void
dash_options_clear (DashOptions *self)
{
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->screenshot, g_free);
  g_clear_pointer (&self->report, g_free);
  g_clear_pointer (&self->page, g_free);
  g_clear_pointer (&self->attach, g_free);
}
