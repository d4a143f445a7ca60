/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choices.h"

#define MAX_NESTED 3

/* One after the other: the order in which arguments are evaluated is not given. */
#define NOTE(call) \
  G_STMT_START \
    { \
      gboolean _success = (call); \
\
      choice_note_result (_success, error); \
    } \
  G_STMT_END

static void
wait_for_event (void)
{
  g_autoptr (CothreadEvent) event = g_object_ref (choices.events[choice_pick (CHOICE_EVENTS)]);
  g_autoptr (GError) error = NULL;
  gpointer value = NULL;
  gboolean success = cothread_event_wait_value (event, choice_pick_timeout (), &value, &error);

  choice_note_result (success, error);
  if (cothread_event_get_auto_reset (event))
    choice_value_free (value);
}

static void
wait_for_item (void)
{
  g_autoptr (CothreadEventQueue) queue = g_object_ref (choices.items[choice_pick (CHOICE_QUEUES)]);
  g_autoptr (GError) error = NULL;
  gpointer item = NULL;
  gboolean success = cothread_event_queue_wait (queue, choice_pick_timeout (), &item, &error);

  choice_note_result (success, error);
  choice_value_free (item);
}

static void
wait_for_task (void)
{
  g_autoptr (CothreadTask) task = choice_pick (2) == 0 ? choice_spawn (NULL) : choice_pick_task ();
  g_autoptr (GError) error = NULL;
  gboolean success;

  if (task == NULL || task == cothread_task_self ())
    return;
  success = cothread_task_join (task, choice_pick_timeout (), NULL, &error);
  choice_note_result (success, error);
  if (success)
    g_assert_true (cothread_task_is_finished (task));
}

static void
hold_lock (guint depth)
{
  guint which = choice_pick (CHOICE_LOCKS);
  g_autoptr (CothreadLock) lock = g_object_ref (choices.locks[which]); /* to the end */
  gboolean is_own = cothread_lock_is_own (lock);
  gpointer before = choices.lock_holder[which];
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_lock_acquire (lock, choice_pick_timeout (), &error);

  choice_note_result (success, error);
  if (!success)
    return;
  /* Nobody else is in here, whoever waits meanwhile. */
  if (!is_own)
    g_assert_null (choices.lock_holder[which]);
  else
    g_assert_true (choices.lock_holder[which] == before);
  choices.lock_holder[which] = &error;
  choice_step (depth + 1);
  g_assert_true (choices.lock_holder[which] == &error);
  g_assert_true (cothread_lock_is_own (lock));
  choices.lock_holder[which] = is_own ? before : NULL;
  cothread_lock_release (lock);
}

static void
hold_permit (guint depth)
{
  guint which = choice_pick (CHOICE_SEMAPHORES);
  g_autoptr (CothreadSemaphore) semaphore = g_object_ref (choices.semaphores[which]);
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_semaphore_acquire (semaphore, choice_pick_timeout (), &error);

  choice_note_result (success, error);
  if (!success)
    return;
  g_assert_cmpuint (++choices.n_permits_held[which], <=, cothread_semaphore_get_maximum (semaphore));
  choice_step (depth + 1);
  choices.n_permits_held[which]--;
  cothread_semaphore_release (semaphore);
}

static void
be_in_scope (guint depth)
{
  CothreadScope *scope = cothread_scope_new ();
  GPtrArray *members = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);
  g_autoptr (GError) error = NULL;

  for (guint n = choice_pick (4); n > 0; n--)
    {
      CothreadTask *task = choice_spawn (scope);

      if (task != NULL)
        g_ptr_array_add (members, task);
    }
  /* Nobody else could cancel what is shielded with us. */
  if (choice_pick (3) == 0 || cothread_task_local_get (&choice_is_shielded) != NULL)
    cothread_scope_set_timeout (scope, choice_pick_timeout ());
  if (choice_pick (2) == 0)
    choice_step (depth + 1);
  if (choice_pick (6) == 0)
    cothread_scope_cancel (scope);
  if (choice_pick (3) > 0)
    NOTE (cothread_scope_leave (scope, &error));
  cothread_scope_free (scope);
  for (guint i = 0; i < members->len; i++)
    g_assert_true (cothread_task_is_finished (members->pdata[i]));
  g_ptr_array_unref (members);
}

static void
be_shielded (guint depth)
{
  gpointer before = cothread_task_local_get (&choice_is_shielded);
  g_autoptr (GError) error = NULL;

  cothread_shield_begin ();
  cothread_task_local_set (&choice_is_shielded, (gpointer) &choice_is_shielded);
  if (cothread_task_self () != NULL)
    {
      cothread_sleep (choice_pick (500), &error);
      g_assert_no_error (error);
    }
  choice_step (depth + 1);
  cothread_task_local_set (&choice_is_shielded, before);
  cothread_shield_end ();
}

static void
wait_for_any (void)
{
  guint event = choice_pick (CHOICE_EVENTS), queue = choice_pick (CHOICE_QUEUES);
  g_autoptr (CothreadEvent) kept_event = g_object_ref (choices.events[event]);
  g_autoptr (CothreadEventQueue) kept_queue = g_object_ref (choices.items[queue]);
  g_autoptr (CothreadTask) task = choice_pick_task ();
  g_autoptr (CothreadTimer) timer = g_object_ref (choices.timers[choice_pick (CHOICE_TIMERS)]);
  CothreadWaitItem items[12];
  g_autoptr (GError) error = NULL;
  guint n = 0, which = 99, wanted = choice_pick (12);
  gboolean success;

  while (n < wanted)
    switch (choice_pick (6))
      {
      case 0:
        items[n++] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_EVENT, .object = kept_event };
        break;
      case 1:
        items[n++] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_EVENT_QUEUE, .object = kept_queue };
        break;
      case 5:
        items[n++] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_TIMER, .object = timer };
        break;
      case 2:
        items[n++] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_PULSE, .object = choices.pulse };
        break;
      case 3:
        if (task != NULL && task != cothread_task_self ())
          items[n++] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_TASK, .object = task };
        break;
      default:
        items[n++] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_DESCRIPTOR, .fd = 1000 + (gint) choice_pick (CHOICE_FDS), .condition = G_IO_IN };
      }
  success = cothread_wait_any (items, n, choice_pick_timeout (), &which, &error);
  choice_note_result (success, error);
  g_assert_cmpuint (which, <=, n);
  if (!success)
    return;
  g_assert_cmpuint (which, <, n);
  choice_note (which);
  if (items[which].kind == COTHREAD_WAIT_EVENT_QUEUE ||
      (items[which].kind == COTHREAD_WAIT_EVENT && cothread_event_get_auto_reset (items[which].object)))
    choice_value_free (items[which].value);
}

static void
wait_for_fd (void)
{
  g_autoptr (GError) error = NULL;
  GIOCondition happened = cothread_wait_fd (1000 + (gint) choice_pick (CHOICE_FDS), G_IO_IN, choice_pick_timeout (), &error);

  choice_note_result (happened != 0, error);
}

static void
act_on_thread_stack (gpointer task)
{
  g_autoptr (GError) error = NULL;

  choice_act ();
  if (task == NULL)
    return;
  if (cothread_sleep (0, &error))
    g_assert_not_reached ();
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
}

static gpointer
be_nested (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  gpointer before = cothread_task_local_get (&choice_is_shielded);

  /* Whoever is below waits for us. */
  if (cothread_task_self () != NULL)
    cothread_task_local_set (&choice_is_shielded, (gpointer) &choice_is_shielded);
  cothread_sleep (choice_pick (300), NULL);
  choice_step (CHOICE_MAX_DEPTH - 1);
  if (cothread_task_self () != NULL)
    cothread_task_local_set (&choice_is_shielded, before);
  return NULL;
}

void
choice_wait_nested (void)
{
  g_autoptr (GError) error = NULL;
  gboolean success;

  if (choices.n_nested >= MAX_NESTED || choices.is_over)
    return;
  choices.n_nested++;
  success = cothread_run_nested (be_nested, NULL, NULL, &error);
  choices.n_nested--;
  choice_note_result (success, error);
}

static void
run_nested_loop (void)
{
  if (choices.n_nested >= MAX_NESTED || cothread_task_self () == NULL)
    return;
  choices.n_nested++;
  for (guint n = choice_pick (6); n > 0; n--)
    g_main_context_iteration (choices.context, FALSE);
  choices.n_nested--;
}

/* No virtual time has to pass for it: a jump of that waits for answers, some
 * 50 ms each. */
static gpointer
operate (gpointer data, GError **error)
{
  for (guint n = GPOINTER_TO_UINT (data); n > 0; n--)
    {
      choice_act ();
      if (!cothread_yield (error))
        return NULL;
    }
  return choice_value_new ();
}

static void
operation_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  CothreadSpawnOptions options = { .name = "operation", .user_data_destroy = choice_task_ended, .result_destroy = choice_value_free };
  GTask *task = g_task_new (NULL, cancellable, callback, data);

  choices.n_live++;
  cothread_spawn_task_for (task, COTHREAD_RETURN_POINTER, operate, GUINT_TO_POINTER (choice_pick (4)), &options);
  g_object_unref (task);
}

static void
await_operation (void)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  CothreadAwait await;

  if (choices.n_live >= CHOICE_MAX_TASKS || choices.is_over)
    return;
  if (cothread_await_begin (&await, "operation", choice_pick_timeout (), &error))
    {
      operation_async (COTHREAD_AWAIT_ARGUMENTS (&await));
      result = cothread_await_end (&await, &error);
    }
  if (result != NULL)
    {
      gpointer value = g_task_propagate_pointer (G_TASK (result), &error);

      choice_note (value != NULL);
      choice_value_free (value);
      g_clear_error (&error);
      return;
    }
  choice_note_result (FALSE, error);
}

static gpointer
be_called (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  choice_act ();
  return choice_value_new ();
}

static void
call_queue (void)
{
  g_autoptr (GError) error = NULL;
  gpointer result = NULL;
  gboolean success;

  if (choices.is_over)
    return;
  success = cothread_callback_queue_call (choices.queues[choice_pick (CHOICE_QUEUES)], be_called, choice_value_new (),
                                          choice_value_free, choice_value_free, choice_pick (1000), NULL, &result, &error);
  choice_note_result (success, error);
  choice_value_free (result);
}

static void
wait_somehow (guint depth)
{
  g_autoptr (GError) error = NULL;
  gint64 timeout_us = choice_pick_timeout ();

  switch (choice_pick (21))
    {
    case 0:
      NOTE (cothread_sleep (choice_pick (2000), &error));
      break;
    case 1:
      NOTE (cothread_yield (&error));
      break;
    case 2:
      NOTE (cothread_yield_for (choice_pick (300), &error));
      break;
    case 3:
      NOTE (cothread_checkpoint (&error));
      break;
    case 4:
      NOTE (cothread_sleep_until (choice_pick (2) == 0 ? G_MININT64 : 5, &error));
      break;
    case 5:
      NOTE (cothread_pulse_wait (choices.pulse, timeout_us, &error));
      break;
    case 6:
      wait_for_task ();
      break;
    case 7:
      hold_lock (depth);
      break;
    case 8:
      hold_permit (depth);
      break;
    case 9:
    case 10:
      be_in_scope (depth);
      break;
    case 11:
      be_shielded (depth);
      break;
    case 12:
    case 13:
      wait_for_any ();
      break;
    case 14:
      wait_for_fd ();
      break;
    case 15:
      cothread_call_on_thread_stack (act_on_thread_stack, cothread_task_self ());
      break;
    case 16:
      run_nested_loop ();
      break;
    case 17:
      await_operation ();
      break;
    case 18:
      if (choice_pick (2) == 0)
        NOTE (cothread_callback_queue_flush (choices.queues[choice_pick (CHOICE_QUEUES)], choice_pick (1000), &error));
      else
        call_queue ();
      break;
    case 19:
      NOTE (cothread_wait_signal (choices.emitter, "got-completion-data", timeout_us, NULL, &error));
      break;
    default:
      if (choice_pick (2) == 0)
        wait_for_event ();
      else
        wait_for_item ();
    }
}

void
choice_step (guint depth)
{
  if (choices.n_steps == 0 || choices.is_over)
    return;
  choices.n_steps--;
  choice_note (depth);
  if (depth < CHOICE_MAX_DEPTH && choice_pick (5) < 3)
    wait_somehow (depth);
  else
    choice_act ();
}
