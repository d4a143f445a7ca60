/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#include <pthread.h>
#include <unistd.h>

/* Blocking work in threads, while only the calling task waits. */

typedef struct
{
  pthread_mutex_t lock; /* not GLib's: ThreadSanitizer sees what it orders */
  pthread_cond_t cond;
  gboolean is_open;
  gint n_inside; /* atomic */
  gint n_most;   /* atomic */
  gint n_freed;  /* atomic */
  GThread *freed_in;
} Gate;

static Gate gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };
static GThread *main_thread;

static void
open_gate (void)
{
  pthread_mutex_lock (&gate.lock);
  gate.is_open = TRUE;
  pthread_cond_broadcast (&gate.cond);
  pthread_mutex_unlock (&gate.lock);
}

static void
reset (void)
{
  gate.is_open = FALSE;
  gate.freed_in = NULL;
  g_atomic_int_set (&gate.n_freed, 0);
  g_atomic_int_set (&gate.n_most, 0);
  main_thread = g_thread_self ();
}

static void
enter (void)
{
  gint n = g_atomic_int_add (&gate.n_inside, 1) + 1;

  pthread_mutex_lock (&gate.lock);
  gate.n_most = MAX (gate.n_most, n);
  pthread_mutex_unlock (&gate.lock);
}

static void
note_freed (G_GNUC_UNUSED gpointer data)
{
  g_atomic_pointer_set (&gate.freed_in, g_thread_self ());
  g_atomic_int_inc (&gate.n_freed);
}

static gpointer
double_it (gpointer n, G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED GError **error)
{
  g_assert_true (g_thread_self () != main_thread);
  g_usleep (2000);
  return GINT_TO_POINTER (2 * GPOINTER_TO_INT (n));
}

static gpointer
fail (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GCancellable *cancellable, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no such thing");
  return NULL;
}

/* Until the gate is opened, or it is cancelled. */
static gpointer
wait_politely (G_GNUC_UNUSED gpointer data, GCancellable *cancellable, GError **error)
{
  gboolean is_open = FALSE;

  enter ();
  while (!is_open && !g_cancellable_is_cancelled (cancellable))
    {
      pthread_mutex_lock (&gate.lock);
      is_open = gate.is_open;
      pthread_mutex_unlock (&gate.lock);
      g_usleep (500);
    }
  g_atomic_int_add (&gate.n_inside, -1);
  return g_cancellable_set_error_if_cancelled (cancellable, error) ? NULL : GINT_TO_POINTER (1);
}

/* Until the gate is opened, whatever happens. */
static gpointer
wait_stubbornly (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED GError **error)
{
  enter ();
  pthread_mutex_lock (&gate.lock);
  while (!gate.is_open)
    pthread_cond_wait (&gate.cond, &gate.lock);
  pthread_mutex_unlock (&gate.lock);
  g_atomic_int_add (&gate.n_inside, -1);
  return g_strdup ("late");
}

static void
wait_until_inside (gint n)
{
  cothread_test_scheduler_hold (test_scheduler ());
  while (g_atomic_int_get (&gate.n_inside) < n)
    {
      settle ();
      g_usleep (200);
    }
  cothread_test_scheduler_release (test_scheduler ());
}

static gpointer
run_one (gpointer func, G_GNUC_UNUSED GError **unused)
{
  CothreadThreadOptions options = { .user_data_destroy = note_freed, .result_destroy = g_free };
  GError *error = NULL;

  say_outcome (cothread_run_in_thread_full ((CothreadThreadFunc) func, NULL, &options, COTHREAD_FOREVER, NULL, &error), &error);
  return NULL;
}

static gpointer
yield_and_open_gate (gpointer n, GError **error)
{
  while (*(guint *) n < 10 && cothread_yield (error))
    ++*(guint *) n;
  open_gate ();
  return NULL;
}

static void
only_the_calling_task_waits (void)
{
  guint n = 0;
  g_autoptr (CothreadTask) other = spawn ("other", yield_and_open_gate, &n);
  gpointer result = NULL;

  reset ();
  g_assert_true (cothread_run_in_thread (wait_stubbornly, NULL, COTHREAD_FOREVER, &result, NULL));
  g_assert_cmpstr (result, ==, "late");
  g_free (result);
  g_assert_cmpuint (n, ==, 10);
}

static gpointer
run_and_add (gpointer sum, GError **error)
{
  gpointer result = NULL;

  g_assert_true (cothread_run_in_thread (double_it, GINT_TO_POINTER (1), COTHREAD_FOREVER, &result, error));
  *(gint *) sum += GPOINTER_TO_INT (result);
  return NULL;
}

static void
many_tasks_may_wait_for_theirs (void)
{
  gint sum = 0;

  reset ();
  for (guint i = 0; i < 200; i++)
    start ("a", run_and_add, &sum);
  run_until_no_task_is_left ();
  g_assert_cmpint (sum, ==, 400);
}

static void
an_error_comes_back (void)
{
  g_autoptr (GError) error = NULL;
  gpointer result = &error;

  g_assert_false (cothread_run_in_thread (fail, NULL, COTHREAD_FOREVER, &result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_true (result == &error); /* untouched */
}

static void
data_are_freed_once_in_the_calling_thread (void)
{
  reset ();
  run_one (double_it, NULL);
  run_one (fail, NULL);
  assert_said ("main-ok main-failed");
  g_assert_cmpint (gate.n_freed, ==, 2);
  g_assert_true (gate.freed_in == g_thread_self ());
}

static void
a_cancelled_wait_cancels_the_work_and_waits_for_it (void)
{
  g_autoptr (CothreadTask) task = NULL;

  reset ();
  task = spawn ("a", run_one, wait_politely);
  wait_until_inside (1);
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("a-cancelled");
  g_assert_cmpint (g_atomic_int_get (&gate.n_inside), ==, 0);
  g_assert_cmpint (gate.n_freed, ==, 1);
}

static void
stubborn_work_keeps_its_caller_waiting_and_may_succeed (void)
{
  g_autoptr (CothreadTask) task = NULL;

  reset ();
  task = spawn ("a", run_one, wait_stubbornly);
  wait_until_inside (1);
  cothread_task_cancel (task);
  settle ();
  g_assert_false (cothread_task_is_finished (task));
  open_gate ();
  run_until_no_task_is_left ();
  assert_said ("a-ok");
  g_assert_cmpint (gate.n_freed, ==, 1);
}

static gpointer
run_and_abandon (gpointer timeout_us, G_GNUC_UNUSED GError **unused)
{
  CothreadThreadOptions options = { .user_data_destroy = note_freed, .result_destroy = g_free, .abandon = TRUE };
  GError *error = NULL;

  say_outcome (cothread_run_in_thread_full (wait_stubbornly, NULL, &options, *(gint64 *) timeout_us, NULL, &error), &error);
  return NULL;
}

static void
abandoned_work_ends_by_itself_and_frees_what_it_has (void)
{
  gint64 for_ever = COTHREAD_FOREVER;
  g_autoptr (CothreadTask) task = NULL;

  reset ();
  task = spawn ("a", run_and_abandon, &for_ever);
  wait_until_inside (1);
  cothread_task_cancel (task);
  run_until_no_task_is_left ();
  assert_said ("a-cancelled");
  g_assert_cmpint (g_atomic_int_get (&gate.n_freed), ==, 0);
  open_gate ();
  while (g_atomic_int_get (&gate.n_freed) == 0)
    g_usleep (200);
  g_assert_true (gate.freed_in != g_thread_self ());
  g_usleep (2000);
  g_assert_cmpint (g_atomic_int_get (&gate.n_freed), ==, 1);
}

static void
abandoned_work_may_outlive_the_scheduler (void)
{
  gint64 for_ever = COTHREAD_FOREVER;

  reset ();
  for (guint i = 0; i < 5; i++)
    start ("a", run_and_abandon, &for_ever);
  wait_until_inside (5);
  cothread_scheduler_shutdown (cothread_test_scheduler_get_scheduler (test_scheduler ()));
  assert_said ("a-cancelled a-cancelled a-cancelled a-cancelled a-cancelled");
  open_gate ();
  while (g_atomic_int_get (&gate.n_freed) < 5)
    g_usleep (200);
}

static void
a_shutdown_cancels_the_work_and_waits_for_it (void)
{
  reset ();
  for (guint i = 0; i < 5; i++)
    start ("a", run_one, wait_politely);
  wait_until_inside (5);
  cothread_scheduler_shutdown (cothread_test_scheduler_get_scheduler (test_scheduler ()));
  assert_said ("a-cancelled a-cancelled a-cancelled a-cancelled a-cancelled");
  g_assert_cmpint (gate.n_freed, ==, 5);
}

static void
stubborn_work_is_survived_by_a_scheduler_that_gives_up (void)
{
  /* What was abandoned is never freed. */
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 120 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }
  reset ();
  start ("a", run_one, wait_stubbornly);
  wait_until_inside (1);
  expect_critical ("*Task a goes on although it was cancelled*");
  cothread_scheduler_shutdown (cothread_test_scheduler_get_scheduler (test_scheduler ()));
  g_test_assert_expected_messages ();
  open_gate ();
  while (g_atomic_int_get (&gate.n_inside) > 0)
    g_usleep (200);
  g_usleep (5000); /* it looks for somebody to tell */
  _exit (0);
}

static void
with_few_threads_the_rest_waits_and_can_be_taken_back (void)
{
  guint before = cothread_get_max_threads ();
  CothreadTask *tasks[6];

  reset ();
  cothread_set_max_threads (2);
  g_assert_cmpuint (cothread_get_max_threads (), ==, 2);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);

      tasks[i] = spawn (name, run_one, wait_stubbornly);
    }
  wait_until_inside (2);
  cothread_task_cancel (tasks[5]);
  cothread_task_cancel (tasks[4]);
  settle ();
  assert_said ("5-cancelled 4-cancelled"); /* at once: they never began */
  g_assert_cmpint (gate.n_freed, ==, 2);
  g_assert_true (gate.freed_in == g_thread_self ());
  open_gate ();
  run_until_no_task_is_left ();
  g_assert_cmpint (gate.n_most, ==, 2);
  g_assert_cmpint (gate.n_freed, ==, 6);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    cothread_task_unref (tasks[i]);
  ignore_what_was_said (); /* their order is the threads' business */
  cothread_set_max_threads (before);
  expect_critical ("*n_threads >= 1*");
  cothread_set_max_threads (0);
  g_test_assert_expected_messages ();
}

static gpointer
run_with_a_deadline (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  GError *error = NULL;

  /* Nothing is ready without time: the work cannot have ended. */
  say_outcome (cothread_run_in_thread (wait_politely, NULL, 0, NULL, &error), &error);
  return NULL;
}

static void
its_time_can_be_up (void)
{
  reset ();
  start ("a", run_with_a_deadline, NULL);
  run_until_no_task_is_left ();
  assert_said ("a-timeout");
  g_assert_cmpint (g_atomic_int_get (&gate.n_inside), ==, 0);
}

static void
the_virtual_clock_stands_still_meanwhile (void)
{
  gint64 begin_us = now ();

  reset ();
  g_assert_true (cothread_run_in_thread (double_it, NULL, 1000, NULL, NULL)); /* works for 2000 */
  g_assert_cmpint (now (), ==, begin_us);
}

static gboolean
interrupt (G_GNUC_UNUSED gpointer data)
{
  if (g_atomic_int_get (&gate.n_inside) == 0)
    return G_SOURCE_CONTINUE;
  cothread_scheduler_interrupt (cothread_scheduler_get_default ());
  return G_SOURCE_REMOVE;
}

static void
main_can_be_interrupted_in_it (void)
{
  g_autoptr (GSource) source = g_timeout_source_new (1);

  reset ();
  g_source_set_callback (source, interrupt, NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  run_one (wait_politely, NULL);
  assert_said ("main-interrupted");
  g_assert_cmpint (gate.n_freed, ==, 1);
}

static gpointer
run_when_cancelled (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  cothread_task_cancel (cothread_task_self ());
  run_one (wait_stubbornly, NULL);
  return NULL;
}

static void
a_cancelled_task_begins_nothing (void)
{
  reset ();
  start ("a", run_when_cancelled, NULL);
  settle ();
  assert_said ("a-cancelled");
  g_assert_cmpint (gate.n_freed, ==, 1);
}

static gpointer
run_another (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GCancellable *cancellable, GError **error)
{
  return GINT_TO_POINTER (cothread_run_in_thread (double_it, NULL, COTHREAD_FOREVER, NULL, error));
}

static gboolean
run_in_handler (G_GNUC_UNUSED gpointer data)
{
  run_one (double_it, NULL);
  return G_SOURCE_REMOVE;
}

static void
where_nothing_can_wait_it_is_refused (void)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  GError *error = NULL;

  reset ();
  g_source_set_callback (source, run_in_handler, NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  settle ();
  assert_said ("main-refused");
  g_assert_cmpint (gate.n_freed, ==, 1);
  say_outcome (cothread_run_in_thread (run_another, NULL, COTHREAD_FOREVER, NULL, &error), &error);
  assert_said ("main-refused"); /* a thread of the pool has no scheduler */
}

static gpointer
own_scheduler (G_GNUC_UNUSED gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < 50; i++)
    {
      gpointer result = NULL;

      g_assert_true (cothread_run_in_thread (double_it, GINT_TO_POINTER (i), COTHREAD_FOREVER, &result, NULL));
      g_assert_cmpint (GPOINTER_TO_INT (result), ==, 2 * (gint) i);
    }
  cothread_scheduler_shutdown (cothread_scheduler_get_default ()); /* right after the last answer */
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
schedulers_in_several_threads_share_the_pool (void)
{
  GThread *threads[4];

  reset ();
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("own", own_scheduler, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/thread/only-the-caller-waits", only_the_calling_task_waits);
  sync_test_add ("/thread/many", many_tasks_may_wait_for_theirs);
  sync_test_add ("/thread/error", an_error_comes_back);
  sync_test_add ("/thread/destroy", data_are_freed_once_in_the_calling_thread);
  sync_test_add ("/thread/cancel", a_cancelled_wait_cancels_the_work_and_waits_for_it);
  sync_test_add ("/thread/cancel-stubborn", stubborn_work_keeps_its_caller_waiting_and_may_succeed);
  sync_test_add ("/thread/abandon", abandoned_work_ends_by_itself_and_frees_what_it_has);
  sync_test_add ("/thread/abandon-scheduler", abandoned_work_may_outlive_the_scheduler);
  sync_test_add ("/thread/shutdown", a_shutdown_cancels_the_work_and_waits_for_it);
  sync_test_add ("/thread/shutdown-stubborn", stubborn_work_is_survived_by_a_scheduler_that_gives_up);
  sync_test_add ("/thread/bounded", with_few_threads_the_rest_waits_and_can_be_taken_back);
  sync_test_add ("/thread/timeout", its_time_can_be_up);
  sync_test_add ("/thread/virtual-clock", the_virtual_clock_stands_still_meanwhile);
  sync_test_add ("/thread/interrupt", main_can_be_interrupted_in_it);
  sync_test_add ("/thread/cancelled-before", a_cancelled_task_begins_nothing);
  sync_test_add ("/thread/refused", where_nothing_can_wait_it_is_refused);
  sync_test_add ("/thread/schedulers", schedulers_in_several_threads_share_the_pool);
  return g_test_run ();
}
