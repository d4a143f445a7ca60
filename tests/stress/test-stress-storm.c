/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

/* One to eight threads post under every policy, and meanwhile everything that
 * can happen to a queue does. However that ends, each entry is freed once, and
 * where the documentation says so; each thread's keep their order; and every
 * snapshot on the way agrees with what the threads know. */

#define MAX_THREADS 8
#define N_ROUNDS 8
#define N_STEPS 60
#define MAX_LOST 20 /* callbacks that wait for ever; fewer than max-suspended */

typedef enum
{
  TROUBLE_NONE,
  TROUBLE_POLICY,
  TROUBLE_BOUND,
  TROUBLE_PAUSE,
  TROUBLE_NESTED,
  TROUBLE_CLOSE,
  TROUBLE_CLOSE_IN_CALLBACK,
  TROUBLE_DESTROY_IN_CALLBACK,
  TROUBLE_SHUTDOWN,
  TROUBLE_QUIT,
  N_TROUBLES
} Trouble;

static const char *const trouble_names[N_TROUBLES] = {
  "nothing-else", "the-policy-changes", "the-bound-changes", "the-queue-is-paused", "a-callback-runs-a-main-loop",
  "the-queue-is-closed", "a-callback-closes-the-queue", "a-callback-destroys-the-queue", "the-scheduler-is-shut-down",
  "the-loop-quits-and-the-scheduler-goes",
};

#define N_POLICIES 5
static const char *const policy_names[N_POLICIES] = { "fail", "drop-oldest", "block", "drop-newest", "coalesce" };

typedef struct
{
  CothreadOverflowPolicy policy;
  Trouble trouble;
} Rules;

typedef struct _Storm Storm;
typedef struct _Item Item;

typedef struct
{
  Storm *storm;
  CothreadCallbackQueue *queue; /* referenced */
  GThread *thread;
  GRand *random;
  char *key;
  guint n_begun; /* posts; atomic, as the rest */
  guint n_ended;
  guint n_destroyed;
  guint last_run; /* of those without a key; the owner's */
} Poster;

/* What this thread is posting at the moment, until that is freed. */
static __thread Item *in_hand;

struct _Item
{
  Poster *poster;
  guint sequence; /* from 1; 0: with a key */
  CothreadCallbackFlags flags;
  gint is_destroyed; /* atomic */
};

struct _Storm
{
  GMainContext *context;
  CothreadScheduler *scheduler;
  CothreadCallbackQueue *queue; /* NULL once the owner has let go */
  GThread *owner;
  GRand *random;
  Trouble trouble;
  Poster posters[MAX_THREADS];
  guint n_posters;
  guint n_lost;
  guint n_planted;
  gboolean is_closed;
  gint must_end; /* atomic */
  gint n_over;   /* atomic */
};

/* ---- entries ---- */

static void
run_item (gpointer data)
{
  Item *item = data;
  Storm *storm = item->poster->storm;

  g_assert_true (g_thread_self () == storm->owner);
  g_assert_cmpint (g_atomic_int_get (&item->is_destroyed), ==, 0);
  if (item->sequence != 0)
    {
      g_assert_cmpuint (item->sequence, >, item->poster->last_run);
      item->poster->last_run = item->sequence;
    }
  if ((item->flags & COTHREAD_CALLBACK_MAY_WAIT) == 0)
    return;
  if (storm->n_lost < MAX_LOST && g_rand_int_range (storm->random, 0, 50) == 0)
    {
      storm->n_lost++;
      cothread_sleep (COTHREAD_FOREVER, NULL);
    }
  else if (g_rand_boolean (storm->random))
    cothread_yield (NULL);
}

static void
destroy_item (gpointer data)
{
  Item *item = data;
  Poster *poster = item->poster;
  gboolean is_in_post = in_hand == item;

  g_assert_cmpint (g_atomic_int_add (&item->is_destroyed, 1), ==, 0);
  if ((item->flags & COTHREAD_CALLBACK_DESTROY_ANYWHERE) == 0)
    g_assert_true (is_in_post || g_thread_self () == poster->storm->owner);
  if (is_in_post)
    in_hand = NULL;
  __atomic_add_fetch (&poster->n_destroyed, 1, __ATOMIC_RELAXED);
  g_free (item);
}

/* ---- the threads ---- */

static gboolean
post_item (Poster *self, GError **error)
{
  static const CothreadCallbackFlags kinds[] = {
    COTHREAD_CALLBACK_DEFAULT, COTHREAD_CALLBACK_DEFAULT, COTHREAD_CALLBACK_DEFAULT, COTHREAD_CALLBACK_DESTROY_ANYWHERE,
    COTHREAD_CALLBACK_MAY_WAIT, COTHREAD_CALLBACK_MAY_WAIT | COTHREAD_CALLBACK_DESTROY_ANYWHERE,
  };
  gboolean has_key = g_rand_int_range (self->random, 0, 4) == 0;
  Item *item = g_new (Item, 1);
  gboolean was_accepted;

  *item = (Item) {
    .poster = self,
    .sequence = has_key ? 0 : self->n_begun + 1,
    .flags = kinds[g_rand_int_range (self->random, 0, G_N_ELEMENTS (kinds))],
  };
  in_hand = item;
  __atomic_add_fetch (&self->n_begun, 1, __ATOMIC_SEQ_CST);
  if (has_key)
    was_accepted = cothread_callback_queue_post_coalesced_full (self->queue, self->key, item->flags, run_item, item, destroy_item, error);
  else
    was_accepted = cothread_callback_queue_post_full (self->queue, item->flags, run_item, item, destroy_item, error);
  __atomic_add_fetch (&self->n_ended, 1, __ATOMIC_SEQ_CST);
  /* A refused one is gone before the post returns. */
  g_assert_true (was_accepted || in_hand == NULL);
  in_hand = NULL;
  return was_accepted;
}

static gpointer
post_until_the_end (gpointer data)
{
  Poster *self = data;
  gboolean is_closed = FALSE;

  while (!is_closed && !g_atomic_int_get (&self->storm->must_end))
    {
      g_autoptr (GError) error = NULL;

      if (!post_item (self, &error))
        {
          is_closed = g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_CLOSED);
          g_assert_true (is_closed || g_error_matches (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL));
        }
      stress_dither (self->random);
    }
  g_atomic_int_inc (&self->storm->n_over);
  return NULL;
}

/* ---- the owner ---- */

typedef struct
{
  guint64 begun, ended;
} Counts;

static Counts
count (const Storm *self)
{
  Counts counts = { self->n_planted, self->n_planted };

  for (guint i = 0; i < self->n_posters; i++)
    {
      counts.ended += __atomic_load_n (&self->posters[i].n_ended, __ATOMIC_SEQ_CST);
      counts.begun += __atomic_load_n (&self->posters[i].n_begun, __ATOMIC_SEQ_CST);
    }
  return counts;
}

/* What the queue says lies between what the threads have certainly done and
 * what they have certainly begun: nothing is lost, nothing counted twice. The
 * sum itself is checked by its parts, since `posted` is made of them. */
static void
check_snapshot (const Storm *self)
{
  guint64 known = count (self).ended, told;
  g_autoptr (CothreadCallbackStatistics) now = NULL;

  if (self->is_closed)
    return;
  now = cothread_callback_queue_get_statistics (self->queue);
  told = now->run + now->dropped_oldest + now->dropped_newest + now->coalesced + now->dropped_closed + now->length + now->refused;
  g_assert_cmpuint (told, >=, known);
  g_assert_cmpuint (told, <=, count (self).begun);
  g_assert_cmpuint (now->posted + now->refused, ==, told);
  g_assert_cmpuint (now->high_water, >=, now->length);
  g_assert_cmpuint (now->blocked_now, <=, self->n_posters);
}

static void
close_from_callback (gpointer data)
{
  Storm *self = data;

  if (!self->is_closed)
    cothread_callback_queue_close (self->queue);
  self->is_closed = TRUE;
}

static void
destroy_from_callback (gpointer data)
{
  close_from_callback (data);
  g_clear_object (&((Storm *) data)->queue);
}

static void
run_nested (gpointer data)
{
  Storm *self = data;

  for (guint i = 0; i < 5; i++)
    {
      g_main_context_iteration (self->context, FALSE);
      check_snapshot (self);
    }
}

/* Past the bound, so that there is room for it. */
static void
post_trouble (Storm *self, CothreadCallbackFunc func)
{
  guint bound = cothread_callback_queue_get_max_length (self->queue);

  cothread_callback_queue_set_max_length (self->queue, 0);
  g_assert_true (cothread_callback_queue_post (self->queue, func, self, NULL, NULL));
  self->n_planted++;
  cothread_callback_queue_set_max_length (self->queue, bound);
}

static void
shut_down (Storm *self)
{
  cothread_scheduler_shutdown (self->scheduler);
  self->is_closed = TRUE;
}

static void
make_trouble (Storm *self, guint step)
{
  gboolean is_time = step == N_STEPS / 2;

  if (self->is_closed)
    return;
  switch (self->trouble)
    {
    case TROUBLE_POLICY:
      cothread_callback_queue_set_overflow (self->queue, (CothreadOverflowPolicy) g_rand_int_range (self->random, 0, N_POLICIES));
      break;
    case TROUBLE_BOUND:
      cothread_callback_queue_set_max_length (self->queue, (guint) g_rand_int_range (self->random, 1, 60));
      break;
    case TROUBLE_PAUSE:
      if (g_rand_boolean (self->random))
        cothread_callback_queue_pause (self->queue);
      else
        cothread_callback_queue_resume (self->queue);
      break;
    case TROUBLE_CLOSE:
      if (is_time)
        close_from_callback (self);
      break;
    case TROUBLE_SHUTDOWN:
      if (is_time)
        shut_down (self);
      break;
    case TROUBLE_QUIT:
      if (is_time)
        {
          g_usleep (2000); /* nobody runs the loop */
          shut_down (self);
        }
      break;
    default:
      break;
    }
}

/* Some trouble is itself an entry. */
static void
plant_trouble (Storm *self)
{
  static const CothreadCallbackFunc planted[N_TROUBLES] = {
    [TROUBLE_CLOSE_IN_CALLBACK] = close_from_callback,
    [TROUBLE_DESTROY_IN_CALLBACK] = destroy_from_callback,
    [TROUBLE_NESTED] = run_nested,
  };

  if (planted[self->trouble] != NULL)
    post_trouble (self, planted[self->trouble]);
}

static void
begin_storm (Storm *self, const Rules *rules)
{
  *self = (Storm) { .context = g_main_context_new (), .owner = g_thread_self (), .random = stress_rand_new (), .trouble = rules->trouble };
  g_main_context_push_thread_default (self->context);
  self->scheduler = cothread_scheduler_get_default ();
  self->queue = cothread_callback_queue_new (self->scheduler, "storm");
  cothread_callback_queue_set_overflow (self->queue, rules->policy);
  cothread_callback_queue_set_max_length (self->queue, (guint) g_rand_int_range (self->random, 1, 60));
  self->n_posters = (guint) g_rand_int_range (self->random, 1, MAX_THREADS + 1);
  for (guint i = 0; i < self->n_posters; i++)
    self->posters[i] = (Poster) {
      .storm = self, .queue = g_object_ref (self->queue), .random = stress_rand_new (), .key = g_strdup_printf ("key %u", i / 2),
    };
  for (guint i = 0; i < self->n_posters; i++)
    self->posters[i].thread = g_thread_new ("poster", post_until_the_end, &self->posters[i]);
}

static void
end_storm (Storm *self)
{
  g_atomic_int_set (&self->must_end, TRUE);
  if (!self->is_closed)
    cothread_callback_queue_resume (self->queue);
  while (g_atomic_int_get (&self->n_over) < (gint) self->n_posters)
    {
      g_main_context_iteration (self->context, FALSE);
      check_snapshot (self);
    }
  for (guint i = 0; i < self->n_posters; i++)
    g_thread_join (self->posters[i].thread);
  while (g_main_context_iteration (self->context, FALSE))
    ;
}

static void
leave (Storm *self)
{
  gpointer weak_scheduler = self->scheduler, weak_queue = self->posters[0].queue;

  g_object_add_weak_pointer (weak_scheduler, &weak_scheduler);
  g_object_add_weak_pointer (weak_queue, &weak_queue);
  if (!self->is_closed)
    {
      check_snapshot (self);
      g_assert_cmpuint (cothread_callback_queue_get_length (self->queue), ==, 0);
    }
  cothread_scheduler_shutdown (self->scheduler);
  for (guint i = 0; i < self->n_posters; i++)
    {
      Poster *poster = &self->posters[i];

      g_assert_cmpuint (poster->n_destroyed, ==, poster->n_begun);
      g_object_unref (poster->queue);
      g_rand_free (poster->random);
      g_free (poster->key);
    }
  g_clear_object (&self->queue);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  g_rand_free (self->random);
  g_assert_null (weak_queue);
  g_assert_null (weak_scheduler);
}

static void
run_storm (const Rules *rules)
{
  Storm self;

  begin_storm (&self, rules);
  for (guint step = 0; step < N_STEPS; step++)
    {
      if (step == N_STEPS / 3)
        plant_trouble (&self);
      make_trouble (&self, step);
      check_snapshot (&self);
      g_main_context_iteration (self.context, FALSE);
    }
  end_storm (&self);
  leave (&self);
}

static void
run_storms (gconstpointer rules)
{
  for (guint i = 0; i < stress_scale (N_ROUNDS); i++)
    run_storm (rules);
}

int
main (int argc, char *argv[])
{
  static Rules rules[N_POLICIES][N_TROUBLES];

  g_test_init (&argc, &argv, NULL);
  for (guint policy = 0; policy < N_POLICIES; policy++)
    for (guint trouble = 0; trouble < N_TROUBLES; trouble++)
      {
        g_autofree char *path = g_strdup_printf ("/stress/storm/%s/%s", policy_names[policy], trouble_names[trouble]);

        rules[policy][trouble] = (Rules) { (CothreadOverflowPolicy) policy, (Trouble) trouble };
        g_test_add_data_func (path, &rules[policy][trouble], run_storms);
      }
  return g_test_run ();
}
