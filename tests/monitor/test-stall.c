/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "behaviour.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Who holds the loop. What holds it here does so until the detector has
 * noticed: that it notices at all shows that it does so in time. */

#define THRESHOLD_US (20 * MS)
#define PATIENCE_US (30 * G_USEC_PER_SEC)

static GString *logged; /* under the lock */
static GMutex logged_lock;

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  gboolean is_stall = FALSE;

  for (gsize i = 0; i < n_fields; i++)
    is_stall |= g_str_equal (fields[i].key, "COTHREAD_HELD_US");
  if (!is_stall)
    return g_log_writer_default (level, fields, n_fields, data);
  g_mutex_lock (&logged_lock);
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_has_prefix (fields[i].key, "COTHREAD_") || g_str_equal (fields[i].key, "MESSAGE"))
      g_string_append_printf (logged, "%s=%s\n", fields[i].key, (const char *) fields[i].value);
  g_mutex_unlock (&logged_lock);
  return G_LOG_WRITER_HANDLED;
}

static char *
take_log (void)
{
  char *text;

  g_mutex_lock (&logged_lock);
  text = g_strdup (logged->str);
  g_string_truncate (logged, 0);
  g_mutex_unlock (&logged_lock);
  return text;
}

static void __attribute__ ((noinline))
hold_the_loop (CothreadStallDetector *detector)
{
  guint64 before = cothread_stall_detector_get_n_stalls (detector);
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;

  while (cothread_stall_detector_get_n_stalls (detector) == before && g_get_monotonic_time () < end_us)
    ;
  say (cothread_stall_detector_get_n_stalls (detector) > before ? "noticed" : "overlooked");
  __asm__ volatile ("");
}

static gpointer
greedy_task (gpointer detector, G_GNUC_UNUSED GError **error)
{
  hold_the_loop (detector);
  __asm__ volatile ("");
  return NULL;
}

static gpointer
task_that_yielded_before (gpointer detector, GError **error)
{
  cothread_yield (error);
  hold_the_loop (detector);
  __asm__ volatile ("");
  return NULL;
}

static void
greedy_callback (gpointer detector)
{
  hold_the_loop (detector);
  __asm__ volatile ("");
}

static gboolean
greedy_handler (gpointer detector)
{
  hold_the_loop (detector);
  __asm__ volatile ("");
  return G_SOURCE_REMOVE;
}

static CothreadStall *told;

static void
note_stalled (G_GNUC_UNUSED CothreadStallDetector *detector, CothreadStall *stall, gpointer thread)
{
  g_assert_true (thread == g_thread_self ());
  g_clear_pointer (&told, cothread_stall_free);
  told = cothread_stall_copy (stall);
}

static CothreadStallDetector *
new_detector (void)
{
  CothreadStallDetector *detector = cothread_stall_detector_new (NULL, THRESHOLD_US);

  g_clear_pointer (&told, cothread_stall_free);
  g_signal_connect (detector, "stalled", G_CALLBACK (note_stalled), g_thread_self ());
  return detector;
}

static void
run_until_told (void)
{
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;

  while (told == NULL && g_get_monotonic_time () < end_us)
    {
      g_main_context_iteration (g_main_context_get_thread_default (), FALSE);
      g_usleep (1000);
    }
  g_assert_nonnull (told);
}

static void
assert_stands_in (const CothreadStall *stall, const char *function)
{
#ifdef HAVE_LIBUNWIND
  for (guint i = 0; stall->backtrace[i] != NULL; i++)
    if (g_str_has_prefix (stall->backtrace[i], function))
      return;
  g_error ("%s is not in the backtrace of %u frames", function, g_strv_length (stall->backtrace));
#else
  (void) stall;
  (void) function;
#endif
}

static void
test_a_task_is_named_while_it_holds_the_loop (void)
{
  g_autoptr (CothreadStallDetector) detector = new_detector ();
  g_autoptr (CothreadTask) task = spawn ("greedy", greedy_task, detector);
  g_autoptr (CothreadStall) last = NULL;
  g_autoptr (CothreadStatistics) statistics = NULL;
  g_autofree char *text = NULL;

  settle ();
  assert_said ("noticed");
  run_until_told ();
  last = cothread_stall_detector_dup_last (detector);
  statistics = cothread_scheduler_get_statistics (cothread_scheduler_get_default ());
  text = take_log ();

  g_assert_cmpstr (last->task_name, ==, "greedy");
  g_assert_cmpuint (last->task_id, ==, cothread_task_get_id (task));
  g_assert_true (last->has_never_suspended);
  g_assert_null (last->callback);
  g_assert_cmpint (last->held_us, >=, THRESHOLD_US);
  assert_stands_in (last, "greedy_task+");
  g_assert_cmpint (told->held_us, >=, last->held_us);
  g_assert_cmpstr (told->task_name, ==, "greedy");
  g_assert_cmpuint (statistics->stalls, >=, 1);
  g_assert_nonnull (strstr (text, "COTHREAD_TASK=greedy\n"));
  g_assert_nonnull (strstr (text, "which has never suspended, has held the main loop for "));
#ifdef HAVE_LIBUNWIND
  g_assert_nonnull (strstr (text, "greedy_task+"));
#endif
}

static void
test_one_that_has_suspended_before_is_not_called_one_that_never_did (void)
{
  g_autoptr (CothreadStallDetector) detector = new_detector ();

  start ("polite", task_that_yielded_before, detector);
  settle ();
  assert_said ("noticed");
  run_until_told ();

  g_assert_cmpstr (told->task_name, ==, "polite");
  g_assert_false (told->has_never_suspended);
  g_free (take_log ());
}

static void
test_a_callback_is_named (void)
{
  g_autoptr (CothreadStallDetector) detector = new_detector ();
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  g_autofree char *text = NULL;

  cothread_callback_queue_post (queue, greedy_callback, detector, NULL, NULL);
  settle ();
  assert_said ("noticed");
  run_until_told ();
  text = take_log ();

  g_assert_nonnull (told->callback);
#ifdef HAVE_LIBUNWIND
  g_assert_true (g_str_has_prefix (told->callback, "greedy_callback"));
#endif
  assert_stands_in (told, "greedy_callback+");
  g_assert_nonnull (strstr (text, "MESSAGE=Callback "));
}

static void
test_a_handler_outside_any_task_is_found_too (void)
{
  g_autoptr (CothreadStallDetector) detector = new_detector ();
  g_autofree char *text = NULL;

  add_source (G_PRIORITY_DEFAULT, greedy_handler, detector);
  settle ();
  assert_said ("noticed");
  run_until_told ();
  text = take_log ();

  g_assert_cmpuint (told->task_id, ==, 0);
  g_assert_null (told->task_name);
  assert_stands_in (told, "greedy_handler+");
  g_assert_nonnull (strstr (text, "MESSAGE=A handler of the main loop, outside any task, has held"));
}

static gpointer
sleep_on (gpointer us, GError **error)
{
  cothread_sleep (GPOINTER_TO_INT (us), error);
  return NULL;
}

static void
test_a_loop_that_sleeps_is_not_held (void)
{
  CothreadStallDetector *detector = cothread_stall_detector_new (NULL, 300 * MS);

  start ("sleeper", sleep_on, GINT_TO_POINTER (2000 * MS));
  run_until_no_task_is_left ();
  /* Ten times the threshold of sleep would be ten stalls; a machine that stops
   * for so long in between may make one. */
  g_assert_cmpuint (cothread_stall_detector_get_n_stalls (detector), <=, 1);
  g_object_unref (detector);
  g_free (take_log ());
}

static gpointer
compute_for_two_seconds_in_steps (G_GNUC_UNUSED gpointer unused, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + 2 * G_USEC_PER_SEC;

  while (g_get_monotonic_time () < end_us)
    cothread_yield (error);
  return NULL;
}

static void
test_a_busy_loop_that_makes_steps_is_not_held (void)
{
  CothreadStallDetector *detector = cothread_stall_detector_new (NULL, 400 * MS);

  start ("a", compute_for_two_seconds_in_steps, NULL);
  start ("b", compute_for_two_seconds_in_steps, NULL);
  run_until_no_task_is_left ();
  g_assert_cmpuint (cothread_stall_detector_get_n_stalls (detector), <=, 1);
  g_object_unref (detector);
  g_free (take_log ());
}

static gpointer
hold_and_stop (gpointer data, G_GNUC_UNUSED GError **error)
{
  CothreadStallDetector **detector = data;

  hold_the_loop (*detector);
  g_clear_object (detector);
  return NULL;
}

static void
test_it_may_be_dropped_while_the_loop_is_held (void)
{
  CothreadStallDetector *detector = cothread_stall_detector_new (NULL, THRESHOLD_US);

  start ("greedy", hold_and_stop, &detector);
  settle ();
  assert_said ("noticed");
  g_assert_null (detector);
  assert_scheduler_works ();
  g_free (take_log ());
}

static gpointer
hold_when_cancelled (gpointer detector, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  say ("%d", (int) cothread_stall_detector_get_n_stalls (detector));
  return NULL;
}

static void
test_a_shutdown_ends_the_watch (void)
{
  CothreadScheduler *scheduler = g_object_ref (cothread_scheduler_get_default ());
  CothreadStallDetector *detector = cothread_stall_detector_new (scheduler, THRESHOLD_US);

  start ("task", hold_when_cancelled, detector);
  settle ();
  cothread_scheduler_shutdown (scheduler);
  assert_said ("0");
  cothread_stall_detector_stop (detector);
  g_object_unref (detector);
  g_object_unref (scheduler);
}

static gpointer
read_slowly (gpointer data, G_GNUC_UNUSED GError **error)
{
  gint *ends = data;
  char byte = 0;

  /* A task that blocks the whole thread: the signal comes in the middle. */
  say (read (ends[0], &byte, 1) == 1 && byte == 'x' ? "read" : "interrupted");
  return NULL;
}

typedef struct
{
  CothreadStallDetector *detector;
  gint fd;
} Rescue;

static gpointer
rescue (gpointer data)
{
  Rescue *self = data;
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;

  while (cothread_stall_detector_get_n_stalls (self->detector) == 0 && g_get_monotonic_time () < end_us)
    g_usleep (1000);
  g_assert_cmpint (write (self->fd, "x", 1), ==, 1);
  return NULL;
}

static void
test_a_system_call_that_blocks_goes_on_afterwards (void)
{
  g_autoptr (CothreadStallDetector) detector = new_detector ();
  gint ends[2];
  Rescue data;
  GThread *thread;

  make_pipe (ends);
  data = (Rescue) { detector, ends[1] };
  thread = g_thread_new ("rescue", rescue, &data);
  start ("blocked", read_slowly, ends);
  settle ();
  g_thread_join (thread);

  assert_said ("read");
  g_assert_cmpuint (cothread_stall_detector_get_n_stalls (detector), ==, 1);
  run_until_told ();
  assert_stands_in (told, "read_slowly+");
  close (ends[0]);
  close (ends[1]);
  g_free (take_log ());
}

static gpointer
use_nearly_all (gpointer detector, G_GNUC_UNUSED GError **error)
{
  /* Of the 12 KiB that the smallest stack has: no room for a signal's frame. */
  volatile char space[6000];

  for (gsize i = 0; i < sizeof space; i++)
    space[i] = 1;
  hold_the_loop (detector);
  g_assert_cmpint (space[0], ==, 1);
  return NULL;
}

static void
test_a_task_with_a_stack_nearly_full_survives_the_look (void)
{
  g_autoptr (CothreadStallDetector) detector = new_detector ();
  CothreadSpawnOptions options = { .name = "tight", .stack_bytes = 12 * 1024 };

#ifdef __SANITIZE_ADDRESS__
  options.stack_bytes = 64 * 1024;
#endif
  cothread_task_unref (cothread_spawn_full (use_nearly_all, detector, &options, NULL));
  settle ();
  assert_said ("noticed");
  run_until_told ();
  g_assert_cmpstr (told->task_name, ==, "tight");
  g_free (take_log ());
}

/* `say` is not for threads: the tests' own thread has its turn afterwards. */
static gpointer
say_nothing_and_hold (gpointer detector, G_GNUC_UNUSED GError **error)
{
  gint64 end_us = g_get_monotonic_time () + PATIENCE_US;

  while (cothread_stall_detector_get_n_stalls (detector) == 0 && g_get_monotonic_time () < end_us)
    ;
  return NULL;
}

static gpointer
quiet_loop (gpointer name)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  CothreadStallDetector *detector;
  CothreadStall *last;

  g_main_context_push_thread_default (context);
  detector = cothread_stall_detector_new (NULL, THRESHOLD_US);
  start (name, say_nothing_and_hold, detector);
  settle ();
  last = cothread_stall_detector_dup_last (detector);
  g_object_unref (detector);
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_main_context_pop_thread_default (context);
  return last;
}

static void
test_several_threads_are_told_apart (void)
{
  GThread *threads[4];
  const char *names[4] = { "one", "two", "three", "four" };

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new (names[i], quiet_loop, (gpointer) names[i]);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (CothreadStall) last = g_thread_join (threads[i]);

      g_assert_nonnull (last);
      g_assert_cmpstr (last->task_name, ==, names[i]);
      assert_stands_in (last, "say_nothing_and_hold+");
    }
  g_free (take_log ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  logged = g_string_new (NULL);
  g_log_set_writer_func (write_log, NULL, NULL);
  behaviour_add ("/stall/named/task", test_a_task_is_named_while_it_holds_the_loop);
  behaviour_add ("/stall/named/task-that-has-suspended", test_one_that_has_suspended_before_is_not_called_one_that_never_did);
  behaviour_add ("/stall/named/callback", test_a_callback_is_named);
  behaviour_add ("/stall/named/handler", test_a_handler_outside_any_task_is_found_too);
  behaviour_add ("/stall/none/sleeping-loop", test_a_loop_that_sleeps_is_not_held);
  behaviour_add ("/stall/none/busy-loop-with-steps", test_a_busy_loop_that_makes_steps_is_not_held);
  behaviour_add ("/stall/dropped-while-held", test_it_may_be_dropped_while_the_loop_is_held);
  behaviour_add ("/stall/shutdown", test_a_shutdown_ends_the_watch);
  behaviour_add ("/stall/unharmed/system-call", test_a_system_call_that_blocks_goes_on_afterwards);
  behaviour_add ("/stall/unharmed/full-stack", test_a_task_with_a_stack_nearly_full_survives_the_look);
  behaviour_add ("/stall/several-threads", test_several_threads_are_told_apart);
  return g_test_run ();
}
