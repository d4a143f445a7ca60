/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

#include <stdio.h>
#include <unistd.h>

/* A program that spawns for ever does not grow, address space included: what
 * tasks need is reserved when the first ones begin, and used again. */

#define N_ROUNDS 500000
#define WAVE 500
#define MAX_GROWTH_BYTES 200000

typedef struct
{
  gint64 mapped;
  gint64 resident;
} Sizes;

/* Without an allocation, which might be what grows. */
static Sizes
measure (void)
{
  FILE *file = fopen ("/proc/self/statm", "r");
  unsigned long mapped, resident;

  g_assert_nonnull (file);
  g_assert_cmpint (fscanf (file, "%lu %lu", &mapped, &resident), ==, 2);
  fclose (file);
  return (Sizes) { (gint64) mapped * sysconf (_SC_PAGESIZE), (gint64) resident * sysconf (_SC_PAGESIZE) };
}

static gpointer
yield_once (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_yield (error);
  return NULL;
}

static void
run_rounds (guint n, guint wave)
{
  for (guint i = 0; i < n; i += wave)
    {
      for (guint k = 0; k < wave; k++)
        cothread_task_unref (cothread_spawn (yield_once, NULL));
      g_assert_true (cothread_yield (NULL));
      g_assert_true (cothread_yield (NULL));
    }
}

static void
assert_does_not_grow (guint wave)
{
  StressFixture f;
  Sizes before, after;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  g_test_skip ("A sanitizer keeps what is freed");
  return;
#endif
  stress_begin (&f);
  run_rounds (wave, wave);
  before = measure ();
  run_rounds (stress_scale (N_ROUNDS), wave);
  after = measure ();
  g_test_message ("%" G_GINT64_FORMAT " bytes mapped, %" G_GINT64_FORMAT " resident",
                  after.mapped - before.mapped, after.resident - before.resident);
  g_assert_cmpint (after.mapped - before.mapped, <, MAX_GROWTH_BYTES);
  g_assert_cmpint (after.resident - before.resident, <, MAX_GROWTH_BYTES);
  stress_end (&f);
}

static void
test_half_a_million_tasks_one_by_one_do_not_make_the_process_grow (void)
{
  assert_does_not_grow (1);
}

static void
test_half_a_million_tasks_in_waves_do_not_make_the_process_grow (void)
{
  assert_does_not_grow (WAVE);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stress/growth/half-a-million-tasks-one-by-one-do-not-make-the-process-grow",
                   test_half_a_million_tasks_one_by_one_do_not_make_the_process_grow);
  g_test_add_func ("/stress/growth/half-a-million-tasks-in-waves-do-not-make-the-process-grow",
                   test_half_a_million_tasks_in_waves_do_not_make_the_process_grow);
  return g_test_run ();
}
