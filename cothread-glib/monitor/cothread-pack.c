/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-pack-private.h"

#include "monitor/cothread-task-info.h"

#include <string.h>

/* More than anybody sends: a row may be a byte there, and is some hundred here. */
#define MOST_ROWS 200000

static const char letters[] = {
  [COTHREAD_FIELD_UINT] = 'u',
  [COTHREAD_FIELD_INT] = 'i',
  [COTHREAD_FIELD_UINT64] = 't',
  [COTHREAD_FIELD_INT64] = 'x',
  [COTHREAD_FIELD_BOOLEAN] = 'b',
  [COTHREAD_FIELD_TEXT] = 's',
  [COTHREAD_FIELD_INTERNED] = 's',
  [COTHREAD_FIELD_STATE] = 's',
};

static gsize
size_of (char letter)
{
  return letter == 'u' || letter == 'i' ? 4 : letter == 't' || letter == 'x' ? 8 : letter == 'b' || letter == 's' ? 1 : 0;
}

void
cothread_packer_init (CothreadPacker *self, const CothreadField *fields)
{
  self->fields = fields;
  self->rows = g_byte_array_new ();
}

static void
add_text (CothreadPacker *self, const char *text)
{
  guint8 is_there = text != NULL;
  g_autofree char *valid = text != NULL && !g_utf8_validate (text, -1, NULL) ? g_utf8_make_valid (text, -1) : NULL;

  g_byte_array_append (self->rows, &is_there, 1);
  if (text != NULL)
    g_byte_array_append (self->rows, (const guint8 *) (valid != NULL ? valid : text), (guint) strlen (valid != NULL ? valid : text) + 1);
}

void
cothread_packer_add (CothreadPacker *self, gconstpointer data)
{
  for (const CothreadField *field = self->fields; field->name != NULL; field++)
    {
      const void *member = (const char *) data + field->offset;
      guint8 flag;

      if (field->type == COTHREAD_FIELD_STATE)
        add_text (self, cothread_task_state_to_string (*(const CothreadTaskState *) member));
      else if (letters[field->type] == 's')
        add_text (self, *(const char *const *) member);
      else if (field->type == COTHREAD_FIELD_BOOLEAN)
        {
          flag = *(const gboolean *) member != 0;
          g_byte_array_append (self->rows, &flag, 1);
        }
      else
        g_byte_array_append (self->rows, member, (guint) size_of (letters[field->type]));
    }
}

GVariant *
cothread_packer_end (CothreadPacker *self)
{
  g_autoptr (GString) all_letters = g_string_new (NULL);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) all_names = NULL;
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&self->rows));

  for (const CothreadField *field = self->fields; field->name != NULL; field++)
    {
      g_strv_builder_add (names, field->name);
      g_string_append_c (all_letters, letters[field->type]);
    }
  all_names = g_strv_builder_end (names);
  return g_variant_new ("(^ass@ay)", all_names, all_letters->str, g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE));
}

typedef struct
{
  const guint8 *at;
  const guint8 *end;
} Reader;

/* The member at the reader, which goes on behind it; NULL: there is none. */
static const guint8 *
next (Reader *self, char letter)
{
  const guint8 *member = self->at;
  const guint8 *end;

  if ((gsize) (self->end - self->at) < size_of (letter))
    return NULL;
  self->at += size_of (letter);
  if (letter != 's' || *member == 0)
    return member;
  end = memchr (self->at, 0, (gsize) (self->end - self->at));
  if (end == NULL)
    return NULL;
  self->at = end + 1;
  return member;
}

static void
set_text (const CothreadField *field, void *member, const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return;
  if (field->type == COTHREAD_FIELD_STATE)
    *(CothreadTaskState *) member = cothread_fields_state_from_string (text);
  else if (field->type == COTHREAD_FIELD_INTERNED && strlen (text) < 64)
    *(const char **) member = g_intern_string (text);
  else if (field->type == COTHREAD_FIELD_TEXT && *(char **) member == NULL)
    *(char **) member = g_strdup (text);
}

static void
set_member (const CothreadField *field, gpointer row, const guint8 *packed)
{
  void *member = (char *) row + field->offset;

  if (letters[field->type] != 's' && field->type != COTHREAD_FIELD_BOOLEAN)
    memcpy (member, packed, size_of (letters[field->type]));
  else if (field->type == COTHREAD_FIELD_BOOLEAN)
    *(gboolean *) member = *packed != 0;
  else if (*packed != 0)
    set_text (field, member, (const char *) packed + 1);
}

/* The field of ours for each of theirs; NULL: one that is not known, or is of
 * another type. */
static GPtrArray *
match (const char *const *names, const char *types, const CothreadField *fields)
{
  GPtrArray *found = g_ptr_array_new ();

  for (gsize i = 0; types[i] != '\0'; i++)
    {
      const CothreadField *field = fields;

      while (field->name != NULL && !g_str_equal (field->name, names[i]))
        field++;
      g_ptr_array_add (found, field->name != NULL && letters[field->type] == types[i] ? (gpointer) field : NULL);
    }
  return found;
}

static gboolean
makes_sense (const char *const *names, const char *types)
{
  for (gsize i = 0; types[i] != '\0'; i++)
    if (size_of (types[i]) == 0 || names[i] == NULL)
      return FALSE;
  return types[0] != '\0';
}

void
cothread_unpack (GVariant *packed, const CothreadField *fields, gpointer (*make) (void), void (*take) (gpointer data, gpointer row),
                 gpointer data)
{
  g_autofree const char **names = NULL;
  g_autoptr (GVariant) bytes = NULL;
  g_autoptr (GPtrArray) known = NULL;
  const char *types;
  Reader reader;
  gsize n;
  guint n_rows = 0;

  g_variant_get (packed, "(^a&s&s@ay)", &names, &types, &bytes);
  if (!makes_sense ((const char *const *) names, types))
    return;
  known = match ((const char *const *) names, types, fields);
  reader.at = g_variant_get_fixed_array (bytes, &n, 1);
  reader.end = reader.at + n;
  while (reader.at < reader.end && n_rows++ < MOST_ROWS)
    {
      gpointer row = make ();

      for (gsize i = 0; types[i] != '\0' && reader.at != NULL; i++)
        {
          const guint8 *member = next (&reader, types[i]);

          if (member == NULL)
            reader.at = NULL;
          else if (known->pdata[i] != NULL)
            set_member (known->pdata[i], row, member);
        }
      take (data, row);
      if (reader.at == NULL)
        return;
    }
}
