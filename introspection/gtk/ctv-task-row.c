/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-task-row.h"

#include "ctv-tile.h"

/* One place in the table, with the labels that show it while it is in view. */
struct _CtvTaskRow
{
  GObject parent;
  CtvTaskModel *model; /* referenced */
  guint position;
  GtkLabel *labels[CTV_N_COLUMNS];
};

G_DEFINE_FINAL_TYPE (CtvTaskRow, ctv_task_row, G_TYPE_OBJECT)

static void
ctv_task_row_dispose (GObject *object)
{
  CtvTaskRow *self = CTV_TASK_ROW (object);

  if (self->model != NULL)
    ctv_task_model_forget_row (self->model, self->position);
  g_clear_object (&self->model);
  G_OBJECT_CLASS (ctv_task_row_parent_class)->dispose (object);
}

static void
ctv_task_row_class_init (CtvTaskRowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ctv_task_row_dispose;
}

static void
ctv_task_row_init (CtvTaskRow *self)
{
}

CtvTaskRow *
ctv_task_row_new (CtvTaskModel *model, guint position)
{
  CtvTaskRow *self = g_object_new (CTV_TYPE_TASK_ROW, NULL);

  self->model = g_object_ref (model);
  self->position = position;

  return self;
}

guint
ctv_task_row_get_position (CtvTaskRow *self)
{
  return self->position;
}

static void
refresh_label (CtvTaskRow *self, CtvColumn column, const CothreadTaskInfo *info)
{
  g_autofree char *text = NULL;

  if (self->labels[column] == NULL || info == NULL)
    return;
  text = ctv_column_dup_text (column, info);
  ctv_label_update (self->labels[column], text);
}

void
ctv_task_row_attach (CtvTaskRow *self, CtvColumn column, GtkLabel *label)
{
  g_autoptr (CothreadTaskInfo) info = ctv_task_model_dup_info (self->model, self->position);

  self->labels[column] = label;
  refresh_label (self, column, info);
}

void
ctv_task_row_detach (CtvTaskRow *self, CtvColumn column)
{
  self->labels[column] = NULL;
}

void
ctv_task_row_refresh (CtvTaskRow *self)
{
  g_autoptr (CothreadTaskInfo) info = ctv_task_model_dup_info (self->model, self->position);

  for (guint column = 0; column < CTV_N_COLUMNS; column++)
    refresh_label (self, column, info);
}
