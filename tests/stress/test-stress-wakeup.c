/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

#include <poll.h>

/* No wakeup is lost. A poster waits again and again until all it has posted has
 * run, so that the loop falls asleep at every moment in relation to the next
 * post; a post that does not wake it is never made up for by a later one. */

#define N_POSTS 1000000
#define MAX_BURST 20

typedef struct
{
  CothreadCallbackQueue *queue;
  GThread *thread;
  GRand *random;       /* of the poster's thread */
  GRand *loops_random; /* of the loop's */
  guint n_posts;
  guint n_run;   /* atomic */
  guint n_goal;  /* atomic: how many are to run before the poster goes on */
  guint *n_over; /* atomic, of all posters */
} Poster;

static void
count_run (gpointer data)
{
  Poster *self = data;

  __atomic_store_n (&self->n_run, self->n_run + 1, __ATOMIC_RELEASE);
  /* The poster goes on at this moment, and we go to sleep a little later. */
  if (self->n_run == __atomic_load_n (&self->n_goal, __ATOMIC_RELAXED))
    stress_dither (self->loops_random);
}

static void
count_over (gpointer data)
{
  __atomic_add_fetch ((guint *) data, 1, __ATOMIC_RELAXED);
}

static gpointer
post_and_wait (gpointer data)
{
  Poster *self = data;

  for (guint n = 0; n < self->n_posts;)
    {
      guint burst = (guint) g_rand_int_range (self->random, 1, MAX_BURST);

      burst = MIN (burst, self->n_posts - n);
      __atomic_store_n (&self->n_goal, n + burst, __ATOMIC_RELAXED);
      for (guint i = 0; i < burst; i++)
        g_assert_true (cothread_callback_queue_post (self->queue, count_run, self, NULL, NULL));
      n += burst;
      stress_wait_for_count (&self->n_run, n);
      stress_dither (self->random);
    }
  g_assert_true (cothread_callback_queue_post (self->queue, count_over, self->n_over, NULL, NULL));
  return NULL;
}

static void
start (Poster *self, CothreadCallbackQueue *queue, guint n_posts, guint *n_over)
{
  *self = (Poster) { queue, NULL, stress_rand_new (), stress_rand_new (), n_posts, 0, 0, n_over };
  self->thread = g_thread_new ("poster", post_and_wait, self);
}

static void
finish (Poster *self)
{
  g_thread_join (self->thread);
  g_assert_cmpuint (self->n_run, ==, self->n_posts);
  g_rand_free (self->random);
  g_rand_free (self->loops_random);
}

static void
test_every_post_from_a_thread_wakes_the_loop (void)
{
  StressFixture f;
  Poster poster;
  guint n_over = 0;
  g_autoptr (CothreadStatistics) statistics = NULL;

  stress_begin (&f);
  start (&poster, f.queue, stress_scale (N_POSTS), &n_over);
  stress_run_until (&f, n_over == 1);
  finish (&poster);

  /* It did sleep: a turn ends when nothing is left. */
  statistics = cothread_scheduler_get_statistics (f.scheduler);
  g_assert_cmpuint (statistics->turns, >, poster.n_posts / MAX_BURST / 10);
  stress_end (&f);
}

static void
test_every_post_from_four_threads_to_two_queues_wakes_the_loop (void)
{
  StressFixture f;
  Poster posters[4];
  guint n_over = 0;
  CothreadCallbackQueue *second;

  stress_begin (&f);
  second = cothread_callback_queue_new (f.scheduler, "second");
  for (guint i = 0; i < 4; i++)
    start (&posters[i], i % 2 == 0 ? f.queue : second, stress_scale (N_POSTS / 8), &n_over);
  stress_run_until (&f, n_over == 4);
  for (guint i = 0; i < 4; i++)
    finish (&posters[i]);
  g_object_unref (second);
  stress_end (&f);
}

static void
test_a_poster_that_blocks_is_always_woken (void)
{
  StressFixture f;
  Poster posters[4];
  guint n_over = 0;

  stress_begin (&f);
  cothread_callback_queue_set_max_length (f.queue, 2);
  for (guint i = 0; i < 4; i++)
    start (&posters[i], f.queue, stress_scale (N_POSTS / 20), &n_over);
  stress_run_until (&f, n_over == 4);
  for (guint i = 0; i < 4; i++)
    finish (&posters[i]);
  stress_end (&f);
}

/* The scheduler in a loop of a few lines, over plain poll(2). */
static void
run_foreign_loop (CothreadScheduler *scheduler, const guint *n_over)
{
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  guint n_ready = 0;

  while (*n_over == 0)
    {
      gint64 timeout_us;

      cothread_scheduler_poll (scheduler, (const GPollFD *) (gpointer) wanted->data, n_ready, wanted, &timeout_us, NULL);
      if (*n_over > 0)
        return;
      n_ready = g_poll ((GPollFD *) (gpointer) wanted->data, wanted->len,
                        timeout_us < 0 ? -1 : (gint) ((timeout_us + 999) / 1000)) > 0 ? wanted->len : 0;
    }
}

static void
test_every_post_wakes_a_foreign_loop (void)
{
  g_autoptr (CothreadScheduler) scheduler = cothread_scheduler_new (NULL);
  Poster poster;
  guint n_over = 0;

  start (&poster, cothread_scheduler_get_callback_queue (scheduler), stress_scale (N_POSTS / 4), &n_over);
  run_foreign_loop (scheduler, &n_over);
  finish (&poster);
  cothread_scheduler_shutdown (scheduler);
}

/* Posts from the loop's own thread when the loop has been told that it may
 * sleep: a source that is prepared after the scheduler's own. */
typedef struct
{
  GSource parent;
  StressFixture *fixture;
  GRand *random;
  guint n_posted;
  guint n_run;
} LateSource;

static void
count_late (gpointer data)
{
  ((LateSource *) data)->n_run++;
}

static gboolean
post_in_prepare (GSource *source, gint *timeout_ms)
{
  LateSource *self = (LateSource *) source;

  *timeout_ms = -1;
  if (self->n_posted == self->n_run)
    for (gint n = g_rand_int_range (self->random, 1, 4); n > 0; n--)
      {
        g_assert_true (cothread_callback_queue_post (self->fixture->queue, count_late, self, NULL, NULL));
        self->n_posted++;
      }
  return FALSE;
}

static gboolean
check_nothing (G_GNUC_UNUSED GSource *source)
{
  return FALSE;
}

static GSourceFuncs late_funcs = { post_in_prepare, check_nothing, NULL, NULL, NULL, NULL };

static void
test_a_post_from_another_sources_prepare_wakes_the_loop (void)
{
  StressFixture f;
  LateSource *late;

  stress_begin (&f);
  late = (LateSource *) g_source_new (&late_funcs, sizeof (LateSource));
  late->fixture = &f;
  late->random = stress_rand_new ();
  g_source_attach (&late->parent, f.context);
  stress_run_until (&f, late->n_run >= stress_scale (100000));
  g_rand_free (late->random);
  g_source_destroy (&late->parent);
  g_source_unref (&late->parent);
  stress_end (&f);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stress/wakeup/every-post-from-a-thread-wakes-the-loop", test_every_post_from_a_thread_wakes_the_loop);
  g_test_add_func ("/stress/wakeup/every-post-from-four-threads-to-two-queues-wakes-the-loop",
                   test_every_post_from_four_threads_to_two_queues_wakes_the_loop);
  g_test_add_func ("/stress/wakeup/a-poster-that-blocks-is-always-woken", test_a_poster_that_blocks_is_always_woken);
  g_test_add_func ("/stress/wakeup/every-post-wakes-a-foreign-loop", test_every_post_wakes_a_foreign_loop);
  g_test_add_func ("/stress/wakeup/a-post-from-another-sources-prepare-wakes-the-loop",
                   test_a_post_from_another_sources_prepare_wakes_the_loop);
  return g_test_run ();
}
