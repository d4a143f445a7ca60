/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* A scheduler can only be shut down from outside: anywhere inside its tasks,
 * its turns and its waits that is a critical and changes nothing. */

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

static void
try_to_shut_down (G_GNUC_UNUSED gpointer unused)
{
  CothreadScheduler *scheduler = cothread_scheduler_get_default ();

  expect_critical ("*");
  cothread_scheduler_shutdown (scheduler);
  g_test_assert_expected_messages ();
  g_assert_true (cothread_scheduler_get_default () == scheduler);
  say ("refused");
}

static void
try_at (void (*place) (void))
{
  g_autoptr (CothreadTask) bystander = spawn ("bystander", sleep_for_ever, NULL);

  settle ();
  place ();
  assert_said ("refused");
  g_assert_cmpint (cothread_task_get_state (bystander), ==, COTHREAD_TASK_WAITING);
  g_assert_false (cothread_task_is_cancelled (bystander));
  assert_scheduler_works ();
}

static gpointer
try_in_task (G_GNUC_UNUSED gpointer unused, GError **error)
{
  try_to_shut_down (NULL);
  g_assert_true (cothread_sleep (0, error));
  return NULL;
}

static void
in_a_task (void)
{
  start ("task", try_in_task, NULL);
  settle ();
}

static void
in_a_callback (void)
{
  CothreadCallbackQueue *callbacks = cothread_scheduler_get_callback_queue (cothread_scheduler_get_default ());

  cothread_callback_queue_post (callbacks, try_to_shut_down, NULL, NULL, NULL);
  settle ();
}

static void
try_in_timer (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer unused)
{
  try_to_shut_down (NULL);
}

static void
in_a_timer (void)
{
  g_object_unref (cothread_timer_new (0, COTHREAD_TIMER_DEFAULT, try_in_timer, NULL, NULL));
  settle ();
}

static gpointer
try_on_thread_stack (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  cothread_call_on_thread_stack (try_to_shut_down, NULL);
  return NULL;
}

static void
in_a_call_on_the_threads_own_stack (void)
{
  start ("task", try_on_thread_stack, NULL);
  settle ();
}

static gboolean
try_in_handler (gpointer unused)
{
  try_to_shut_down (unused);
  return G_SOURCE_REMOVE;
}

static gpointer
iterate_in_task (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  add_source (G_PRIORITY_DEFAULT, try_in_handler, NULL);
  g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  return NULL;
}

static void
in_a_handler_of_a_loop_that_a_task_runs (void)
{
  start ("modal", iterate_in_task, NULL);
  settle ();
}

/* Main's wait stands on the scheduler that would be freed under it. */
static void
in_a_handler_while_main_waits (void)
{
  add_source (G_PRIORITY_DEFAULT, try_in_handler, NULL);
  g_assert_true (cothread_sleep (50 * MS, NULL));
}

static gpointer
return_data (gpointer data, G_GNUC_UNUSED GError **error)
{
  return data;
}

static void
in_the_destroy_notify_of_a_result (void)
{
  static int result;
  CothreadSpawnOptions options = { .result_destroy = try_to_shut_down };

  cothread_task_unref (cothread_spawn_full (return_data, &result, &options, NULL));
  settle ();
}

static const struct
{
  const char *path;
  void (*place) (void);
} places[] = {
  { "/shutdown/refused/in-a-task", in_a_task },
  { "/shutdown/refused/in-a-callback", in_a_callback },
  { "/shutdown/refused/in-a-timer", in_a_timer },
  { "/shutdown/refused/in-a-call-on-the-threads-own-stack", in_a_call_on_the_threads_own_stack },
  { "/shutdown/refused/in-a-handler-of-a-loop-that-a-task-runs", in_a_handler_of_a_loop_that_a_task_runs },
  { "/shutdown/refused/in-a-handler-while-main-waits", in_a_handler_while_main_waits },
  { "/shutdown/refused/in-the-destroy-notify-of-a-result", in_the_destroy_notify_of_a_result },
};

static void
test_place (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (g_str_equal (places[i].path, g_test_get_path ()))
      try_at (places[i].place);
}

static gpointer
unwind_and_say (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  say ("unwound");
  return NULL;
}

static gboolean
shut_down_in_handler (G_GNUC_UNUSED gpointer unused)
{
  cothread_scheduler_shutdown (cothread_scheduler_get_default ());
  say ("shut-down");
  return G_SOURCE_REMOVE;
}

static void
test_a_handler_of_the_main_loop_may_shut_it_down (void)
{
  start ("task", unwind_and_say, NULL);
  settle ();
  add_source (G_PRIORITY_DEFAULT, shut_down_in_handler, NULL);
  settle ();

  assert_said ("unwound shut-down");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    behaviour_add_isolated (places[i].path, test_place);
  behaviour_add ("/shutdown/refused/not-in-a-handler-of-the-main-loop", test_a_handler_of_the_main_loop_may_shut_it_down);
  return g_test_run ();
}
