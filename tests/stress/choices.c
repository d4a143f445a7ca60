/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choices.h"

Choices choices;

guint32
choice_pick (guint32 n)
{
  choices.state = choices.state * 1664525u + 1013904223u;
  return (guint32) (((guint64) (choices.state >> 1) * n) >> 31);
}

void
choice_note (guint64 what)
{
  if (choices.is_over)
    return;
  choices.trace = (choices.trace ^ what) * G_GUINT64_CONSTANT (1099511628211);
  choices.trace ^= (guint64) cothread_scheduler_get_time (choices.scheduler);
}

gpointer
choice_value_new (void)
{
  choices.n_values++;
  return g_malloc (8);
}

void
choice_value_free (gpointer value)
{
  if (value == NULL)
    return;
  choices.n_values--;
  g_free (value);
}

const CothreadTaskLocal choice_is_shielded;

gint64
choice_pick_timeout (void)
{
  /* At the end nobody waits for long for those who do not listen. */
  if (cothread_task_local_get (&choice_is_shielded) != NULL)
    return choice_pick (3000);
  switch (choice_pick (8))
    {
    case 0:
      return 0;
    case 1:
      return choice_pick (4) == 0 ? COTHREAD_FOREVER : G_USEC_PER_SEC;
    case 2:
      return choice_pick (40) == 0 ? G_MAXINT64 - 1 : 1;
    default:
      return choice_pick (3000);
    }
}

/* What a wait may fail with. */
void
choice_note_result (gboolean success, GError *error)
{
  g_assert_cmpint (success, ==, error == NULL);
  if (error != NULL)
    {
      gboolean is_known =
        g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
        g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING) || error->domain == COTHREAD_ERROR;

      g_assert_true (is_known);
    }
  choice_note (error != NULL ? (guint64) error->code + 1000 : 1);
}

/* Tasks */

gpointer
choice_be_task (gpointer data, GError **error)
{
  for (guint n = GPOINTER_TO_UINT (data); n > 0 && !choices.is_over; n--)
    choice_step (0);
  if (choice_pick (6) == 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PENDING, "as it was drawn");
      return NULL;
    }
  return choice_value_new ();
}

void
choice_task_ended (G_GNUC_UNUSED gpointer data)
{
  choices.n_live--;
}

CothreadTask *
choice_spawn (CothreadScope *scope)
{
  CothreadSpawnOptions options = { .name = "drawn", .user_data_destroy = choice_task_ended, .result_destroy = choice_value_free };
  gpointer n = GUINT_TO_POINTER (choice_pick (8));
  g_autoptr (GError) error = NULL; /* the scope may be left */
  CothreadTask *task;

  if (choices.n_live >= CHOICE_MAX_TASKS || choices.is_over)
    return NULL;
  choices.n_live++;
  task = scope != NULL ? cothread_scope_spawn_full (scope, choice_be_task, n, &options, &error)
                       : cothread_spawn_full (choice_be_task, n, &options, &error);
  if (task != NULL)
    {
      if (choices.tasks->len >= CHOICE_MAX_TASKS)
        g_ptr_array_remove_index_fast (choices.tasks, choice_pick (choices.tasks->len));
      g_ptr_array_add (choices.tasks, cothread_task_ref (task));
    }
  return task;
}

CothreadTask *
choice_pick_task (void)
{
  return choices.tasks->len > 0 ? cothread_task_ref (choices.tasks->pdata[choice_pick (choices.tasks->len)]) : NULL;
}

/* What can be done anywhere */

static void
run_entry (gpointer data)
{
  gboolean may_wait = GPOINTER_TO_INT (*(gpointer *) data);

  choice_note (77);
  if (choices.is_over)
    return;
  if (may_wait)
    choice_step (CHOICE_MAX_DEPTH - 1);
  else
    choice_act ();
}

static void
post (void)
{
  static const char *const keys[] = { "this", "that" };
  CothreadCallbackFlags flags = (CothreadCallbackFlags) choice_pick (4);
  CothreadCallbackQueue *queue = choices.queues[choice_pick (CHOICE_QUEUES)];
  gpointer value = choice_value_new ();
  g_autoptr (GError) error = NULL;

  *(gpointer *) value = GINT_TO_POINTER ((flags & COTHREAD_CALLBACK_MAY_WAIT) != 0);
  if (choice_pick (4) == 0)
    cothread_callback_queue_post_coalesced_full (queue, keys[choice_pick (2)], flags, run_entry, value, choice_value_free, &error);
  else
    cothread_callback_queue_post_full (queue, flags, run_entry, value, choice_value_free, &error);
}

static void
change_queue (void)
{
  CothreadCallbackQueue *queue = choices.queues[choice_pick (CHOICE_QUEUES)];

  switch (choice_pick (9))
    {
    case 0:
      cothread_callback_queue_set_max_length (queue, choice_pick (20));
      break;
    case 1:
      cothread_callback_queue_set_overflow (queue, (CothreadOverflowPolicy) choice_pick (5));
      break;
    case 2:
      cothread_callback_queue_set_block_timeout (queue, choice_pick (500));
      break;
    case 3:
      cothread_callback_queue_pause (queue);
      break;
    case 4:
      cothread_callback_queue_set_priority (queue, (int) choice_pick (3));
      break;
    case 5:
      cothread_callback_queue_set_high_watermark (queue, choice_pick (10));
      break;
    case 6:
      g_object_set (queue, "max-suspended", choice_pick (4) + 1, NULL);
      break;
    default:
      cothread_callback_queue_resume (queue);
    }
}

static void
timer_expired (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer data)
{
  choice_note (78);
  if (!choices.is_over)
    choice_step (CHOICE_MAX_DEPTH - 1);
}

static void
change_timer (void)
{
  CothreadTimer **timer = &choices.timers[choice_pick (CHOICE_TIMERS)];

  switch (choice_pick (4))
    {
    case 0:
      cothread_timer_cancel (*timer);
      break;
    case 1:
      cothread_timer_reset (*timer, choice_pick (1000));
      break;
    case 2:
      g_object_unref (*timer);
      *timer = cothread_timer_new (choice_pick (2000), COTHREAD_TIMER_REUSE, timer_expired, choice_value_new (), choice_value_free);
      break;
    default:
      g_object_unref (cothread_timer_new (choice_pick (2000), COTHREAD_TIMER_DEFAULT, timer_expired, NULL, NULL));
    }
}

static void
change_event (void)
{
  guint which = choice_pick (CHOICE_EVENTS);
  CothreadEvent *event = choices.events[which];
  g_autoptr (GError) error = NULL;

  switch (choice_pick (8))
    {
    case 0:
      cothread_event_reset (event);
      break;
    case 1:
      error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PENDING, "signalled");
      cothread_event_signal_error (event, error);
      break;
    case 2:
      cothread_event_abort_wait (event);
      break;
    case 3:
      if (choice_pick (5) == 0)
        {
          choices.events[which] = cothread_event_new (which % 2 == 0);
          g_object_unref (event); /* whoever waits has a reference */
        }
      break;
    default:
      cothread_event_signal_value (event, choice_value_new (), choice_value_free);
    }
}

static void
change_items (void)
{
  guint which = choice_pick (CHOICE_QUEUES);
  CothreadEventQueue *queue = choices.items[which];
  gpointer value;

  switch (choice_pick (12))
    {
    case 0:
      cothread_event_queue_reset (queue);
      break;
    case 1:
      cothread_event_queue_abort_wait (queue);
      break;
    case 2:
      cothread_event_queue_close (queue);
      choices.items[which] = cothread_event_queue_new (choice_pick (6), choice_value_free);
      g_object_unref (queue);
      break;
    default:
      value = choice_value_new ();
      if (!cothread_event_queue_signal (queue, value))
        choice_value_free (value);
    }
}

static void
cancel_something (void)
{
  g_autoptr (CothreadTask) task = choice_pick_task ();

  if (choice_pick (3) == 0)
    {
      g_autoptr (GCancellable) old = choices.cancellable;

      choices.cancellable = g_cancellable_new ();
      g_cancellable_cancel (old);
    }
  else if (task != NULL && choice_pick (2) == 0)
    cothread_task_cancel (task);
  else if (task != NULL)
    g_cancellable_cancel (cothread_task_get_cancellable (task));
}

static gboolean
be_idle (G_GNUC_UNUSED gpointer data)
{
  choice_note (79);
  if (!choices.is_over)
    choice_act ();
  return G_SOURCE_REMOVE;
}

static void
idle_ended (G_GNUC_UNUSED gpointer data)
{
  choices.n_values--;
}

static void
add_idle (void)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  choices.n_values++;
  g_source_set_priority (source, choice_pick (2) == 0 ? G_PRIORITY_DEFAULT_IDLE : G_PRIORITY_HIGH);
  g_source_set_callback (source, be_idle, NULL, idle_ended);
  g_source_attach (source, choices.context);
}

void
choice_act (void)
{
  if (choices.n_steps == 0)
    return;
  choices.n_steps--;
  switch (choice_pick (17))
    {
    case 0:
      cothread_pulse_signal (choices.pulse, choice_pick (2) == 0);
      break;
    case 1:
      cothread_task_unref (choice_spawn (NULL));
      break;
    case 2:
      cancel_something ();
      break;
    case 3:
      if (choice_pick (2) == 0)
        change_queue ();
      break;
    case 4:
      change_timer ();
      break;
    case 5:
      add_idle ();
      break;
    case 6:
    case 7:
      choice_begin_async ();
      break;
    case 8:
      cothread_test_scheduler_set_ready (choices.tester, 1000 + (gint) choice_pick (CHOICE_FDS), choice_pick (3) == 0 ? G_IO_IN : 0);
      break;
    case 9:
      if (choice_pick (4) == 0)
        cothread_scheduler_interrupt (choices.scheduler);
      break;
    case 10:
      g_signal_emit_by_name (choices.emitter, "got-completion-data");
      break;
    case 11:
      cothread_test_scheduler_advance (choices.tester, choice_pick (500));
      break;
    case 12:
      change_items ();
      break;
    case 13:
      post ();
      break;
    case 14:
      if (choice_pick (4) == 0)
        choice_wait_nested ();
      break;
    default:
      change_event ();
    }
}
