/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctv-inspector-page.h"

#include "ctv-depth-plot.h"
#include "ctv-format.h"
#include "ctv-style.h"
#include "ctv-task-table.h"
#include "ctv-tile.h"

#define LOOK_EVERY_MS 250
#define SPACING 10
#define TITLE "Cothreads"

/* For the Inspector, any widget is a page that has these two properties. */
enum
{
  PROP_TITLE = 1,
  PROP_OBJECT,
};

struct _CtvInspectorPage
{
  GtkBox parent;
  GtkStack *stack;
  GtkWidget *plot;
  GtkLabel *depth;
  GtkLabel *high_water;
  GtkLabel *dropped;
  GtkLabel *refused;
  GtkLabel *longest_turn;
  CtvTaskTable table;
  CothreadScheduler *scheduler; /* what is looked at; or NULL */
  CothreadCallbackQueue *queue; /* the same */
  guint peak;                   /* the highest high-water mark seen */
  guint timer;
};

G_DEFINE_FINAL_TYPE (CtvInspectorPage, ctv_inspector_page, GTK_TYPE_BOX)

static void
show_count (GtkLabel *label, guint64 count)
{
  g_autofree char *text = ctv_format_count (count);

  ctv_label_update (label, text);
}

/* The page looks at other people's programs: it makes nothing, neither a
 * scheduler nor a queue, and finds what the program makes later. */
static void
find_subject (CtvInspectorPage *self)
{
  CothreadScheduler *scheduler = cothread_scheduler_peek_default ();
  CothreadCallbackQueue *queue = scheduler != NULL ? cothread_scheduler_peek_callback_queue (scheduler) : NULL;

  g_set_object (&self->scheduler, scheduler);
  if (g_set_object (&self->queue, queue))
    self->peak = 0;
}

static void
show_queue (CtvInspectorPage *self)
{
  g_autoptr (CothreadCallbackStatistics) queue = NULL;

  if (self->queue == NULL)
    return;

  queue = cothread_callback_queue_get_statistics (self->queue);
  show_count (self->depth, queue->length);
  show_count (self->high_water, queue->high_water);
  show_count (self->dropped, queue->dropped_oldest + queue->dropped_newest + queue->dropped_closed);
  ctv_label_set_alert (self->dropped, queue->dropped_oldest + queue->dropped_newest > 0);
  show_count (self->refused, queue->refused);
  ctv_label_set_alert (self->refused, queue->refused > 0);
  ctv_depth_plot_set_marks (CTV_DEPTH_PLOT (self->plot), queue->length, queue->max_length, queue->high_water);
}

static void
show_scheduler (CtvInspectorPage *self)
{
  g_autoptr (CothreadStatistics) scheduler = cothread_scheduler_get_statistics (self->scheduler);
  g_autofree char *longest_turn = ctv_format_us (scheduler->longest_turn_us);

  ctv_label_update (self->longest_turn, longest_turn);
  ctv_task_table_take (&self->table, ctv_task_list_new (self->scheduler));
}

static gboolean
look (gpointer data)
{
  CtvInspectorPage *self = CTV_INSPECTOR_PAGE (data);

  find_subject (self);
  gtk_stack_set_visible_child_name (self->stack, self->scheduler != NULL ? "tasks" : "nothing");
  if (self->scheduler != NULL)
    {
      show_queue (self);
      show_scheduler (self);
    }

  return G_SOURCE_CONTINUE;
}

/* Between two frames the queue may have been deeper than at either; of that,
 * no more is known here than a new high-water mark. */
static void
take_depth (gpointer data, guint *low, guint *high)
{
  CtvInspectorPage *self = CTV_INSPECTOR_PAGE (data);
  g_autoptr (CothreadCallbackStatistics) queue = NULL;

  *low = *high = 0;
  if (self->queue == NULL)
    return;

  queue = cothread_callback_queue_get_statistics (self->queue);
  *low = *high = queue->length;
  if (queue->high_water > self->peak)
    *high = queue->high_water;
  self->peak = queue->high_water;
}

static void
ctv_inspector_page_map (GtkWidget *widget)
{
  CtvInspectorPage *self = CTV_INSPECTOR_PAGE (widget);

  GTK_WIDGET_CLASS (ctv_inspector_page_parent_class)->map (widget);
  ctv_style_load (gtk_widget_get_display (widget));
  if (self->timer == 0)
    self->timer = g_timeout_add (LOOK_EVERY_MS, look, self);
  look (self);
}

static void
ctv_inspector_page_unmap (GtkWidget *widget)
{
  CtvInspectorPage *self = CTV_INSPECTOR_PAGE (widget);

  g_clear_handle_id (&self->timer, g_source_remove);
  GTK_WIDGET_CLASS (ctv_inspector_page_parent_class)->unmap (widget);
}

static void
ctv_inspector_page_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  if (prop_id == PROP_TITLE)
    g_value_set_static_string (value, TITLE);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
ctv_inspector_page_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  /* Which widget is selected elsewhere in the Inspector changes nothing here. */
  if (prop_id != PROP_OBJECT)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
ctv_inspector_page_dispose (GObject *object)
{
  CtvInspectorPage *self = CTV_INSPECTOR_PAGE (object);

  g_clear_handle_id (&self->timer, g_source_remove);
  ctv_task_table_clear (&self->table);
  g_clear_object (&self->queue);
  g_clear_object (&self->scheduler);
  G_OBJECT_CLASS (ctv_inspector_page_parent_class)->dispose (object);
}

static void
ctv_inspector_page_class_init (CtvInspectorPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = ctv_inspector_page_get_property;
  object_class->set_property = ctv_inspector_page_set_property;
  object_class->dispose = ctv_inspector_page_dispose;
  widget_class->map = ctv_inspector_page_map;
  widget_class->unmap = ctv_inspector_page_unmap;

  g_object_class_install_property (object_class, PROP_TITLE,
                                   g_param_spec_string ("title", NULL, NULL, TITLE,
                                                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object_class, PROP_OBJECT,
                                   g_param_spec_object ("object", NULL, NULL, G_TYPE_OBJECT,
                                                        G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
}

static GtkWidget *
new_tiles (CtvInspectorPage *self)
{
  GtkBox *row = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0));

  gtk_widget_add_css_class (GTK_WIDGET (row), "ctv-tiles");
  gtk_box_set_homogeneous (row, TRUE);
  gtk_box_append (row, ctv_tile_new ("Queue depth", "depth", "Callbacks that wait now", &self->depth));
  gtk_box_append (row, ctv_tile_new ("High water", "high-water", "The most that ever waited", &self->high_water));
  gtk_box_append (row, ctv_tile_new ("Dropped", "dropped", "Accepted, but dropped", &self->dropped));
  gtk_box_append (row, ctv_tile_new ("Refused", "refused", "Not accepted, because the queue was full", &self->refused));
  gtk_box_append (row, ctv_tile_new ("Longest turn", "longest-turn",
                                     "How long the scheduler held the main loop at most", &self->longest_turn));

  return GTK_WIDGET (row);
}

static GtkWidget *
new_tasks (CtvInspectorPage *self)
{
  GtkBox *box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, SPACING));

  self->plot = ctv_depth_plot_new (take_depth, self);
  gtk_widget_set_name (self->plot, "depth-plot");
  gtk_widget_set_size_request (self->plot, -1, 96);
  ctv_task_table_init (&self->table);
  gtk_widget_set_vexpand (self->table.widget, TRUE);

  gtk_widget_add_css_class (GTK_WIDGET (box), "ctv-content");
  gtk_box_append (box, new_tiles (self));
  gtk_box_append (box, ctv_card_new ("Callback queue", NULL, self->plot));
  gtk_box_append (box, ctv_card_new ("Tasks", NULL, self->table.widget));

  return GTK_WIDGET (box);
}

static GtkWidget *
new_nothing (void)
{
  GtkWidget *label = gtk_label_new ("This program has no tasks.\n\n"
                                    "Nothing in its main thread has asked cothread-glib for a scheduler yet;\n"
                                    "if something does, this page shows its callback queue and its tasks.");

  gtk_widget_set_name (label, "no-tasks");
  gtk_label_set_justify (GTK_LABEL (label), GTK_JUSTIFY_CENTER);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_widget_set_vexpand (label, TRUE);

  return label;
}

static void
ctv_inspector_page_init (CtvInspectorPage *self)
{
  GtkWidget *stack = gtk_stack_new ();

  self->stack = GTK_STACK (stack);
  gtk_stack_add_named (self->stack, new_nothing (), "nothing");
  gtk_stack_add_named (self->stack, new_tasks (self), "tasks");
  gtk_widget_set_hexpand (stack, TRUE);
  gtk_box_append (GTK_BOX (self), stack);
}
