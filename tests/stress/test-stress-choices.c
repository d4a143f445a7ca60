/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choices.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/ct-scheduler.h"
#include "loop/cothread-scheduler-private.h"

/* Programs drawn from seeds. Each must keep what the library promises: nobody
 * is in a lock beside its holder, no scope is left before its tasks, whatever is
 * handed over is freed once, the scheduler's own accounts agree at every
 * iteration, whatever is parked at the end unwinds, and one seed gives one
 * program. COTHREAD_SEED=n replays one. */

#define N_SEEDS 150
#define N_STEPS 600

static void
make_objects (void)
{
  for (guint i = 0; i < CHOICE_EVENTS; i++)
    choices.events[i] = cothread_event_new (i % 2 == 0);
  choices.pulse = cothread_pulse_new ();
  choices.queues[0] = g_object_ref (cothread_scheduler_get_callback_queue (choices.scheduler));
  choices.queues[1] = cothread_callback_queue_new (choices.scheduler, "second");
  for (guint i = 0; i < CHOICE_QUEUES; i++)
    {
      choices.items[i] = cothread_event_queue_new (choice_pick (6), choice_value_free);
      cothread_callback_queue_set_block_timeout (choices.queues[i], 1000);
    }
  for (guint i = 0; i < CHOICE_LOCKS; i++)
    choices.locks[i] = cothread_lock_new ();
  for (guint i = 0; i < CHOICE_SEMAPHORES; i++)
    choices.semaphores[i] = cothread_semaphore_new (i + 1, i + 1);
  for (guint i = 0; i < CHOICE_TIMERS; i++)
    choices.timers[i] = cothread_timer_new_plain (COTHREAD_FOREVER, COTHREAD_TIMER_REUSE);
  for (guint i = 0; i < CHOICE_FDS; i++)
    cothread_test_scheduler_set_ready (choices.tester, 1000 + (gint) i, 0);
  choices.tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) cothread_task_unref);
  choices.cancellable = g_cancellable_new ();
  choices.emitter = G_OBJECT (g_filename_completer_new ());
}

static void
drop_objects (void)
{
  g_ptr_array_unref (choices.tasks);
  for (guint i = 0; i < CHOICE_EVENTS; i++)
    g_object_unref (choices.events[i]);
  g_object_unref (choices.pulse);
  for (guint i = 0; i < CHOICE_QUEUES; i++)
    {
      g_object_unref (choices.items[i]);
      g_object_unref (choices.queues[i]);
    }
  for (guint i = 0; i < CHOICE_LOCKS; i++)
    g_object_unref (choices.locks[i]);
  for (guint i = 0; i < CHOICE_SEMAPHORES; i++)
    g_object_unref (choices.semaphores[i]);
  for (guint i = 0; i < CHOICE_TIMERS; i++)
    g_object_unref (choices.timers[i]);
  g_object_unref (choices.cancellable);
  g_object_unref (choices.emitter);
}

/* What main() does meanwhile: iterates, waits like a task, or runs to an end. */
static void
drive (void)
{
  g_autoptr (GError) error = NULL;

  while (choices.n_steps > 0)
    {
      switch (choice_pick (4))
        {
        case 0:
          choice_step (0);
          break;
        case 1:
          cothread_sleep (choice_pick (1000), NULL);
          break;
        default:
          g_main_context_iteration (choices.context, FALSE);
          choices.n_steps -= choices.n_steps > 0;
        }
      ct_scheduler_check (choices.scheduler->core);
    }
  if (choice_pick (2) == 0)
    cothread_test_scheduler_run (choices.tester, NULL);
}

static guint64
run_program (guint64 seed)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  gpointer scheduler;

  alarm (60);
  g_main_context_push_thread_default (context);
  choices = (Choices) { .seed = seed, .state = (guint32) seed * 2654435761u + 1, .context = context, .n_steps = N_STEPS };
  choices.tester = cothread_test_scheduler_new (seed, &error);
  g_assert_no_error (error);
  choices.scheduler = cothread_test_scheduler_get_scheduler (choices.tester);
  scheduler = choices.scheduler;
  g_object_add_weak_pointer (scheduler, &scheduler);
  make_objects ();
  for (guint n = 2 + choice_pick (10); n > 0; n--)
    cothread_task_unref (choice_spawn (NULL));

  drive ();
  choices.is_over = TRUE;
  if (choice_pick (2) == 0)
    drop_objects ();
  else
    {
      cothread_scheduler_shutdown (choices.scheduler);
      drop_objects ();
    }
  g_object_unref (choices.tester);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  g_assert_null (scheduler);
  g_assert_cmpuint (choices.n_live, ==, 0);
  g_assert_cmpuint (choices.n_async, ==, 0);
  g_assert_cmpint (choices.n_values, ==, 0);
  return choices.trace;
}

static void
run_seed (guint64 seed)
{
  guint64 first;

  g_test_message ("seed %" G_GUINT64_FORMAT, seed);
  first = run_program (seed);
  g_assert_cmphex (run_program (seed), ==, first);
}

static void
test_programs_drawn_from_seeds (void)
{
  const char *one = g_getenv ("COTHREAD_SEED");
  const char *many = g_getenv ("COTHREAD_SEEDS");
  guint64 n = many != NULL ? g_ascii_strtoull (many, NULL, 10) : N_SEEDS;

  if (one != NULL)
    run_seed (g_ascii_strtoull (one, NULL, 10));
  else
    for (guint64 seed = 0; seed < n; seed++)
      run_seed (seed);
}

/* Tasks that fail and that nobody joins are warned of: here they are meant. */
static void
die_of_what_is_wrong (const char *domain, GLogLevelFlags level, const char *message, G_GNUC_UNUSED gpointer data)
{
  if ((level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)) == 0)
    return;
  g_printerr ("%s: %s (seed %" G_GUINT64_FORMAT ")\n", domain, message, choices.seed);
  abort ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_default_handler (die_of_what_is_wrong, NULL);
  g_test_add_func ("/stress/choices/programs-drawn-from-seeds", test_programs_drawn_from_seeds);
  return g_test_run ();
}
