/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fork-child.h"

#include <signal.h>
#include <unistd.h>

/* A child and what the other layers keep: threads that it does not have,
 * descriptors that it shares. */

static gpointer
sleep_a_little (G_GNUC_UNUSED gpointer unused, GError **error)
{
  return GINT_TO_POINTER (cothread_sleep (MS, error));
}

static gboolean
runs_a_task (void)
{
  g_autoptr (CothreadTask) task = spawn ("child", sleep_a_little, NULL);

  return cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL);
}

/* ---- callbacks ---- */

static pid_t child;

static void
fork_now (G_GNUC_UNUSED gpointer unused)
{
  child = fork_with_alarm ();
  if (child != 0)
    say ("forked");
}

static void
say_word (gpointer word)
{
  say ("%s", (const char *) word);
}

static void
test_the_child_of_a_callback_runs_no_other_one (void)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());

  if (fork_is_unknown_on_stacks ())
    return;
  child = -1;
  cothread_callback_queue_post (queue, fork_now, NULL, NULL, NULL);
  cothread_callback_queue_post (queue, say_word, (gpointer) "next", NULL, NULL);
  settle ();
  if (child == 0)
    _exit (said_nothing () && runs_a_task () ? 0 : 1);

  assert_said ("forked next");
  assert_passed (child);
}

static gboolean
posts_to_a_queue_of_its_own (void)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  gboolean is_posted = cothread_callback_queue_post (queue, say_word, (gpointer) "child", NULL, NULL);

  settle ();
  return is_posted && said ("child");
}

static void
test_it_has_a_callback_queue_of_its_own (void)
{
  cothread_callback_queue_post (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()),
                                say_word, (gpointer) "parent", NULL, NULL);
  assert_in_child (posts_to_a_queue_of_its_own);
  settle ();
  assert_said ("parent");
}

/* ---- threads ---- */

static gpointer
return_data (gpointer data, G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED GError **error)
{
  return data;
}

static gint n_inside; /* atomic */

/* A sanitizer has locks for the beginning of a thread, which a child that was
 * forked meanwhile would find taken. */
static void
wait_until_inside (gint n)
{
  while (g_atomic_int_get (&n_inside) < n)
    g_usleep (200);
}

static gpointer
work_for_a_while (gpointer data, G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED GError **error)
{
  g_atomic_int_inc (&n_inside);
  g_usleep (100 * 1000);
  return data;
}

static gboolean
works_in_a_thread_of_its_own (void)
{
  gpointer result = NULL;

  return cothread_run_in_thread (return_data, &child, COTHREAD_FOREVER, &result, NULL) && result == &child;
}

static gpointer
wait_for_work (G_GNUC_UNUSED gpointer unused, GError **error)
{
  if (cothread_run_in_thread (work_for_a_while, NULL, COTHREAD_FOREVER, NULL, error))
    say ("worked");
  return NULL;
}

static void
test_it_has_threads_of_its_own (void)
{
#ifdef __SANITIZE_THREAD__
  g_test_skip ("ThreadSanitizer starts no thread in the child of a program that has some");
  return;
#endif
  g_atomic_int_set (&n_inside, 0);
  start ("worker", wait_for_work, NULL);
  settle ();
  wait_until_inside (1);
  assert_in_child (works_in_a_thread_of_its_own);
  run_until_no_task_is_left ();
  assert_said ("worked");
}

static gint must_end; /* atomic */

/* Nothing that takes one of GLib's locks, which a child may well find taken. */
static gpointer
take_locks (gpointer queue)
{
  g_assert_null (cothread_scheduler_peek_default ());
  g_atomic_int_inc (&n_inside);
  while (!g_atomic_int_get (&must_end))
    {
      g_assert_null (cothread_scheduler_peek_default ());
      cothread_callback_queue_get_length (queue);
    }
  return NULL;
}

static void
test_it_finds_no_lock_taken_by_a_thread_that_it_has_not (void)
{
  CothreadCallbackQueue *queue = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());
  GThread *threads[3];

  g_atomic_int_set (&must_end, FALSE);
  g_atomic_int_set (&n_inside, 0);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("taker", take_locks, queue);
  wait_until_inside (G_N_ELEMENTS (threads));
  for (guint i = 0; i < 20; i++)
    {
      assert_in_child (runs_a_task);
      settle ();
    }
  g_atomic_int_set (&must_end, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  settle ();
}

/* ---- watchers ---- */

static CothreadStallDetector *detector;

static gboolean
drops_the_detector (void)
{
  gboolean runs = runs_a_task ();

  g_object_unref (detector);
  return runs;
}

static gboolean
stops_the_detector_first (void)
{
  cothread_stall_detector_stop (detector);
  g_object_unref (detector);
  return runs_a_task ();
}

static void
test_it_can_drop_a_stall_detector_whose_thread_it_has_not (void)
{
  detector = cothread_stall_detector_new (cothread_scheduler_get_default (), 1000 * G_USEC_PER_SEC);
  assert_in_child (drops_the_detector);
  assert_in_child (stops_the_detector_first);
  g_clear_object (&detector);
}

static gboolean
takes_the_signal_itself (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();

  if (!cothread_scheduler_dump_on_signal (scheduler, SIGUSR1, NULL))
    return FALSE;
  cothread_scheduler_ignore_signal (scheduler, SIGUSR1);
  return runs_a_task ();
}

static gboolean
gets_the_signal (void)
{
  raise (SIGUSR1);
  settle ();
  return runs_a_task ();
}

static void
dump_in_child (void)
{
  g_assert_true (cothread_scheduler_dump_on_signal (cothread_scheduler_get_default (), SIGUSR1, NULL));
  assert_in_child (gets_the_signal);
  settle ();
  assert_in_child (takes_the_signal_itself);
  cothread_scheduler_ignore_signal (cothread_scheduler_get_default (), SIGUSR1);
}

static void
test_a_signal_to_it_does_not_have_the_parent_dump_its_tasks (void)
{
  if (g_test_subprocess ())
    {
      dump_in_child ();
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr_unmatched ("*cheduler*");
}

static CothreadTrace *trace;

static gboolean
drops_the_trace (void)
{
  gboolean runs = runs_a_task ();

  g_object_unref (trace);
  return runs;
}

static void
test_it_can_drop_a_trace (void)
{
  trace = cothread_trace_new (cothread_scheduler_get_default (), 0, NULL);
  cothread_scheduler_set_task_timing (cothread_scheduler_get_default (), COTHREAD_TASK_TIMING_EXACT);
  assert_in_child (drops_the_trace);
  assert_in_child (runs_a_task);
  g_clear_object (&trace);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/fork/layers/the-child-of-a-callback-runs-no-other-one", test_the_child_of_a_callback_runs_no_other_one);
  behaviour_add ("/fork/layers/it-has-a-callback-queue-of-its-own", test_it_has_a_callback_queue_of_its_own);
  behaviour_add ("/fork/layers/it-has-threads-of-its-own", test_it_has_threads_of_its_own);
  behaviour_add ("/fork/layers/it-finds-no-lock-taken-by-a-thread-that-it-has-not", test_it_finds_no_lock_taken_by_a_thread_that_it_has_not);
  behaviour_add ("/fork/layers/it-can-drop-a-stall-detector-whose-thread-it-has-not", test_it_can_drop_a_stall_detector_whose_thread_it_has_not);
  behaviour_add ("/fork/layers/a-signal-to-it-does-not-have-the-parent-dump-its-tasks", test_a_signal_to_it_does_not_have_the_parent_dump_its_tasks);
  behaviour_add ("/fork/layers/it-can-drop-a-trace", test_it_can_drop_a_trace);
  return g_test_run ();
}
