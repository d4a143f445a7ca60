/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"
#include "monitor/cothread-json-private.h"

/* The members of the monitor's structures, so that each way to write them down
 * (text, JSON, D-Bus) is one loop. */

typedef enum
{
  COTHREAD_FIELD_UINT,
  COTHREAD_FIELD_INT,
  COTHREAD_FIELD_UINT64,
  COTHREAD_FIELD_INT64,
  COTHREAD_FIELD_BOOLEAN,
  COTHREAD_FIELD_TEXT,     /* char *, owned, or NULL */
  COTHREAD_FIELD_INTERNED, /* const char * */
  COTHREAD_FIELD_STATE,    /* CothreadTaskState */
} CothreadFieldType;

typedef struct
{
  const char *name; /* NULL: the end */
  guint offset;
  CothreadFieldType type;
} CothreadField;

extern const CothreadField cothread_statistics_fields[] G_GNUC_INTERNAL;
extern const CothreadField cothread_callback_statistics_fields[] G_GNUC_INTERNAL;
extern const CothreadField cothread_task_info_fields[] G_GNUC_INTERNAL;

CothreadTaskState cothread_fields_state_from_string (const char *text);
void cothread_fields_to_text (const CothreadField *fields, gconstpointer data, const char *indent, GString *text);
void cothread_fields_to_json (const CothreadField *fields, gconstpointer data, CothreadJson *json);
/* a{sv}, floating. */
GVariant *cothread_fields_to_variant (const CothreadField *fields, gconstpointer data);
/* Into zeroed memory; what is missing stays zero, what is unknown is skipped. */
void cothread_fields_from_variant (const CothreadField *fields, gpointer data, GVariant *variant);
