/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mixture.h"

/* Everything at once, at random: tasks that wait for each other, callbacks of
 * every kind from threads, tasks and callbacks, nested main loops, rules that
 * change meanwhile. The seed is printed; --seed repeats the choices (but not the
 * threads' timing). What must hold: nothing hangs, everything that was handed
 * over is freed once, and the counters add up. */

#define N_STEPS 200000
#define N_ACTORS 24
#define N_THREADS 4

static gpointer
post_from_thread (gpointer data)
{
  g_autoptr (GRand) random = data;

  while (g_atomic_int_get (&mixture.is_over) == 0)
    {
      for (gint n = g_rand_int_range (random, 1, 50); n > 0; n--)
        mixture_post_entry (mixture.queues[g_rand_int_range (random, 0, MIXTURE_QUEUES)], g_rand_int_range (random, 0, 4));
      g_usleep ((gulong) g_rand_int_range (random, 0, 500));
    }
  return NULL;
}

static gpointer
be_actor (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  while (g_atomic_int_get (&mixture.is_over) == 0)
    {
      mixture_step (TRUE);
      cothread_sleep (mixture_pick (200), NULL);
    }
  return NULL;
}

/* Posts nothing, so that it never waits in a queue that it is to resume. */
static gpointer
be_keeper (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GError **error)
{
  while (cothread_sleep (2000, NULL))
    for (guint i = 0; i < MIXTURE_QUEUES; i++)
      cothread_callback_queue_resume (mixture.queues[i]);
  return NULL;
}

static void
assert_sums (void)
{
  g_autoptr (CothreadStatistics) tasks = cothread_scheduler_get_statistics (mixture.base.scheduler);

  g_assert_cmpuint (tasks->tasks, ==, tasks->ready + tasks->waiting + tasks->running);
  g_assert_cmpuint (tasks->tasks, ==, tasks->spawned - tasks->finished);
  for (guint i = 0; i < MIXTURE_QUEUES; i++)
    {
      g_autoptr (CothreadCallbackStatistics) queue = cothread_callback_queue_get_statistics (mixture.queues[i]);

      g_assert_cmpuint (queue->posted, ==, queue->run + queue->dropped_oldest + queue->dropped_closed + queue->length);
    }
}

static void
set_up (void)
{
  mixture = (Mixture) { .random = stress_rand_new () };
  stress_begin (&mixture.base);
  mixture.queues[0] = g_object_ref (mixture.base.queue);
  mixture.queues[1] = cothread_callback_queue_new (mixture.base.scheduler, "second");
  for (guint i = 0; i < MIXTURE_QUEUES; i++)
    cothread_callback_queue_set_block_timeout (mixture.queues[i], 2000);
  for (guint i = 0; i < MIXTURE_EVENTS; i++)
    mixture.events[i] = cothread_event_new (i % 2 == 0);
  mixture.pulse = cothread_pulse_new ();
  mixture.items = cothread_event_queue_new (20, mixture_free_item);
  cothread_task_unref (cothread_spawn (be_keeper, NULL));
  for (guint i = 0; i < N_ACTORS; i++)
    cothread_task_unref (cothread_spawn (be_actor, NULL));
}

static void
tear_down (void)
{
  for (guint i = 0; i < MIXTURE_EVENTS; i++)
    g_object_unref (mixture.events[i]);
  g_object_unref (mixture.pulse);
  g_object_unref (mixture.items);
  for (guint i = 0; i < MIXTURE_QUEUES; i++)
    g_object_unref (mixture.queues[i]);
  stress_end (&mixture.base);
  g_rand_free (mixture.random);
}

static void
test_everything_at_once (void)
{
  GThread *threads[N_THREADS];

  set_up ();
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("poster", post_from_thread, stress_rand_new ());
  while (mixture.n_steps < stress_scale (N_STEPS))
    {
      g_main_context_iteration (mixture.base.context, TRUE);
      assert_sums ();
    }
  g_atomic_int_set (&mixture.is_over, 1);
  /* Wakes the posters that block; the tasks end when they are cancelled. */
  for (guint i = 0; i < MIXTURE_QUEUES; i++)
    cothread_callback_queue_close (mixture.queues[i]);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  assert_sums ();
  cothread_scheduler_shutdown (mixture.base.scheduler);
  tear_down ();

  g_assert_cmpuint (mixture.n_live_children, ==, 0);
  g_assert_cmpuint (mixture.n_entries_destroyed, ==, mixture.n_entries_made);
  g_assert_cmpuint (mixture.n_items_freed, ==, mixture.n_items_made);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stress/mixture/everything-at-once", test_everything_at_once);
  return g_test_run ();
}
