/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

#include <stdio.h>
#include <unistd.h>

/* Memory under overload: threads post far more than is run. With a bound it
 * stays flat, whatever the policy. */

#define N_THREADS 3
#define N_POSTS 200000 /* of each thread, each time */
#define BOUND 1000
/* Kept, the entries of one time with their data would take 50 MiB. */
#define MAX_GROWTH_BYTES ((gint64) 8 << 20)

typedef struct
{
  StressFixture *fixture;
  gboolean has_key;
} Flood;

static gint n_over; /* atomic */

static void
do_nothing (G_GNUC_UNUSED gpointer data)
{
}

static gpointer
post_all (gpointer data)
{
  const Flood *flood = data;
  CothreadCallbackQueue *queue = flood->fixture->queue;

  for (guint i = 0; i < stress_scale (N_POSTS); i++)
    if (flood->has_key)
      cothread_callback_queue_post_coalesced (queue, i % 2 == 0 ? "even" : "odd", do_nothing, g_malloc (32), g_free, NULL);
    else
      cothread_callback_queue_post (queue, do_nothing, g_malloc (32), g_free, NULL);
  g_atomic_int_inc (&n_over);
  g_main_context_wakeup (flood->fixture->context);
  return NULL;
}

static gint64
resident_bytes (void)
{
  g_autofree char *text = NULL;
  unsigned long total, resident;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%lu %lu", &total, &resident), ==, 2);
  return (gint64) resident * sysconf (_SC_PAGESIZE);
}

static void
flood_once (Flood *flood)
{
  GThread *threads[N_THREADS];

  n_over = 0;
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("poster", post_all, flood);
  stress_run_until (flood->fixture, g_atomic_int_get (&n_over) == N_THREADS);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  while (g_main_context_iteration (flood->fixture->context, FALSE))
    ;
}

static void
flood_with (CothreadOverflowPolicy policy, gboolean has_key)
{
  StressFixture f;
  Flood flood = { &f, has_key };
  gint64 before;

  stress_begin (&f);
  cothread_callback_queue_set_max_length (f.queue, BOUND);
  cothread_callback_queue_set_overflow (f.queue, policy);
  flood_once (&flood); /* what is kept for the next time counts as there already */
  before = resident_bytes ();
  flood_once (&flood);
  flood_once (&flood);
  g_assert_cmpint (resident_bytes () - before, <, MAX_GROWTH_BYTES);
  stress_end (&f);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_WHAT_IS_FREED TRUE
#else
#define KEEPS_WHAT_IS_FREED FALSE
#endif

static void
flood_with_policy (gconstpointer policy)
{
  if (KEEPS_WHAT_IS_FREED)
    g_test_skip ("A sanitizer keeps what is freed");
  else
    flood_with (GPOINTER_TO_INT (policy), FALSE);
}

static void
flood_with_keys (void)
{
  if (KEEPS_WHAT_IS_FREED)
    g_test_skip ("A sanitizer keeps what is freed");
  else
    flood_with (COTHREAD_OVERFLOW_COALESCE, TRUE);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/stress/memory/stays-flat-where-posts-fail", GINT_TO_POINTER (COTHREAD_OVERFLOW_FAIL), flood_with_policy);
  g_test_add_data_func ("/stress/memory/stays-flat-where-the-oldest-are-dropped", GINT_TO_POINTER (COTHREAD_OVERFLOW_DROP_OLDEST),
                        flood_with_policy);
  g_test_add_data_func ("/stress/memory/stays-flat-where-posters-block", GINT_TO_POINTER (COTHREAD_OVERFLOW_BLOCK), flood_with_policy);
  g_test_add_data_func ("/stress/memory/stays-flat-where-the-newest-are-dropped", GINT_TO_POINTER (COTHREAD_OVERFLOW_DROP_NEWEST),
                        flood_with_policy);
  g_test_add_data_func ("/stress/memory/stays-flat-where-posts-coalesce", GINT_TO_POINTER (COTHREAD_OVERFLOW_COALESCE), flood_with_policy);
  g_test_add_func ("/stress/memory/stays-flat-where-posts-have-keys", flood_with_keys);
  return g_test_run ();
}
