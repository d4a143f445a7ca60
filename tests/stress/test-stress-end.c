/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

/* Threads go on posting while the queue, the scheduler or the whole context
 * goes away under them. Nothing crashes, no entry is forgotten, and nobody
 * holds on to what has ended. */

#define N_ROUNDS 300
#define N_THREADS 4

static guint n_made;      /* entries that somebody tried to post; atomic */
static guint n_destroyed; /* atomic */

static void
destroy (G_GNUC_UNUSED gpointer data)
{
  __atomic_add_fetch (&n_destroyed, 1, __ATOMIC_RELAXED);
}

static void
do_nothing (G_GNUC_UNUSED gpointer data)
{
}

typedef struct
{
  CothreadCallbackQueue *queue; /* referenced */
  GThread *thread;
  GRand *random;
  gint *n_posting; /* atomic: threads that have posted */
} Poster;

static gpointer
post_until_closed (gpointer data)
{
  Poster *self = data;
  g_autoptr (GError) error = NULL;
  gboolean is_first = TRUE;

  do
    {
      CothreadCallbackFlags flags = (CothreadCallbackFlags) g_rand_int_range (self->random, 0, 4);

      g_clear_error (&error);
      __atomic_add_fetch (&n_made, 1, __ATOMIC_RELAXED);
      cothread_callback_queue_post_full (self->queue, flags, do_nothing, NULL, destroy, &error);
      if (is_first)
        g_atomic_int_inc (self->n_posting);
      is_first = FALSE;
      if (error != NULL)
        g_usleep (10);
      else
        stress_dither (self->random);
    }
  while (!g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED));
  return NULL;
}

typedef enum
{
  END_CLOSE,
  END_SHUTDOWN,
  END_CONTEXT,
  N_ENDS
} End;

static void
end_somehow (GMainContext *context, CothreadScheduler *scheduler, CothreadCallbackQueue *queue, End end)
{
  if (end == END_CLOSE)
    cothread_callback_queue_close (queue);
  if (end != END_CONTEXT)
    cothread_scheduler_shutdown (scheduler);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
}

static void
start_posters (Poster *posters, CothreadCallbackQueue *queue, gint *n_posting)
{
  for (guint i = 0; i < N_THREADS; i++)
    {
      posters[i] = (Poster) { g_object_ref (queue), NULL, stress_rand_new (), n_posting };
      posters[i].thread = g_thread_new ("poster", post_until_closed, &posters[i]);
    }
}

static void
join_posters (Poster *posters)
{
  for (guint i = 0; i < N_THREADS; i++)
    {
      g_thread_join (posters[i].thread);
      g_rand_free (posters[i].random);
      g_object_unref (posters[i].queue);
    }
}

static void
run_round (CothreadOverflowPolicy overflow, End end)
{
  GMainContext *context = g_main_context_new ();
  CothreadScheduler *scheduler;
  CothreadCallbackQueue *queue;
  gpointer weak_scheduler, weak_queue;
  Poster posters[N_THREADS];
  gint n_posting = 0;

  g_main_context_push_thread_default (context);
  weak_scheduler = scheduler = cothread_scheduler_get_default ();
  weak_queue = queue = cothread_callback_queue_new (scheduler, "stress");
  g_object_add_weak_pointer (weak_scheduler, &weak_scheduler);
  g_object_add_weak_pointer (weak_queue, &weak_queue);
  cothread_callback_queue_set_overflow (queue, overflow);
  cothread_callback_queue_set_max_length (queue, (guint) g_test_rand_int_range (1, 50));
  start_posters (posters, queue, &n_posting);
  while (g_atomic_int_get (&n_posting) < N_THREADS)
    g_main_context_iteration (context, FALSE);
  for (gint n = g_test_rand_int_range (0, 30); n > 0; n--)
    g_main_context_iteration (context, FALSE);
  end_somehow (context, scheduler, queue, end);
  g_object_unref (queue);
  join_posters (posters);

  g_assert_cmpuint (n_destroyed, ==, n_made);
  g_assert_null (weak_queue);
  g_assert_null (weak_scheduler);
}

static void
run_rounds (gconstpointer data)
{
  CothreadOverflowPolicy overflow = (CothreadOverflowPolicy) GPOINTER_TO_INT (data);

  n_made = n_destroyed = 0;
  for (guint i = 0; i < stress_scale (N_ROUNDS); i++)
    run_round (overflow, i % N_ENDS);
}

/* The same where the scheduler's thread ends, too. */
typedef struct
{
  CothreadCallbackQueue *queue; /* atomic; referenced */
  gint may_end;                 /* atomic */
} Worker;

static gpointer
work (gpointer data)
{
  Worker *self = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  CothreadCallbackQueue *queue;

  g_main_context_push_thread_default (context);
  queue = cothread_callback_queue_new (cothread_scheduler_get_default (), "worker");
  cothread_callback_queue_set_max_length (queue, 10);
  g_atomic_pointer_set (&self->queue, queue);
  while (g_atomic_int_get (&self->may_end) == 0)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_the_schedulers_thread_may_end (void)
{
  n_made = n_destroyed = 0;
  for (guint i = 0; i < stress_scale (N_ROUNDS); i++)
    {
      Worker worker = { 0 };
      GThread *thread = g_thread_new ("worker", work, &worker);
      CothreadCallbackQueue *queue;
      Poster posters[N_THREADS];
      gint n_posting = 0;

      while ((queue = g_atomic_pointer_get (&worker.queue)) == NULL)
        g_thread_yield ();
      start_posters (posters, queue, &n_posting);
      while (g_atomic_int_get (&n_posting) < N_THREADS)
        g_thread_yield ();
      g_atomic_int_set (&worker.may_end, 1);
      g_thread_join (thread);
      join_posters (posters);
      g_object_unref (queue);
      g_assert_cmpuint (n_destroyed, ==, n_made);
    }
}

/* A post whose entry the shutdown drops, between its push and its look whether
 * the loop has to be told: the message must not be left lying, holding the queue
 * and the scheduler for ever. */
typedef struct
{
  CothreadCallbackQueue *queue; /* atomic; NULL: nothing to do */
  gint is_over;                 /* atomic */
  GRand *random;
} Single;

static gpointer
post_one_at_a_time (gpointer data)
{
  Single *self = data;

  while (g_atomic_int_get (&self->is_over) == 0)
    {
      CothreadCallbackQueue *queue = g_atomic_pointer_get (&self->queue);

      if (queue == NULL)
        continue;
      stress_dither (self->random);
      cothread_callback_queue_post (queue, do_nothing, NULL, NULL, NULL);
      g_atomic_pointer_set (&self->queue, NULL);
    }
  return NULL;
}

static void
test_one_post_at_the_moment_of_the_shutdown_leaves_nothing_behind (void)
{
  Single single = { .random = stress_rand_new () };
  GThread *thread = g_thread_new ("poster", post_one_at_a_time, &single);
  g_autoptr (GRand) random = stress_rand_new ();

  for (guint i = 0; i < stress_scale (5000); i++)
    {
      StressFixture f;

      stress_begin (&f);
      while (g_main_context_iteration (f.context, FALSE))
        ;
      g_atomic_pointer_set (&single.queue, f.queue);
      stress_dither (random);
      cothread_scheduler_shutdown (f.scheduler);
      while (g_atomic_pointer_get (&single.queue) != NULL)
        g_thread_yield ();
      stress_end (&f);
    }
  g_atomic_int_set (&single.is_over, 1);
  g_thread_join (thread);
  g_rand_free (single.random);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/stress/end/threads-that-fail-find-the-queue-closed", GINT_TO_POINTER (COTHREAD_OVERFLOW_FAIL), run_rounds);
  g_test_add_data_func ("/stress/end/threads-that-drop-find-the-queue-closed", GINT_TO_POINTER (COTHREAD_OVERFLOW_DROP_OLDEST), run_rounds);
  g_test_add_data_func ("/stress/end/threads-that-block-find-the-queue-closed", GINT_TO_POINTER (COTHREAD_OVERFLOW_BLOCK), run_rounds);
  g_test_add_func ("/stress/end/the-schedulers-thread-may-end", test_the_schedulers_thread_may_end);
  g_test_add_func ("/stress/end/one-post-at-the-moment-of-the-shutdown-leaves-nothing-behind",
                   test_one_post_at_the_moment_of_the_shutdown_leaves_nothing_behind);
  return g_test_run ();
}
