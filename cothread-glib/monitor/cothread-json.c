/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-json-private.h"

static void
append_text (GString *text, const char *value)
{
  g_autofree char *valid = NULL;

  if (!g_utf8_validate (value, -1, NULL))
    value = valid = g_utf8_make_valid (value, -1);
  g_string_append_c (text, '"');
  for (const char *at = value; *at != '\0'; at++)
    if (*at == '"' || *at == '\\')
      g_string_append_printf (text, "\\%c", *at);
    else if ((guchar) *at < 0x20)
      g_string_append_printf (text, "\\u%04x", (guint) *at);
    else
      g_string_append_c (text, *at);
  g_string_append_c (text, '"');
}

static void
add_name (CothreadJson *json, const char *name)
{
  if (json->needs_comma)
    g_string_append_c (json->text, ',');
  json->needs_comma = TRUE;
  if (name != NULL)
    g_string_append_printf (json->text, "\"%s\":", name);
}

void
cothread_json_begin (CothreadJson *json, const char *name, char bracket)
{
  add_name (json, name);
  g_string_append_c (json->text, bracket);
  json->needs_comma = FALSE;
}

void
cothread_json_end (CothreadJson *json, char bracket)
{
  g_string_append_c (json->text, bracket);
  json->needs_comma = TRUE;
}

void
cothread_json_add_text (CothreadJson *json, const char *name, const char *value)
{
  add_name (json, name);
  if (value != NULL)
    append_text (json->text, value);
  else
    g_string_append (json->text, "null");
}

void
cothread_json_add_int (CothreadJson *json, const char *name, gint64 value)
{
  add_name (json, name);
  g_string_append_printf (json->text, "%" G_GINT64_FORMAT, value);
}

void
cothread_json_add_uint (CothreadJson *json, const char *name, guint64 value)
{
  add_name (json, name);
  g_string_append_printf (json->text, "%" G_GUINT64_FORMAT, value);
}

void
cothread_json_add_double (CothreadJson *json, const char *name, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  add_name (json, name);
  /* Whatever the locale's decimal point is. */
  g_string_append (json->text, g_ascii_formatd (buffer, sizeof buffer, "%.3f", value));
}

void
cothread_json_add_boolean (CothreadJson *json, const char *name, gboolean value)
{
  add_name (json, name);
  g_string_append (json->text, value ? "true" : "false");
}
