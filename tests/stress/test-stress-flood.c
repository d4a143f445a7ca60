/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

/* Eight threads post as fast as they can, under every policy: none is lost but
 * those that are counted, each is freed once, and each thread's keep their
 * order. */

#define N_THREADS 8
#define N_POSTS 100000
#define BOUND 1000

typedef struct
{
  StressFixture *fixture;
  GThread *thread;
  GRand *random;
  CothreadCallbackFlags flags;
  char *key; /* or NULL */
  guint n_posts;
  guint n_accepted;
  guint n_run;
  guint last_run;    /* sequence number */
  guint n_destroyed; /* atomic */
} Poster;

typedef struct
{
  Poster *poster;
  guint sequence; /* from 1 */
  gint destroyed; /* atomic */
} Item;

typedef struct
{
  CothreadOverflowPolicy overflow;
  guint bound;
  CothreadCallbackFlags flags; /* of every entry */
  gboolean mixed;              /* some of them may wait */
  gboolean keyed;              /* a key for each thread */
} Rules;

static void
run_item (gpointer data)
{
  Item *item = data;

  g_assert_cmpint (g_atomic_int_get (&item->destroyed), ==, 0);
  g_assert_cmpuint (item->sequence, >, item->poster->last_run);
  item->poster->last_run = item->sequence;
  item->poster->n_run++;
}

static void
destroy_item (gpointer data)
{
  Item *item = data;

  g_assert_cmpint (g_atomic_int_add (&item->destroyed, 1), ==, 0);
  __atomic_add_fetch (&item->poster->n_destroyed, 1, __ATOMIC_RELAXED);
  g_free (item);
}

static gint n_over; /* atomic */

static gpointer
post_all (gpointer data)
{
  Poster *self = data;

  for (guint i = 1; i <= self->n_posts; i++)
    {
      Item *item = g_new (Item, 1);
      CothreadCallbackFlags flags = self->flags;

      if (self->random != NULL && g_rand_int_range (self->random, 0, 8) == 0)
        flags |= COTHREAD_CALLBACK_MAY_WAIT;
      *item = (Item) { self, i, 0 };
      if (self->key != NULL)
        self->n_accepted += cothread_callback_queue_post_coalesced_full (self->fixture->queue, self->key, flags,
                                                                         run_item, item, destroy_item, NULL);
      else
        self->n_accepted += cothread_callback_queue_post_full (self->fixture->queue, flags, run_item, item, destroy_item, NULL);
    }
  g_atomic_int_inc (&n_over);
  g_main_context_wakeup (self->fixture->context);
  return NULL;
}

static void
check_poster (Poster *self, const Rules *rules)
{
  g_thread_join (self->thread);
  g_assert_cmpuint (self->n_destroyed, ==, self->n_posts);
  if (rules->keyed && self->n_accepted == self->n_posts)
    g_assert_cmpuint (self->last_run, ==, self->n_posts);
  if (!rules->keyed && (rules->overflow == COTHREAD_OVERFLOW_BLOCK || rules->bound == 0))
    {
      g_assert_cmpuint (self->n_accepted, ==, self->n_posts);
      g_assert_cmpuint (self->n_run, ==, self->n_posts);
    }
  if (self->random != NULL)
    g_rand_free (self->random);
  g_free (self->key);
}

static void
check_accounts (StressFixture *f, const Poster *posters, const Rules *rules)
{
  g_autoptr (CothreadCallbackStatistics) statistics = cothread_callback_queue_get_statistics (f->queue);
  guint64 n_accepted = 0, n_posted = 0, n_run = 0;

  for (guint i = 0; i < N_THREADS; i++)
    {
      n_posted += posters[i].n_posts;
      n_accepted += posters[i].n_accepted;
      n_run += posters[i].n_run;
    }
  g_assert_cmpuint (statistics->posted, ==, n_accepted);
  g_assert_cmpuint (statistics->run, ==, n_run);
  g_assert_cmpuint (statistics->refused, ==, n_posted - n_accepted);
  g_assert_cmpuint (statistics->dropped_oldest + statistics->dropped_newest + statistics->coalesced, ==, n_accepted - n_run);
  g_assert_true (statistics->dropped_oldest == 0 || rules->overflow == COTHREAD_OVERFLOW_DROP_OLDEST);
  g_assert_true (statistics->dropped_newest == 0 || rules->overflow == COTHREAD_OVERFLOW_DROP_NEWEST);
  g_assert_true (statistics->coalesced == 0 || rules->keyed);
  g_assert_cmpuint (statistics->dropped_closed, ==, 0);
  g_assert_cmpuint (statistics->length, ==, 0);
  if (rules->bound != 0)
    g_assert_cmpuint (statistics->high_water, <=, rules->bound);
}

static void
flood (gconstpointer data)
{
  const Rules *rules = data;
  StressFixture f;
  Poster posters[N_THREADS];

  stress_begin (&f);
  cothread_callback_queue_set_max_length (f.queue, rules->bound);
  cothread_callback_queue_set_overflow (f.queue, rules->overflow);
  n_over = 0;
  for (guint i = 0; i < N_THREADS; i++)
    {
      posters[i] = (Poster) { .fixture = &f, .flags = rules->flags, .n_posts = stress_scale (N_POSTS) };
      if (rules->keyed)
        posters[i].key = g_strdup_printf ("poster %u", i);
      if (rules->mixed)
        posters[i].random = stress_rand_new ();
      posters[i].thread = g_thread_new ("poster", post_all, &posters[i]);
    }
  stress_run_until (&f, g_atomic_int_get (&n_over) == N_THREADS);
  while (g_main_context_iteration (f.context, FALSE))
    ;
  for (guint i = 0; i < N_THREADS; i++)
    check_poster (&posters[i], rules);
  check_accounts (&f, posters, rules);
  stress_end (&f);
}

#define ADD(path, ...) \
  G_STMT_START \
    { \
      static const Rules rules = { __VA_ARGS__ }; \
      g_test_add_data_func ("/stress/flood/" path, &rules, flood); \
    } \
  G_STMT_END

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("without-a-bound-all-run", COTHREAD_OVERFLOW_FAIL, 0, 0, FALSE);
  ADD ("what-fails-is-counted", COTHREAD_OVERFLOW_FAIL, BOUND, 0, FALSE);
  ADD ("what-is-dropped-is-counted", COTHREAD_OVERFLOW_DROP_OLDEST, BOUND, 0, FALSE);
  ADD ("what-is-dropped-and-freed-anywhere-is-counted", COTHREAD_OVERFLOW_DROP_OLDEST, BOUND,
       COTHREAD_CALLBACK_DESTROY_ANYWHERE, FALSE);
  ADD ("posters-that-block-lose-nothing", COTHREAD_OVERFLOW_BLOCK, BOUND, 0, FALSE);
  ADD ("posters-that-block-on-a-small-queue-lose-nothing", COTHREAD_OVERFLOW_BLOCK, 20, 0, FALSE);
  ADD ("a-small-queue-drops-what-is-counted", COTHREAD_OVERFLOW_DROP_OLDEST, 1, COTHREAD_CALLBACK_DESTROY_ANYWHERE, FALSE);
  ADD ("the-newest-that-are-dropped-are-counted", COTHREAD_OVERFLOW_DROP_NEWEST, BOUND, 0, FALSE);
  ADD ("a-small-queue-drops-the-newest-and-counts-them", COTHREAD_OVERFLOW_DROP_NEWEST, 1, 0, FALSE);
  ADD ("what-is-coalesced-is-counted", COTHREAD_OVERFLOW_COALESCE, BOUND, 0, FALSE, TRUE);
  ADD ("what-is-coalesced-and-freed-anywhere-is-counted", COTHREAD_OVERFLOW_COALESCE, BOUND,
       COTHREAD_CALLBACK_DESTROY_ANYWHERE, FALSE, TRUE);
  ADD ("what-is-coalesced-without-a-bound-is-counted", COTHREAD_OVERFLOW_FAIL, 0, 0, TRUE, TRUE);
  ADD ("a-full-queue-that-coalesces-refuses-what-is-counted", COTHREAD_OVERFLOW_COALESCE, BOUND, 0, FALSE);
  ADD ("callbacks-that-may-wait-lose-nothing", COTHREAD_OVERFLOW_BLOCK, BOUND, 0, TRUE);
  ADD ("callbacks-that-may-wait-and-are-dropped-are-counted", COTHREAD_OVERFLOW_DROP_OLDEST, BOUND, 0, TRUE);
  return g_test_run ();
}
