/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-fields-private.h"

#include "callback/cothread-callback-statistics.h"
#include "monitor/cothread-statistics.h"
#include "monitor/cothread-task-info.h"

#define FIELD(type, struct, member) { #member, G_STRUCT_OFFSET (struct, member), COTHREAD_FIELD_##type }

const CothreadField cothread_statistics_fields[] = {
  FIELD (UINT, CothreadStatistics, tasks),
  FIELD (UINT, CothreadStatistics, ready),
  FIELD (UINT, CothreadStatistics, yielding),
  FIELD (UINT, CothreadStatistics, waiting),
  FIELD (UINT, CothreadStatistics, running),
  FIELD (UINT64, CothreadStatistics, spawned),
  FIELD (UINT64, CothreadStatistics, finished),
  FIELD (UINT64, CothreadStatistics, failed),
  FIELD (UINT64, CothreadStatistics, cancelled),
  FIELD (UINT64, CothreadStatistics, switches),
  FIELD (UINT64, CothreadStatistics, ticks),
  FIELD (UINT64, CothreadStatistics, turns),
  FIELD (UINT64, CothreadStatistics, turns_cut),
  FIELD (INT64, CothreadStatistics, last_turn_us),
  FIELD (INT64, CothreadStatistics, longest_turn_us),
  FIELD (INT64, CothreadStatistics, busy_us),
  FIELD (INT64, CothreadStatistics, age_us),
  FIELD (UINT64, CothreadStatistics, stalls),
  FIELD (UINT, CothreadStatistics, timers),
  FIELD (UINT, CothreadStatistics, descriptors),
  FIELD (UINT, CothreadStatistics, stack_regions),
  FIELD (UINT64, CothreadStatistics, stack_reserved_bytes),
  FIELD (UINT, CothreadStatistics, stacks_live),
  FIELD (UINT, CothreadStatistics, stacks_pooled),
  { NULL, 0, COTHREAD_FIELD_UINT },
};

const CothreadField cothread_callback_statistics_fields[] = {
  FIELD (UINT, CothreadCallbackStatistics, length),
  FIELD (UINT, CothreadCallbackStatistics, max_length),
  FIELD (UINT, CothreadCallbackStatistics, high_water),
  FIELD (UINT64, CothreadCallbackStatistics, posted),
  FIELD (UINT64, CothreadCallbackStatistics, run),
  FIELD (UINT64, CothreadCallbackStatistics, dropped_oldest),
  FIELD (UINT64, CothreadCallbackStatistics, dropped_newest),
  FIELD (UINT64, CothreadCallbackStatistics, coalesced),
  FIELD (UINT64, CothreadCallbackStatistics, dropped_closed),
  FIELD (UINT64, CothreadCallbackStatistics, refused),
  FIELD (UINT64, CothreadCallbackStatistics, blocked),
  FIELD (UINT, CothreadCallbackStatistics, blocked_now),
  FIELD (UINT64, CothreadCallbackStatistics, blocked_us),
  FIELD (UINT64, CothreadCallbackStatistics, longest_blocked_us),
  FIELD (UINT64, CothreadCallbackStatistics, oldest_age_us),
  { NULL, 0, COTHREAD_FIELD_UINT },
};

const CothreadField cothread_task_info_fields[] = {
  FIELD (UINT64, CothreadTaskInfo, id),
  FIELD (TEXT, CothreadTaskInfo, name),
  FIELD (INTERNED, CothreadTaskInfo, language),
  FIELD (BOOLEAN, CothreadTaskInfo, is_stackless),
  FIELD (BOOLEAN, CothreadTaskInfo, is_cancelled),
  FIELD (STATE, CothreadTaskInfo, state),
  FIELD (TEXT, CothreadTaskInfo, wait_reason),
  FIELD (TEXT, CothreadTaskInfo, wait_object),
  FIELD (UINT64, CothreadTaskInfo, wait_task),
  FIELD (INT, CothreadTaskInfo, wait_fd),
  FIELD (UINT, CothreadTaskInfo, wait_condition),
  FIELD (INT64, CothreadTaskInfo, deadline_us),
  FIELD (INT64, CothreadTaskInfo, since_us),
  FIELD (UINT64, CothreadTaskInfo, wakeups),
  FIELD (UINT64, CothreadTaskInfo, switches),
  FIELD (INT64, CothreadTaskInfo, run_us),
  FIELD (INT64, CothreadTaskInfo, longest_run_us),
  FIELD (TEXT, CothreadTaskInfo, spawn_site),
  FIELD (UINT64, CothreadTaskInfo, stack_bytes),
  FIELD (UINT64, CothreadTaskInfo, stack_in_use),
  FIELD (UINT64, CothreadTaskInfo, stack_high_water),
  { NULL, 0, COTHREAD_FIELD_UINT },
};

static GVariant *
value_of (const CothreadField *field, gconstpointer data)
{
  const void *member = (const char *) data + field->offset;
  const char *text;

  switch (field->type)
    {
    case COTHREAD_FIELD_UINT:
      return g_variant_new_uint32 (*(const guint *) member);
    case COTHREAD_FIELD_INT:
      return g_variant_new_int32 (*(const gint *) member);
    case COTHREAD_FIELD_UINT64:
      return g_variant_new_uint64 (*(const guint64 *) member);
    case COTHREAD_FIELD_INT64:
      return g_variant_new_int64 (*(const gint64 *) member);
    case COTHREAD_FIELD_BOOLEAN:
      return g_variant_new_boolean (*(const gboolean *) member);
    case COTHREAD_FIELD_STATE:
      return g_variant_new_string (cothread_task_state_to_string (*(const CothreadTaskState *) member));
    case COTHREAD_FIELD_TEXT:
    case COTHREAD_FIELD_INTERNED:
    default:
      text = *(const char *const *) member;
      return text != NULL ? g_variant_new_take_string (g_utf8_make_valid (text, -1)) : NULL;
    }
}

GVariant *
cothread_fields_to_variant (const CothreadField *fields, gconstpointer data)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (const CothreadField *field = fields; field->name != NULL; field++)
    {
      GVariant *value = value_of (field, data);

      if (value != NULL)
        g_variant_builder_add (&builder, "{sv}", field->name, value);
    }
  return g_variant_builder_end (&builder);
}

CothreadTaskState
cothread_fields_state_from_string (const char *text)
{
  for (CothreadTaskState state = COTHREAD_TASK_READY; state < COTHREAD_TASK_FINISHED; state++)
    if (g_str_equal (text, cothread_task_state_to_string (state)))
      return state;
  return COTHREAD_TASK_FINISHED;
}

/* The other side may be another version, or somebody hostile: types are looked
 * at before they are believed. */
static void
set_value (const CothreadField *field, gpointer data, GVariant *value)
{
  void *member = (char *) data + field->offset;

  if (field->type == COTHREAD_FIELD_UINT && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    *(guint *) member = g_variant_get_uint32 (value);
  else if (field->type == COTHREAD_FIELD_INT && g_variant_is_of_type (value, G_VARIANT_TYPE_INT32))
    *(gint *) member = g_variant_get_int32 (value);
  else if (field->type == COTHREAD_FIELD_UINT64 && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    *(guint64 *) member = g_variant_get_uint64 (value);
  else if (field->type == COTHREAD_FIELD_INT64 && g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
    *(gint64 *) member = g_variant_get_int64 (value);
  else if (field->type == COTHREAD_FIELD_BOOLEAN && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    *(gboolean *) member = g_variant_get_boolean (value);
  else if (field->type == COTHREAD_FIELD_STATE && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    *(CothreadTaskState *) member = cothread_fields_state_from_string (g_variant_get_string (value, NULL));
  else if (field->type == COTHREAD_FIELD_TEXT && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    *(char **) member = g_variant_dup_string (value, NULL);
  else if (field->type == COTHREAD_FIELD_INTERNED && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) &&
           g_variant_get_size (value) <= 64)
    *(const char **) member = g_intern_string (g_variant_get_string (value, NULL));
}

void
cothread_fields_from_variant (const CothreadField *fields, gpointer data, GVariant *variant)
{
  for (const CothreadField *field = fields; field->name != NULL; field++)
    {
      g_autoptr (GVariant) value = g_variant_lookup_value (variant, field->name, NULL);

      if (value != NULL)
        set_value (field, data, value);
    }
}

void
cothread_fields_to_json (const CothreadField *fields, gconstpointer data, CothreadJson *json)
{
  for (const CothreadField *field = fields; field->name != NULL; field++)
    {
      const void *member = (const char *) data + field->offset;

      switch (field->type)
        {
        case COTHREAD_FIELD_UINT:
          cothread_json_add_uint (json, field->name, *(const guint *) member);
          break;
        case COTHREAD_FIELD_INT:
          cothread_json_add_int (json, field->name, *(const gint *) member);
          break;
        case COTHREAD_FIELD_UINT64:
          cothread_json_add_uint (json, field->name, *(const guint64 *) member);
          break;
        case COTHREAD_FIELD_INT64:
          cothread_json_add_int (json, field->name, *(const gint64 *) member);
          break;
        case COTHREAD_FIELD_BOOLEAN:
          cothread_json_add_boolean (json, field->name, *(const gboolean *) member);
          break;
        case COTHREAD_FIELD_STATE:
          cothread_json_add_text (json, field->name, cothread_task_state_to_string (*(const CothreadTaskState *) member));
          break;
        case COTHREAD_FIELD_TEXT:
        case COTHREAD_FIELD_INTERNED:
        default:
          cothread_json_add_text (json, field->name, *(const char *const *) member);
        }
    }
}

void
cothread_fields_to_text (const CothreadField *fields, gconstpointer data, const char *indent, GString *text)
{
  for (const CothreadField *field = fields; field->name != NULL; field++)
    {
      g_autoptr (GVariant) value = value_of (field, data);
      g_autofree char *printed = NULL;

      if (value == NULL)
        continue;
      g_variant_ref_sink (value);
      printed = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) ? g_variant_dup_string (value, NULL) : g_variant_print (value, FALSE);
      g_string_append_printf (text, "%s%-22s %s\n", indent, field->name, printed);
    }
}
