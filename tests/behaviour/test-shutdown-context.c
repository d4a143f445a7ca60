/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* A scheduler ends by itself with its context, or, unattached, with its last
 * reference; and leaves nothing open. */

static gpointer
unwind_and_say (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (cothread_sleep (COTHREAD_FOREVER, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  say ("%s", own_name ());
  return NULL;
}

static void
park_two_tasks_on_default_scheduler (void)
{
  start ("a", unwind_and_say, NULL);
  start ("b", unwind_and_say, NULL);
  settle ();
}

static gpointer
live_and_die_with_a_context (G_GNUC_UNUSED gpointer unused)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  park_two_tasks_on_default_scheduler ();
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  return NULL;
}

static void
test_tasks_parked_on_a_context_that_dies_are_unwound_once (void)
{
  live_and_die_with_a_context (NULL);

  assert_said ("a b");
}

static void
test_a_thread_with_a_context_of_its_own_ends_cleanly (void)
{
  g_thread_join (g_thread_new ("own", live_and_die_with_a_context, NULL));

  assert_said ("a b");
}

static void
test_the_scheduler_is_gone_with_its_context (void)
{
  GMainContext *context = g_main_context_new ();
  CothreadScheduler *scheduler;

  g_main_context_push_thread_default (context);
  scheduler = cothread_scheduler_get_default ();
  g_object_add_weak_pointer (G_OBJECT (scheduler), (gpointer *) &scheduler);
  g_assert_nonnull (cothread_scheduler_get_callback_queue (scheduler));
  settle ();
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  g_assert_null (scheduler);
}

static void
test_a_scheduler_that_outlives_its_context_is_shut_down (void)
{
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);
  CothreadSpawnOptions options = { .scheduler = scheduler };
  GMainContext *context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (cothread_scheduler_attach (scheduler, context));
  g_main_context_unref (context);

  g_assert_null (cothread_spawn_full (unwind_and_say, NULL, &options, &error));
  g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
}

static gboolean
read_and_stop (G_GNUC_UNUSED gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer is_over)
{
  *(gboolean *) is_over = TRUE;
  return G_SOURCE_REMOVE;
}

/* GLib then checks no source of lower priority in the last iteration. */
static void
test_a_context_whose_last_event_was_urgent_dies_cleanly (void)
{
  GMainContext *context = g_main_context_new ();
  gboolean is_over = FALSE;
  GSource *source;
  gint ends[2];

  make_pipe (ends);
  g_main_context_push_thread_default (context);
  park_two_tasks_on_default_scheduler ();
  source = g_unix_fd_source_new (ends[0], G_IO_IN);
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, (GSourceFunc) (void (*) (void)) read_and_stop, &is_over, NULL);
  g_source_attach (source, context);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  while (!is_over)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  assert_said ("a b");
  g_source_unref (source);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static CothreadTask *
spawn_on (CothreadScheduler *scheduler, const char *name)
{
  CothreadSpawnOptions options = { .scheduler = scheduler, .name = name };

  return cothread_spawn_full (unwind_and_say, NULL, &options, NULL);
}

static void
test_tasks_of_an_unattached_scheduler_are_unwound_with_its_last_reference (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_new (NULL);
  g_autoptr (CothreadTask) a = spawn_on (scheduler, "a");
  g_autoptr (CothreadTask) b = spawn_on (scheduler, "b");

  g_assert_true (cothread_scheduler_poll (scheduler, NULL, 0, NULL, NULL, NULL));
  g_object_unref (scheduler);

  assert_said ("a b");
  g_assert_true (cothread_task_is_finished (a));
  g_assert_true (cothread_task_is_finished (b));
}

static void
test_an_open_callback_queue_holds_its_scheduler (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_new (NULL);
  g_autoptr (CothreadTask) a = spawn_on (scheduler, "a");

  g_object_add_weak_pointer (G_OBJECT (scheduler), (gpointer *) &scheduler);
  g_assert_nonnull (cothread_scheduler_get_callback_queue (scheduler));
  g_assert_true (cothread_scheduler_poll (scheduler, NULL, 0, NULL, NULL, NULL));
  g_object_unref (scheduler);
  g_assert_nonnull (scheduler);
  cothread_scheduler_shutdown (scheduler);

  assert_said ("a");
  g_assert_null (scheduler);
}

static gpointer
drop_scheduler_and_wait (gpointer scheduler, GError **error)
{
  g_object_unref (scheduler);
  say ("dropped");
  return unwind_and_say (NULL, error);
}

static void
test_its_own_task_may_drop_the_last_reference (void)
{
  CothreadScheduler *scheduler = cothread_scheduler_new (NULL);
  CothreadSpawnOptions options = { .scheduler = scheduler, .name = "a" };
  g_autoptr (CothreadTask) task = cothread_spawn_full (drop_scheduler_and_wait, scheduler, &options, NULL);

  g_assert_true (cothread_scheduler_poll (scheduler, NULL, 0, NULL, NULL, NULL));

  assert_said ("dropped a");
  g_assert_true (cothread_task_is_finished (task));
}

static gpointer
wait_for_descriptor (gpointer fd, GError **error)
{
  cothread_wait_fd (GPOINTER_TO_INT (fd), G_IO_IN, COTHREAD_FOREVER, error);
  return NULL;
}

static void
live_a_full_life (gint fd)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  start ("reader", wait_for_descriptor, GINT_TO_POINTER (fd));
  start ("sleeper", unwind_and_say, NULL);
  g_assert_nonnull (cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ()));
  g_assert_true (cothread_sleep (5 * MS, NULL));
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  assert_said ("sleeper");
}

static void
test_no_descriptor_stays_open (void)
{
  gint ends[2];
  guint before;

  make_pipe (ends);
  before = count_open_descriptors ();
  for (guint i = 0; i < 20; i++)
    live_a_full_life (ends[0]);
  g_assert_cmpuint (count_open_descriptors (), ==, before);
  for (guint i = 0; i < 20; i++)
    g_object_unref (cothread_scheduler_new (NULL));
  g_assert_cmpuint (count_open_descriptors (), ==, before);
  g_close (ends[0], NULL);
  g_close (ends[1], NULL);
}

static void
exhaust_descriptors (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) schedulers = g_ptr_array_new_with_free_func (g_object_unref);
  CothreadScheduler *scheduler;

  while ((scheduler = cothread_scheduler_new (&error)) != NULL)
    g_ptr_array_add (schedulers, scheduler);
  g_assert_nonnull (error);
  g_assert_true (error->domain == G_IO_ERROR);
}

static void
test_running_out_of_descriptors_is_an_error_and_leaves_nothing_open (void)
{
  struct rlimit few = { 100, 100 };
  guint before = count_open_descriptors ();

  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &few), ==, 0);
  exhaust_descriptors ();
  g_assert_cmpuint (count_open_descriptors (), ==, before);
  assert_scheduler_works ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  behaviour_add ("/shutdown/context/tasks-parked-on-one-that-dies-are-unwound-once", test_tasks_parked_on_a_context_that_dies_are_unwound_once);
  behaviour_add ("/shutdown/context/a-thread-with-one-of-its-own-ends-cleanly", test_a_thread_with_a_context_of_its_own_ends_cleanly);
  behaviour_add ("/shutdown/context/the-scheduler-is-gone-with-it", test_the_scheduler_is_gone_with_its_context);
  behaviour_add ("/shutdown/context/a-scheduler-that-outlives-it-is-shut-down", test_a_scheduler_that_outlives_its_context_is_shut_down);
  behaviour_add_isolated ("/shutdown/context/one-whose-last-event-was-urgent-dies-cleanly", test_a_context_whose_last_event_was_urgent_dies_cleanly);
  behaviour_add ("/shutdown/unattached/tasks-are-unwound-with-the-last-reference",
                 test_tasks_of_an_unattached_scheduler_are_unwound_with_its_last_reference);
  behaviour_add ("/shutdown/unattached/an-open-callback-queue-holds-it-until-it-is-shut-down", test_an_open_callback_queue_holds_its_scheduler);
  behaviour_add_isolated ("/shutdown/unattached/its-own-task-may-drop-the-last-reference", test_its_own_task_may_drop_the_last_reference);
  behaviour_add ("/shutdown/no-descriptor-stays-open", test_no_descriptor_stays_open);
  behaviour_add_isolated ("/shutdown/running-out-of-descriptors-is-an-error-and-leaves-nothing-open",
                          test_running_out_of_descriptors_is_an_error_and_leaves_nothing_open);
  return g_test_run ();
}
