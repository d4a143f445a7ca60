/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "task-row.h"

#include "format.h"

enum
{
  PROP_0,
  PROP_NAME,
  PROP_STATE,
  PROP_REASON,
  PROP_SWITCHES,
  N_PROPS,
};

/* What the list shows of one task: text, as of the last look. */
struct _DashTaskRow
{
  GObject parent;
  guint64 id;
  char *texts[N_PROPS];
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (DashTaskRow, dash_task_row, G_TYPE_OBJECT)

static const char *
state_name (CothreadTaskState state)
{
  switch (state)
    {
    case COTHREAD_TASK_READY:
      return "ready";
    case COTHREAD_TASK_RUNNING:
      return "running";
    case COTHREAD_TASK_YIELDING:
      return "yielding";
    case COTHREAD_TASK_WAITING:
      return "waiting";
    case COTHREAD_TASK_FINISHED:
    default:
      return "finished";
    }
}

static void
dash_task_row_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  if (prop_id > PROP_0 && prop_id < N_PROPS)
    g_value_set_string (value, DASH_TASK_ROW (object)->texts[prop_id]);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
dash_task_row_finalize (GObject *object)
{
  DashTaskRow *self = DASH_TASK_ROW (object);

  for (guint i = 0; i < N_PROPS; i++)
    g_free (self->texts[i]);
  G_OBJECT_CLASS (dash_task_row_parent_class)->finalize (object);
}

static void
dash_task_row_class_init (DashTaskRowClass *klass)
{
  static const char *const names[N_PROPS] = { NULL, "name", "state", "reason", "switches" };
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = dash_task_row_get_property;
  object_class->finalize = dash_task_row_finalize;
  for (guint i = 1; i < N_PROPS; i++)
    props[i] = g_param_spec_string (names[i], NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
dash_task_row_init (DashTaskRow *self)
{
}

/* Takes the text, and tells the list only what really changed. */
static void
set_text (DashTaskRow *self, guint prop, char *text)
{
  if (g_strcmp0 (self->texts[prop], text) == 0)
    {
      g_free (text);
      return;
    }

  g_free (self->texts[prop]);
  self->texts[prop] = text;
  g_object_notify_by_pspec (G_OBJECT (self), props[prop]);
}

DashTaskRow *
dash_task_row_new (CothreadTask *task)
{
  DashTaskRow *self = g_object_new (DASH_TYPE_TASK_ROW, NULL);

  self->id = cothread_task_get_id (task);
  self->texts[PROP_NAME] = g_strdup (cothread_task_get_name (task));
  dash_task_row_update (self, task);

  return self;
}

void
dash_task_row_update (DashTaskRow *self, CothreadTask *task)
{
  set_text (self, PROP_STATE, g_strdup (state_name (cothread_task_get_state (task))));
  set_text (self, PROP_REASON, cothread_task_dup_wait_reason (task));
  set_text (self, PROP_SWITCHES, dash_format_count (cothread_task_get_switches (task)));
}

guint64
dash_task_row_get_id (DashTaskRow *self)
{
  return self->id;
}
