/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Writes JSON: members and elements in the order of the calls, commas where
 * they belong. The names of members are plain ASCII. */

typedef struct
{
  GString *text;
  gboolean needs_comma;
} CothreadJson;

/* `name`: NULL for an element of an array. */
void cothread_json_begin (CothreadJson *json, const char *name, char bracket);
void cothread_json_end (CothreadJson *json, char bracket);
void cothread_json_add_text (CothreadJson *json, const char *name, const char *value); /* NULL: null */
void cothread_json_add_int (CothreadJson *json, const char *name, gint64 value);
void cothread_json_add_uint (CothreadJson *json, const char *name, guint64 value);
void cothread_json_add_double (CothreadJson *json, const char *name, double value);
void cothread_json_add_boolean (CothreadJson *json, const char *name, gboolean value);
