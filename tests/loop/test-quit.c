/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

#include <signal.h>
#include <unistd.h>

/* The end of the program, and Ctrl-C. What is sticky is sticky for the whole
 * process, so each test has one of its own. */

static guint n_gone_on;

static gpointer
wait_and_count (G_GNUC_UNUSED gpointer unused, GError **error)
{
  if (cothread_wait_for_quit (FALSE, error))
    n_gone_on++;
  return NULL;
}

static gpointer
quit_after_a_while (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (1 * MS, NULL);
  cothread_quit ();
  return NULL;
}

static void
start_waiters (guint n)
{
  for (guint i = 0; i < n; i++)
    cothread_task_unref (cothread_spawn (wait_and_count, NULL));
}

static void
quitting_wakes_everybody_and_is_sticky (void)
{
  g_assert_false (cothread_is_quitting ());
  start_waiters (3);
  cothread_task_unref (cothread_spawn (quit_after_a_while, NULL));
  g_assert_true (cothread_wait_for_quit (FALSE, NULL));
  g_assert_true (cothread_sleep (0, NULL));
  g_assert_cmpuint (n_gone_on, ==, 3);
  g_assert_true (cothread_is_quitting ());
  cothread_quit ();
  for (guint i = 0; i < 3; i++)
    g_assert_true (cothread_wait_for_quit (TRUE, NULL));
}

static gpointer
wait_for_quit_in_thread (gpointer ready)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean success;

  g_main_context_push_thread_default (context);
  cothread_scheduler_get_default ();
  g_atomic_int_inc ((gint *) ready);
  success = cothread_wait_for_quit (FALSE, NULL);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
  return GINT_TO_POINTER (success);
}

static void
it_reaches_the_schedulers_of_all_threads (void)
{
  GThread *threads[8];
  gint n_ready = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("waiter", wait_for_quit_in_thread, &n_ready);
  while (g_atomic_int_get (&n_ready) < (gint) G_N_ELEMENTS (threads) - 2)
    g_usleep (100);
  cothread_quit (); /* some wait, some are about to */
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (GPOINTER_TO_INT (g_thread_join (threads[i])));
}

static void
a_wait_for_it_can_be_cancelled (void)
{
  g_autoptr (CothreadTask) task = cothread_spawn (wait_and_count, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (cothread_sleep (0, NULL));
  cothread_task_cancel (task);
  g_assert_false (cothread_task_join (task, COTHREAD_FOREVER, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  cothread_quit (); /* nobody is there */
  g_assert_cmpuint (n_gone_on, ==, 0);
}

static void
a_shutdown_ends_the_wait (void)
{
  start_waiters (2);
  g_assert_true (cothread_sleep (0, NULL));
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  cothread_quit ();
  g_assert_cmpuint (n_gone_on, ==, 0);
}

static gboolean
send_sigint (G_GNUC_UNUSED gpointer data)
{
  kill (getpid (), SIGINT);
  return G_SOURCE_REMOVE;
}

static void
send_sigint_soon (void)
{
  g_autoptr (GSource) source = g_timeout_source_new (10);

  g_source_set_callback (source, send_sigint, NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static gboolean
is_sigint_default (void)
{
  struct sigaction present;

  g_assert_cmpint (sigaction (SIGINT, NULL, &present), ==, 0);
  return present.sa_handler == SIG_DFL;
}

static void
caught_ctrl_c_means_to_quit (void)
{
  start_waiters (1);
  send_sigint_soon ();
  g_assert_true (is_sigint_default ());
  g_assert_true (cothread_wait_for_quit (TRUE, NULL));
  g_assert_true (is_sigint_default ()); /* given back */
  g_assert_true (cothread_is_quitting ());
  g_assert_true (cothread_sleep (0, NULL));
  g_assert_cmpuint (n_gone_on, ==, 1);
}

static gpointer
count_for_ever (gpointer n, G_GNUC_UNUSED GError **error)
{
  while (cothread_sleep (100, error))
    ++*(guint *) n;
  return NULL;
}

static void
ctrl_c_interrupts_mains_wait_and_the_scheduler_goes_on (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();
  g_autoptr (CothreadEvent) event = cothread_event_new (TRUE);
  g_autoptr (GError) error = NULL;
  guint n = 0, before;

  g_assert_false (cothread_scheduler_get_catch_interrupt (scheduler));
  g_assert_true (cothread_scheduler_set_catch_interrupt (scheduler, TRUE, NULL));
  g_assert_true (cothread_scheduler_get_catch_interrupt (scheduler));
  cothread_task_unref (cothread_spawn (count_for_ever, &n));
  send_sigint_soon ();
  g_assert_false (cothread_event_wait (event, 60 * G_USEC_PER_SEC, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  g_assert_false (cothread_is_quitting ());

  /* Its wakeup is undone. */
  cothread_event_signal (event);
  g_assert_true (cothread_event_wait (event, 0, NULL));
  before = n;
  while (n < before + 3)
    g_assert_true (cothread_sleep (MS, NULL));

  /* And once more, in a wait for the end that does not catch it. */
  g_clear_error (&error);
  send_sigint_soon ();
  g_assert_false (cothread_wait_for_quit (FALSE, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_INTERRUPTED);
  g_assert_true (cothread_scheduler_set_catch_interrupt (scheduler, FALSE, NULL));
  g_assert_true (is_sigint_default ());
}

static void
a_wait_that_catches_comes_before_the_interrupt (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();

  g_assert_true (cothread_scheduler_set_catch_interrupt (scheduler, TRUE, NULL));
  send_sigint_soon ();
  g_assert_true (cothread_wait_for_quit (TRUE, NULL));
  g_assert_false (is_sigint_default ()); /* still wanted */
  cothread_scheduler_shutdown (scheduler);
  g_assert_true (is_sigint_default ());
}

static void
without_a_context_nothing_can_be_caught (void)
{
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_scheduler_set_catch_interrupt (scheduler, TRUE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_false (cothread_scheduler_get_catch_interrupt (scheduler));
  g_assert_true (is_sigint_default ());
}

static void
note_quit (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer outcome)
{
  g_autoptr (GError) error = NULL;

  if (cothread_wait_for_quit_finish (result, &error))
    *(gint *) outcome = 1;
  else
    *(gint *) outcome = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? 2 : 3;
}

static void
it_can_be_waited_for_with_a_callback (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gint first = 0, second = 0, third = 0;

  cothread_wait_for_quit_async (TRUE, NULL, note_quit, &first);
  cothread_wait_for_quit_async (FALSE, cancellable, note_quit, &second);
  g_assert_true (cothread_sleep (0, NULL));
  g_cancellable_cancel (cancellable);
  send_sigint_soon ();
  g_assert_true (cothread_wait_for_quit (FALSE, NULL));
  g_assert_true (cothread_sleep (0, NULL));
  g_assert_cmpint (first, ==, 1);
  g_assert_cmpint (second, ==, 2);
  g_assert_true (is_sigint_default ());
  cothread_wait_for_quit_async (TRUE, NULL, note_quit, &third);
  g_assert_true (cothread_sleep (0, NULL));
  g_assert_cmpint (third, ==, 1);
}

static void
note_refused (gpointer refused)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (cothread_wait_for_quit (TRUE, &error));
  *(gboolean *) refused = g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
}

static void
where_nothing_can_wait_it_is_refused (void)
{
  gboolean was_refused = FALSE;

  cothread_callback_queue_post (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()),
                                note_refused, &was_refused, NULL, NULL);
  g_assert_true (cothread_sleep (0, NULL));
  g_assert_true (cothread_sleep (0, NULL));
  g_assert_true (was_refused);
  g_assert_true (is_sigint_default ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add_isolated ("/quit/sticky", quitting_wakes_everybody_and_is_sticky);
  behaviour_add_isolated ("/quit/threads", it_reaches_the_schedulers_of_all_threads);
  behaviour_add_isolated ("/quit/cancelled", a_wait_for_it_can_be_cancelled);
  behaviour_add_isolated ("/quit/shutdown", a_shutdown_ends_the_wait);
  behaviour_add_isolated ("/quit/ctrl-c-quits", caught_ctrl_c_means_to_quit);
  behaviour_add_isolated ("/quit/ctrl-c-interrupts", ctrl_c_interrupts_mains_wait_and_the_scheduler_goes_on);
  behaviour_add_isolated ("/quit/catching-wait-first", a_wait_that_catches_comes_before_the_interrupt);
  behaviour_add_isolated ("/quit/no-context", without_a_context_nothing_can_be_caught);
  behaviour_add_isolated ("/quit/async", it_can_be_waited_for_with_a_callback);
  behaviour_add_isolated ("/quit/refused", where_nothing_can_wait_it_is_refused);
  return g_test_run ();
}
