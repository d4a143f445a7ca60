/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sync-test.h"

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **unused)
{
  g_autoptr (GError) error = NULL;
  gboolean success = cothread_sleep (COTHREAD_FOREVER, &error);

  say_outcome (success, &error);
  return NULL;
}

static void
note_cancelled (G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED gpointer data)
{
  say ("signal");
}

static void
it_is_cancelled_with_the_task (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", sleep_for_ever, NULL);
  GCancellable *cancellable = cothread_task_get_cancellable (task);

  g_assert_true (cothread_task_get_cancellable (task) == cancellable);
  g_signal_connect (cancellable, "cancelled", G_CALLBACK (note_cancelled), NULL);
  settle ();
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  cothread_task_cancel (task);
  cothread_task_cancel (task);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  settle ();
  assert_said ("signal a-cancelled");
}

static void
cancelling_it_cancels_the_task (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", sleep_for_ever, NULL);

  settle ();
  g_cancellable_cancel (cothread_task_get_cancellable (task));
  g_assert_true (cothread_task_is_cancelled (task));
  settle ();
  assert_said ("a-cancelled");
}

static void
made_too_late_it_is_cancelled_already (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", sleep_for_ever, NULL);

  settle ();
  cothread_task_cancel (task);
  g_assert_true (g_cancellable_is_cancelled (cothread_task_get_cancellable (task)));
  settle ();
  assert_said ("a-cancelled");
}

static gpointer
do_nothing (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static void
after_the_end_it_stays_as_it_was (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", sleep_for_ever, NULL);
  g_autoptr (CothreadTask) idle = spawn ("b", do_nothing, NULL);
  g_autoptr (GCancellable) kept = g_object_ref (cothread_task_get_cancellable (idle));

  settle ();
  cothread_task_cancel (task);
  settle ();
  assert_said ("a-cancelled");
  cothread_task_cancel (idle);
  g_assert_false (g_cancellable_is_cancelled (kept));
  g_cancellable_cancel (kept);
  g_assert_false (cothread_task_is_cancelled (idle));
  g_clear_pointer (&idle, cothread_task_unref);
  g_cancellable_cancel (kept);
}

/* The stack a handler runs on: a local variable's address tells. */
typedef struct
{
  CothreadTask *victim;
  char *thread_stack;
  gboolean was_on_thread_stack;
  gboolean wait_was_refused;
} Stacks;

static void
look_at_stack (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  Stacks *stacks = data;
  g_autoptr (GError) error = NULL;
  char *here = __builtin_frame_address (0);

  stacks->was_on_thread_stack = ABS (here - stacks->thread_stack) < 1024 * 1024;
  cothread_sleep (0, &error);
  stacks->wait_was_refused = g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_WRONG_CONTEXT);
}

static gpointer
cancel_victim (gpointer data, G_GNUC_UNUSED GError **error)
{
  Stacks *stacks = data;

  g_assert_true (ABS ((char *) __builtin_frame_address (0) - stacks->thread_stack) > 1024 * 1024);
  cothread_task_cancel (stacks->victim);
  say ("cancelled");
  return NULL;
}

static void
its_signal_comes_on_the_threads_own_stack (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", sleep_for_ever, NULL);
  Stacks stacks = { .victim = task, .thread_stack = __builtin_frame_address (0) };

  g_signal_connect (cothread_task_get_cancellable (task), "cancelled", G_CALLBACK (look_at_stack), &stacks);
  settle ();
  start ("b", cancel_victim, &stacks);
  settle ();
  g_assert_true (stacks.was_on_thread_stack);
  g_assert_true (stacks.wait_was_refused);
  assert_said ("cancelled a-cancelled");
}

static gpointer
shielded (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  GCancellable *cancellable = cothread_task_get_cancellable (cothread_task_self ());

  cothread_shield_begin ();
  cothread_task_cancel (cothread_task_self ());
  g_assert_true (cothread_sleep (0, NULL));
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  cothread_shield_end ();
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_false (cothread_sleep (0, NULL));
  say ("done");
  return NULL;
}

static void
in_a_shielded_section_it_waits_as_well (void)
{
  start ("a", shielded, NULL);
  settle ();
  assert_said ("done");
}

static gpointer
cancel_in_thread (gpointer cancellable)
{
  wait_until_main_thread_sleeps ();
  g_cancellable_cancel (cancellable);
  g_object_unref (cancellable);
  return NULL;
}

static void
another_thread_may_cancel_it (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", sleep_for_ever, NULL);
  GThread *thread = g_thread_new ("canceller", cancel_in_thread, g_object_ref (cothread_task_get_cancellable (task)));

  cothread_test_scheduler_hold (test_scheduler ());
  run_until_no_task_is_left ();
  cothread_test_scheduler_release (test_scheduler ());
  g_thread_join (thread);
  g_assert_true (cothread_task_is_cancelled (task));
  assert_said ("a-cancelled");
}

static gpointer
sleep_a_little (gpointer is_for_ever, G_GNUC_UNUSED GError **error)
{
  cothread_sleep (is_for_ever != NULL ? COTHREAD_FOREVER : g_random_int_range (1, 200), NULL);
  return NULL;
}

/* The thread's emission, the task's end and the scheduler's shutdown in every
 * order that happens. */
static void
another_thread_may_cancel_it_while_the_task_ends (void)
{
  GThread *threads[100];
  CothreadTask *tasks[100];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      GCancellable *cancellable;

      tasks[i] = spawn ("a", sleep_a_little, i % 4 == 0 ? tasks : NULL);
      cancellable = g_object_ref (cothread_task_get_cancellable (tasks[i]));
      threads[i] = g_thread_new ("canceller", cancel_in_thread, cancellable);
      if (i % 10 == 0)
        settle ();
    }
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_thread_join (threads[i]);
      g_assert_true (cothread_task_is_finished (tasks[i]));
      if (i % 4 == 0)
        g_assert_true (cothread_task_is_cancelled (tasks[i]));
      cothread_task_unref (tasks[i]);
    }
}

static void
shutdown_cancels_it (void)
{
  g_autoptr (CothreadTask) task = spawn ("a", sleep_for_ever, NULL);
  GCancellable *cancellable = cothread_task_get_cancellable (task);

  g_signal_connect (cancellable, "cancelled", G_CALLBACK (note_cancelled), NULL);
  settle ();
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  assert_said ("signal a-cancelled");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sync_test_add ("/cancellable/cancelled-with-the-task", it_is_cancelled_with_the_task);
  sync_test_add ("/cancellable/cancels-the-task", cancelling_it_cancels_the_task);
  sync_test_add ("/cancellable/made-too-late", made_too_late_it_is_cancelled_already);
  sync_test_add ("/cancellable/after-the-end", after_the_end_it_stays_as_it_was);
  sync_test_add ("/cancellable/signal-on-thread-stack", its_signal_comes_on_the_threads_own_stack);
  sync_test_add ("/cancellable/shielded", in_a_shielded_section_it_waits_as_well);
  sync_test_add ("/cancellable/another-thread", another_thread_may_cancel_it);
  sync_test_add ("/cancellable/another-thread-while-the-task-ends", another_thread_may_cancel_it_while_the_task_ends);
  sync_test_add ("/cancellable/shutdown", shutdown_cancels_it);
  return g_test_run ();
}
