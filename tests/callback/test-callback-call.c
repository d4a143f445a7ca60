/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback-fixture.h"

/* Calls with a result, from other threads into a task here. */

#define LONG_US (60 * G_USEC_PER_SEC)

typedef struct
{
  CallbackFixture *fixture;
  CothreadTaskFunc func;
  gint64 timeout_us;
  GCancellable *cancellable;
  gboolean success;
  gpointer result;
  GError *error;
  gint n_called;      /* atomic, as the rest */
  gint n_destroyed;   /* of the user data */
  gint n_results_destroyed;
  gint is_running;
  gint is_over;
  GThread *called_in;
  gboolean was_cancelled;
} Call;

static Call *results_of;

static void
destroy_user_data (gpointer data)
{
  g_atomic_int_inc (&((Call *) data)->n_destroyed);
}

static void
destroy_result (gpointer result)
{
  g_assert_nonnull (result);
  g_atomic_int_inc (&results_of->n_results_destroyed);
}

static void
call (Call *self)
{
  results_of = self;
  self->success = cothread_callback_queue_call (self->fixture->queue, self->func, self, destroy_user_data, destroy_result,
                                                self->timeout_us, self->cancellable, &self->result, &self->error);
  g_atomic_int_set (&self->is_over, TRUE);
  g_main_context_wakeup (self->fixture->context);
}

static gpointer
call_in_thread (gpointer data)
{
  call (data);
  return NULL;
}

static void
run_call (Call *self)
{
  GThread *thread = g_thread_new ("caller", call_in_thread, self);

  callback_run_until (self->fixture, g_atomic_int_get (&self->is_over));
  g_thread_join (thread);
}

static gpointer
return_self (gpointer data, G_GNUC_UNUSED GError **error)
{
  Call *self = data;

  self->called_in = g_thread_self ();
  g_assert_nonnull (cothread_task_self ());
  g_atomic_int_inc (&self->n_called);
  return self;
}

static void
test_a_thread_gets_the_result (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = return_self, .timeout_us = LONG_US };

  run_call (&self);
  callback_run_idle (f);

  g_assert_no_error (self.error);
  g_assert_true (self.success);
  g_assert_true (self.result == &self);
  g_assert_true (self.called_in == g_thread_self ());
  g_assert_cmpint (self.n_destroyed, ==, 1);
  g_assert_cmpint (self.n_results_destroyed, ==, 0);
}

static gpointer
sleep_and_return (gpointer data, GError **error)
{
  for (guint i = 0; i < 10; i++)
    if (!cothread_sleep (100, error))
      return NULL;
  return return_self (data, error);
}

static void
test_the_function_may_wait (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = sleep_and_return, .timeout_us = COTHREAD_FOREVER };

  run_call (&self);

  g_assert_no_error (self.error);
  g_assert_true (self.result == &self);
}

static gpointer
fail (gpointer data, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "not here");
  return data; /* what comes with an error is nobody's */
}

static void
test_a_thread_gets_the_error (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = fail, .timeout_us = COTHREAD_FOREVER };

  run_call (&self);
  callback_run_idle (f);

  g_assert_false (self.success);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpstr (self.error->message, ==, "not here");
  g_clear_error (&self.error);
  g_assert_null (self.result);
  g_assert_cmpint (self.n_results_destroyed, ==, 1);
  g_assert_cmpint (self.n_destroyed, ==, 1);
}

static void
test_a_call_that_timed_out_is_not_made (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = return_self, .timeout_us = 1000 };

  /* The loop does not run meanwhile. */
  callback_in_thread (call_in_thread, &self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&self.error);
  callback_run_idle (f);

  g_assert_cmpint (self.n_called, ==, 0);
  g_assert_cmpint (self.n_destroyed, ==, 1);
}

static void
test_a_timeout_of_zero_never_waits_for_the_loop (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = return_self, .timeout_us = 0 };

  callback_in_thread (call_in_thread, &self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&self.error);
  callback_run_idle (f);

  g_assert_cmpint (self.n_called, ==, 0);
}

static gpointer
wait_for_over (gpointer data, G_GNUC_UNUSED GError **error)
{
  Call *self = data;
  g_autoptr (GError) failure = NULL;

  g_atomic_int_set (&self->is_running, TRUE);
  while (!g_atomic_int_get (&self->is_over))
    if (!cothread_sleep (100, &failure))
      break;
  self->was_cancelled = g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (failure == NULL)
    return return_self (data, NULL);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

static void
test_a_function_that_runs_when_time_is_up_goes_on_to_its_end (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = wait_for_over, .timeout_us = 20000 };
  GThread *thread = g_thread_new ("caller", call_in_thread, &self);

  callback_poll_until (f, g_atomic_int_get (&self.is_over));
  g_thread_join (thread);
  callback_poll_until (f, g_atomic_int_get (&self.n_destroyed) == 1);
  callback_run_idle (f);

  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&self.error);
  g_assert_false (self.was_cancelled);
  g_assert_cmpint (self.n_called, ==, self.is_running);
  g_assert_cmpint (self.n_results_destroyed, ==, self.n_called);
}

static gpointer
wait_for_ever (gpointer data, GError **error)
{
  Call *self = data;

  g_atomic_int_set (&self->is_running, TRUE);
  g_assert_false (cothread_sleep (COTHREAD_FOREVER, error));
  self->was_cancelled = TRUE;
  return NULL;
}

static void
test_cancelling_the_caller_cancels_a_function_that_runs (CallbackFixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Call self = { .fixture = f, .func = wait_for_ever, .timeout_us = COTHREAD_FOREVER, .cancellable = cancellable };
  GThread *thread = g_thread_new ("caller", call_in_thread, &self);

  callback_poll_until (f, g_atomic_int_get (&self.is_running));
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&self.error);
  callback_poll_until (f, g_atomic_int_get (&self.n_destroyed) == 1);
  g_assert_true (self.was_cancelled);

  /* Which has nothing to do with the next one. */
  g_atomic_int_set (&self.is_over, FALSE);
  self.cancellable = NULL;
  self.func = sleep_and_return;
  run_call (&self);
  g_assert_no_error (self.error);
}

static void
test_a_cancelled_call_is_not_made (CallbackFixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Call self = { .fixture = f, .func = return_self, .timeout_us = COTHREAD_FOREVER, .cancellable = cancellable };

  g_cancellable_cancel (cancellable);
  callback_in_thread (call_in_thread, &self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&self.error);
  callback_run_idle (f);

  g_assert_cmpint (self.n_called, ==, 0);
  g_assert_cmpint (self.n_destroyed, ==, 1);
}

static gpointer
return_at_once (gpointer data, G_GNUC_UNUSED GError **error)
{
  g_atomic_int_inc (&((Call *) data)->n_called);
  return data;
}

static void
test_on_the_own_thread_it_is_a_plain_call (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = return_at_once, .timeout_us = 0 };

  cothread_callback_queue_pause (f->queue);
  call (&self);

  g_assert_true (self.success);
  g_assert_true (self.result == &self);
  g_assert_cmpint (self.n_destroyed, ==, 1);
  g_assert_true (cothread_callback_queue_call (f->queue, return_at_once, &self, NULL, destroy_result, 0, NULL, NULL, NULL));
  g_assert_cmpint (self.n_results_destroyed, ==, 1);
  g_assert_cmpuint (callback_n_run (f), ==, 0);
}

static void
test_a_closed_queue_refuses (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = return_at_once, .timeout_us = COTHREAD_FOREVER };

  cothread_callback_queue_close (f->queue);
  call (&self);
  g_assert_error (self.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&self.error);
  callback_in_thread (call_in_thread, &self);
  g_assert_error (self.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&self.error);

  g_assert_cmpint (self.n_called, ==, 0);
  g_assert_cmpint (self.n_destroyed, ==, 2);
}

static void
test_closing_the_queue_fails_the_call (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = return_self, .timeout_us = COTHREAD_FOREVER };
  GThread *thread;

  cothread_callback_queue_pause (f->queue);
  thread = g_thread_new ("caller", call_in_thread, &self);
  callback_poll_until (f, callback_length (f) == 1);
  cothread_callback_queue_close (f->queue);
  g_thread_join (thread);

  g_assert_error (self.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&self.error);
  g_assert_cmpint (self.n_destroyed, ==, 1);
}

static void
test_a_shutdown_cancels_the_function_and_fails_the_call (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = wait_for_ever, .timeout_us = COTHREAD_FOREVER };
  GThread *thread = g_thread_new ("caller", call_in_thread, &self);

  callback_poll_until (f, g_atomic_int_get (&self.is_running));
  cothread_scheduler_shutdown (f->scheduler);
  g_thread_join (thread);

  g_assert_true (self.was_cancelled);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&self.error);
  g_assert_cmpint (self.n_destroyed, ==, 1);
}

static void
test_a_full_queue_fails_the_call (CallbackFixture *f)
{
  const CothreadOverflowPolicy policies[] = { COTHREAD_OVERFLOW_FAIL, COTHREAD_OVERFLOW_DROP_NEWEST, COTHREAD_OVERFLOW_COALESCE };

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_FAIL);
  callback_post_nothing (f, 1);
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      Call self = { .fixture = f, .func = return_self, .timeout_us = COTHREAD_FOREVER };

      callback_set_bound (f, 1, policies[i]);
      callback_in_thread (call_in_thread, &self);
      g_assert_error (self.error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
      g_clear_error (&self.error);
      g_assert_cmpint (self.n_destroyed, ==, 1);
    }
}

static void
test_a_call_that_is_dropped_fails (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = return_self, .timeout_us = COTHREAD_FOREVER };
  GThread *thread;

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_DROP_OLDEST);
  thread = g_thread_new ("caller", call_in_thread, &self);
  callback_poll_until (f, callback_length (f) == 1);
  callback_post_nothing (f, 1);
  g_thread_join (thread);

  g_assert_error (self.error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  g_clear_error (&self.error);
}

static void
test_the_time_for_room_counts (CallbackFixture *f)
{
  Call self = { .fixture = f, .func = return_self, .timeout_us = 2000 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_nothing (f, 1);
  callback_in_thread (call_in_thread, &self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&self.error);
  self.cancellable = cancellable;
  callback_in_thread (call_in_thread, &self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&self.error);

  g_assert_cmpint (self.n_destroyed, ==, 2);
}

static void
test_cancelling_ends_the_wait_for_room (CallbackFixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Call self = { .fixture = f, .func = return_self, .timeout_us = COTHREAD_FOREVER, .cancellable = cancellable };
  GThread *thread;

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_nothing (f, 1);
  thread = g_thread_new ("caller", call_in_thread, &self);
  callback_poll_until (f, callback_n_blocked (f) == 1);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);

  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&self.error);
}

/* A thread with a scheduler and tasks of its own. */
typedef struct
{
  Call call;
  guint n_ticks; /* atomic */
} Elsewhere;

static gpointer
call_in_task (gpointer data, G_GNUC_UNUSED GError **error)
{
  Elsewhere *self = data;

  call (&self->call);
  return NULL;
}

static gpointer
tick_until_over (gpointer data, G_GNUC_UNUSED GError **error)
{
  Elsewhere *self = data;

  while (!g_atomic_int_get (&self->call.is_over))
    {
      __atomic_add_fetch (&self->n_ticks, 1, __ATOMIC_RELAXED);
      cothread_sleep (100, NULL);
    }
  return NULL;
}

static gpointer
run_elsewhere (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (CothreadTask) caller = NULL, ticker = NULL;

  g_main_context_push_thread_default (context);
  caller = cothread_spawn (call_in_task, data);
  ticker = cothread_spawn (tick_until_over, data);
  g_assert_true (cothread_task_join (caller, COTHREAD_FOREVER, NULL, NULL));
  g_assert_true (cothread_task_join (ticker, COTHREAD_FOREVER, NULL, NULL));
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_a_task_of_another_scheduler_suspends_and_not_its_thread (CallbackFixture *f)
{
  Elsewhere self = { .call = { .fixture = f, .func = sleep_and_return, .timeout_us = COTHREAD_FOREVER } };
  GThread *thread;

  cothread_callback_queue_pause (f->queue);
  thread = g_thread_new ("elsewhere", run_elsewhere, &self);
  callback_poll_until (f, __atomic_load_n (&self.n_ticks, __ATOMIC_RELAXED) >= 3);
  cothread_callback_queue_resume (f->queue);
  callback_poll_until (f, g_atomic_int_get (&self.call.is_over));
  g_thread_join (thread);

  g_assert_no_error (self.call.error);
  g_assert_true (self.call.result == &self.call);
  g_assert_true (self.call.called_in == g_thread_self ());
}

static void
test_so_it_does_for_room (CallbackFixture *f)
{
  Elsewhere self = { .call = { .fixture = f, .func = sleep_and_return, .timeout_us = COTHREAD_FOREVER } };
  GThread *thread;

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_nothing (f, 1);
  thread = g_thread_new ("elsewhere", run_elsewhere, &self);
  callback_poll_until (f, callback_n_blocked (f) == 1 && __atomic_load_n (&self.n_ticks, __ATOMIC_RELAXED) >= 3);
  cothread_callback_queue_resume (f->queue);
  callback_poll_until (f, g_atomic_int_get (&self.call.is_over));
  g_thread_join (thread);

  g_assert_no_error (self.call.error);
  g_assert_true (self.call.success);
}

typedef struct
{
  Call call;
  guint n_answers;
  gboolean on_own_stack;
  GThread *answered_in;
  GMainContext *context; /* of the thread that calls, or NULL */
} Async;

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Async *self = data;

  self->n_answers++;
  self->on_own_stack = callback_is_on_own_stack ();
  self->answered_in = g_thread_self ();
  self->call.success = cothread_callback_queue_call_finish (COTHREAD_CALLBACK_QUEUE (source), result,
                                                            &self->call.result, &self->call.error);
}

static void
call_async (Async *self)
{
  results_of = &self->call;
  cothread_callback_queue_call_async (self->call.fixture->queue, self->call.func, &self->call, destroy_user_data,
                                      destroy_result, self->call.cancellable, on_answer, self);
}

static void
test_the_asynchronous_form_answers_once_on_the_own_stack (CallbackFixture *f)
{
  Async self = { .call = { .fixture = f, .func = sleep_and_return } };

  call_async (&self);
  g_assert_cmpuint (self.n_answers, ==, 0);
  callback_run_until (f, self.n_answers == 1);

  g_assert_no_error (self.call.error);
  g_assert_true (self.call.result == &self.call);
  g_assert_true (self.on_own_stack);
  g_assert_cmpint (self.call.n_destroyed, ==, 1);
}

static void
test_the_asynchronous_form_brings_errors (CallbackFixture *f)
{
  Async self = { .call = { .fixture = f, .func = fail } };

  call_async (&self);
  callback_run_until (f, self.n_answers == 1);
  g_assert_error (self.call.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&self.call.error);

  cothread_callback_queue_pause (f->queue);
  callback_set_bound (f, 1, COTHREAD_OVERFLOW_BLOCK);
  callback_post_nothing (f, 1);
  call_async (&self);
  callback_run_until (f, self.n_answers == 2);
  g_assert_error (self.call.error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
  g_clear_error (&self.call.error);

  cothread_callback_queue_close (f->queue);
  call_async (&self);
  callback_run_until (f, self.n_answers == 3);
  g_assert_error (self.call.error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
  g_clear_error (&self.call.error);
  g_assert_cmpint (self.call.n_destroyed, ==, 3);
}

static void
test_cancelling_ends_the_asynchronous_form_before_and_while_it_runs (CallbackFixture *f)
{
  g_autoptr (GCancellable) before = g_cancellable_new (), while_running = g_cancellable_new ();
  Async self = { .call = { .fixture = f, .func = wait_for_ever, .cancellable = before } };

  cothread_callback_queue_pause (f->queue);
  call_async (&self);
  callback_run_idle (f);
  g_cancellable_cancel (before);
  callback_run_until (f, self.n_answers == 1);
  g_assert_error (self.call.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&self.call.error);
  g_assert_false (self.call.is_running);

  cothread_callback_queue_resume (f->queue);
  callback_run_idle (f);
  g_assert_cmpint (self.call.n_destroyed, ==, 1);
  self.call.cancellable = while_running;
  call_async (&self);
  callback_run_until (f, self.call.is_running);
  g_cancellable_cancel (while_running);
  callback_run_until (f, self.n_answers == 2);
  g_assert_error (self.call.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&self.call.error);
  g_assert_true (self.call.was_cancelled);
  g_assert_true (self.on_own_stack);
}

static gpointer
call_async_elsewhere (gpointer data)
{
  Async *self = data;

  g_main_context_push_thread_default (self->context);
  call_async (self);
  while (self->n_answers == 0)
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
  g_atomic_int_set (&self->call.is_over, TRUE);
  g_main_context_wakeup (self->call.fixture->context);
  return NULL;
}

static void
test_the_asynchronous_form_answers_in_the_callers_thread (CallbackFixture *f)
{
  /* Not the thread's own, which whoever lets go of the call last would free. */
  g_autoptr (GMainContext) context = g_main_context_new ();
  Async self = { .call = { .fixture = f, .func = return_self }, .context = context };
  GThread *thread = g_thread_new ("elsewhere", call_async_elsewhere, &self);

  callback_run_until (f, g_atomic_int_get (&self.call.is_over));
  g_thread_join (thread);

  g_assert_true (self.call.success);
  g_assert_true (self.answered_in != g_thread_self ());
  g_assert_true (self.call.called_in == g_thread_self ());
}

static gint n_over; /* atomic */

static gpointer
add_one (gpointer data, G_GNUC_UNUSED GError **error)
{
  guint *n = data;

  if (*n % 7 == 0)
    cothread_yield (NULL);
  return GUINT_TO_POINTER (++*n);
}

static gpointer
call_many_times (gpointer data)
{
  CallbackFixture *f = data;
  guint n = 0;

  for (guint i = 1; i <= 300; i++)
    {
      gpointer result = NULL;

      g_assert_true (cothread_callback_queue_call (f->queue, add_one, &n, NULL, NULL, COTHREAD_FOREVER, NULL, &result, NULL));
      g_assert_cmpuint (GPOINTER_TO_UINT (result), ==, i);
    }
  g_atomic_int_inc (&n_over);
  g_main_context_wakeup (f->context);
  return NULL;
}

static void
test_many_threads_call_at_once (CallbackFixture *f)
{
  GThread *threads[4];

  n_over = 0;
  callback_set_bound (f, 2, COTHREAD_OVERFLOW_BLOCK);
  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("caller", call_many_times, f);
  callback_run_until (f, g_atomic_int_get (&n_over) == 4);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  callback_assert_accounts (f, 1200, 1200, 0, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  callback_test_add ("call", a_thread_gets_the_result);
  callback_test_add ("call", the_function_may_wait);
  callback_test_add ("call", a_thread_gets_the_error);
  callback_test_add ("call", a_call_that_timed_out_is_not_made);
  callback_test_add ("call", a_timeout_of_zero_never_waits_for_the_loop);
  callback_test_add ("call", a_function_that_runs_when_time_is_up_goes_on_to_its_end);
  callback_test_add ("call", cancelling_the_caller_cancels_a_function_that_runs);
  callback_test_add ("call", a_cancelled_call_is_not_made);
  callback_test_add ("call", on_the_own_thread_it_is_a_plain_call);
  callback_test_add ("call", a_closed_queue_refuses);
  callback_test_add ("call", closing_the_queue_fails_the_call);
  callback_test_add ("call", a_shutdown_cancels_the_function_and_fails_the_call);
  callback_test_add ("call", a_full_queue_fails_the_call);
  callback_test_add ("call", a_call_that_is_dropped_fails);
  callback_test_add ("call", the_time_for_room_counts);
  callback_test_add ("call", cancelling_ends_the_wait_for_room);
  callback_test_add ("call", a_task_of_another_scheduler_suspends_and_not_its_thread);
  callback_test_add ("call", so_it_does_for_room);
  callback_test_add ("call", the_asynchronous_form_answers_once_on_the_own_stack);
  callback_test_add ("call", the_asynchronous_form_brings_errors);
  callback_test_add ("call", cancelling_ends_the_asynchronous_form_before_and_while_it_runs);
  callback_test_add ("call", the_asynchronous_form_answers_in_the_callers_thread);
  callback_test_add ("call", many_threads_call_at_once);
  return g_test_run ();
}
