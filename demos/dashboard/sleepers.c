/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sleepers.h"

#define SHORTEST_NAP_MS 5000
#define LONGEST_NAP_MS 15000

/* A hundred thousand tasks, each with a stack of its own, that sleep most of
 * the time: some ten thousand of them wake up every second. */
struct _DashSleepers
{
  DashToggle toggle;
  CothreadTask *task;
  GPtrArray *tasks; /* CothreadTask */
  guint alive;
  char *problem;
};

static gpointer
nap (gpointer user_data, GError **error)
{
  DashSleepers *self = user_data;

  self->alive++;
  while (cothread_sleep (g_random_int_range (SHORTEST_NAP_MS, LONGEST_NAP_MS) * 1000, NULL))
    ;
  self->alive--;

  return NULL;
}

/* So many stacks can be more than the system gives: then these are all. */
static void
lay_down (DashSleepers *self)
{
  g_autoptr (GError) error = NULL;

  while (self->toggle.is_on && self->tasks->len < DASH_SLEEPERS)
    {
      CothreadTask *task = cothread_spawn_full (nap, self, &(CothreadSpawnOptions) { .function = "nap" }, &error);

      if (task == NULL)
        {
          self->problem = g_strdup (error->message);
          return;
        }
      g_ptr_array_add (self->tasks, task);
      cothread_checkpoint (NULL);
    }
}

/* One by one, with a look at the clock in between: so nobody notices. */
static void
wake_up (DashSleepers *self)
{
  for (guint i = 0; i < self->tasks->len; i++)
    {
      cothread_task_cancel (g_ptr_array_index (self->tasks, i));
      cothread_checkpoint (NULL);
    }
  while (self->tasks->len > 0)
    {
      CothreadTask *task = g_ptr_array_steal_index_fast (self->tasks, self->tasks->len - 1);

      cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
      cothread_task_unref (task);
      cothread_checkpoint (NULL);
    }
  g_clear_pointer (&self->problem, g_free);
}

static gpointer
run (gpointer user_data, GError **error)
{
  DashSleepers *self = user_data;

  while (dash_toggle_await (&self->toggle, TRUE))
    {
      lay_down (self);
      dash_toggle_await (&self->toggle, FALSE);
      wake_up (self);
    }

  return NULL;
}

DashSleepers *
dash_sleepers_new (void)
{
  DashSleepers *self = g_new0 (DashSleepers, 1);

  dash_toggle_init (&self->toggle);
  self->tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);
  self->task = cothread_spawn_full (run, self, &(CothreadSpawnOptions) { .name = "sleepers" }, NULL);

  return self;
}

void
dash_sleepers_set_enabled (DashSleepers *self, gboolean enabled)
{
  dash_toggle_set (&self->toggle, enabled);
}

guint
dash_sleepers_get_alive (DashSleepers *self)
{
  return self->alive;
}

/* Why there are not as many as there should be; or NULL. */
const char *
dash_sleepers_get_problem (DashSleepers *self)
{
  return self->problem;
}

/* In another task. */
void
dash_sleepers_stop (DashSleepers *self)
{
  dash_toggle_stop (&self->toggle);
  if (self->task != NULL)
    cothread_task_join (self->task, COTHREAD_FOREVER, NULL, NULL);
}

void
dash_sleepers_free (DashSleepers *self)
{
  g_clear_pointer (&self->task, cothread_task_unref);
  g_ptr_array_unref (self->tasks);
  dash_toggle_clear (&self->toggle);
  g_free (self->problem);
  g_free (self);
}
