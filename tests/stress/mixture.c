/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mixture.h"

#define MAX_CHILDREN 200
#define MAX_NESTED 3

Mixture mixture;

gint
mixture_pick (gint n)
{
  return g_rand_int_range (mixture.random, 0, n);
}

static void
destroy_entry (G_GNUC_UNUSED gpointer data)
{
  __atomic_add_fetch (&mixture.n_entries_destroyed, 1, __ATOMIC_RELAXED);
}

static void
run_entry (gpointer may_wait)
{
  if (g_atomic_int_get (&mixture.is_over) == 0 && mixture_pick (3) == 0)
    mixture_step (GPOINTER_TO_INT (may_wait));
}

void
mixture_post_entry (CothreadCallbackQueue *queue, gint kind)
{
  CothreadCallbackFlags flags = (CothreadCallbackFlags) (kind & 3);
  gboolean may_wait = (flags & COTHREAD_CALLBACK_MAY_WAIT) != 0;

  __atomic_add_fetch (&mixture.n_entries_made, 1, __ATOMIC_RELAXED);
  cothread_callback_queue_post_full (queue, flags, run_entry, GINT_TO_POINTER (may_wait), destroy_entry, NULL);
}

void
mixture_free_item (gpointer item)
{
  mixture.n_items_freed++;
  g_free (item);
}

static gpointer
be_child (gpointer data, G_GNUC_UNUSED GError **error)
{
  for (gint n = GPOINTER_TO_INT (data); n > 0; n--)
    mixture_step (TRUE);
  return NULL;
}

static void
child_ended (G_GNUC_UNUSED gpointer data)
{
  mixture.n_live_children--;
}

static CothreadTask *
spawn_child (void)
{
  CothreadSpawnOptions options = { .name = "child", .user_data_destroy = child_ended };
  g_autoptr (GError) error = NULL; /* at the end the scheduler is shut down */

  if (mixture.n_live_children >= MAX_CHILDREN)
    return NULL;
  mixture.n_live_children++;
  return cothread_spawn_full (be_child, GINT_TO_POINTER (mixture_pick (4)), &options, &error);
}

static void
change_rules (void)
{
  CothreadCallbackQueue *queue = mixture.queues[mixture_pick (MIXTURE_QUEUES)];

  switch (mixture_pick (6))
    {
    case 0:
      cothread_callback_queue_set_max_length (queue, (guint) mixture_pick (200) + 1);
      break;
    case 1:
      cothread_callback_queue_set_overflow (queue, (CothreadOverflowPolicy) mixture_pick (3));
      break;
    case 2:
      /* Not for ever: callbacks that wait for room in their own queue, as many
       * as may be suspended, would wait for each other. */
      cothread_callback_queue_set_block_timeout (queue, mixture_pick (2000));
      break;
    case 3:
      cothread_callback_queue_pause (queue);
      break;
    case 4:
      cothread_scheduler_set_time_slice (mixture.base.scheduler, 50 + mixture_pick (3000));
      break;
    default:
      g_object_set (queue, "max-suspended", (guint) mixture_pick (8) + 1, NULL);
    }
}

static void
run_nested_loop (void)
{
  if (mixture.n_nested >= MAX_NESTED)
    return;
  mixture.n_nested++;
  for (gint n = mixture_pick (3); n >= 0; n--)
    g_main_context_iteration (mixture.base.context, FALSE);
  mixture.n_nested--;
}

static void
wait_somehow (void)
{
  gint64 timeout_us = mixture_pick (3000);
  g_autoptr (CothreadTask) child = NULL;
  gpointer item = NULL;

  switch (mixture_pick (7))
    {
    case 0:
      cothread_sleep (timeout_us, NULL);
      break;
    case 1:
      cothread_yield (NULL);
      break;
    case 2:
      cothread_event_wait (mixture.events[mixture_pick (MIXTURE_EVENTS)], timeout_us, NULL);
      break;
    case 3:
      cothread_pulse_wait (mixture.pulse, timeout_us, NULL);
      break;
    case 4:
      if (cothread_event_queue_wait (mixture.items, timeout_us, &item, NULL))
        mixture_free_item (item);
      break;
    case 5:
      child = spawn_child ();
      if (child != NULL)
        cothread_task_join (child, timeout_us, NULL, NULL);
      if (child != NULL && mixture_pick (4) == 0)
        cothread_task_cancel (child);
      break;
    default:
      cothread_checkpoint (NULL);
    }
}

static void
timer_expired (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer data)
{
  mixture_step (TRUE);
}

static void
start_timer (void)
{
  g_autoptr (CothreadTimer) timer = cothread_timer_new (mixture_pick (5000), COTHREAD_TIMER_DEFAULT, timer_expired, NULL, NULL);

  if (mixture_pick (4) == 0)
    cothread_timer_cancel (timer);
}

static void
do_one_thing (void)
{
  CothreadEvent *event = mixture.events[mixture_pick (MIXTURE_EVENTS)];
  gpointer item;

  switch (mixture_pick (13))
    {
    case 0:
      cothread_event_reset (event);
      break;
    case 1:
      cothread_pulse_signal (mixture.pulse, mixture_pick (2));
      break;
    case 2:
      item = g_malloc (8);
      mixture.n_items_made++;
      if (!cothread_event_queue_signal (mixture.items, item))
        mixture_free_item (item);
      break;
    case 3:
      cothread_task_unref (spawn_child ());
      break;
    case 4:
      if (mixture_pick (20) == 0)
        change_rules ();
      break;
    case 5:
      if (mixture_pick (20) == 0)
        run_nested_loop ();
      break;
    case 6:
      if (g_atomic_int_get (&mixture.is_over) == 0)
        start_timer ();
      break;
    case 7:
    case 8:
      cothread_event_signal (event);
      break;
    default:
      mixture_post_entry (mixture.queues[mixture_pick (MIXTURE_QUEUES)], mixture_pick (4));
    }
}

void
mixture_step (gboolean may_wait)
{
  mixture.n_steps++;
  if (may_wait && mixture_pick (2) == 0)
    wait_somehow ();
  else
    do_one_thing ();
}

