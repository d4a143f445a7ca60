/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No test takes a quarter of this on a loaded machine of two processors. */
#define WATCHDOG_SECONDS 80

#if defined(__SANITIZE_ADDRESS__)
#define DEFAULT_SCALE 0.2
#elif defined(__SANITIZE_THREAD__)
#define DEFAULT_SCALE 0.05
#else
#define DEFAULT_SCALE 1
#endif

static gboolean
is_in_valgrind (void)
{
  const char *preload = g_getenv ("LD_PRELOAD");

  return preload != NULL && strstr (preload, "vgpreload") != NULL;
}

guint
stress_scale (guint n)
{
  const char *scale = g_getenv ("COTHREAD_STRESS_SCALE");
  double factor = scale != NULL ? g_ascii_strtod (scale, NULL) : is_in_valgrind () ? 0.01 : DEFAULT_SCALE;

  return (guint) MAX (1, n * factor);
}

guint
stress_scale_tasks (guint n)
{
#if defined(__SANITIZE_THREAD__)
  return MIN (500, stress_scale (n));
#else
  return stress_scale (n);
#endif
}

/* By a signal: the loop must not be woken. */
static void
set_watchdog (guint seconds)
{
  alarm (g_getenv ("COTHREAD_STRESS_SCALE") != NULL || is_in_valgrind () ? 0 : seconds);
}

void
stress_begin (StressFixture *f)
{
  set_watchdog (WATCHDOG_SECONDS);
  f->context = g_main_context_new ();
  g_main_context_push_thread_default (f->context);
  f->scheduler = g_object_ref (cothread_scheduler_get_default ());
  f->queue = g_object_ref (cothread_scheduler_get_callback_queue (f->scheduler));
}

void
stress_end (StressFixture *f)
{
  gpointer scheduler = f->scheduler, queue = f->queue;

  g_object_add_weak_pointer (scheduler, &scheduler);
  g_object_add_weak_pointer (queue, &queue);
  cothread_scheduler_shutdown (f->scheduler);
  g_object_unref (f->queue);
  g_object_unref (f->scheduler);
  g_main_context_pop_thread_default (f->context);
  g_main_context_unref (f->context);
  g_assert_null (queue);
  g_assert_null (scheduler);
  set_watchdog (0);
}

void
stress_wait_for_count (const guint *atomic_count, guint expected)
{
  gint64 give_up_us = g_get_monotonic_time () + WATCHDOG_SECONDS / 2 * G_USEC_PER_SEC;

  for (guint n = 1; __atomic_load_n (atomic_count, __ATOMIC_ACQUIRE) < expected; n++)
    {
      /* Mostly at once: that is when two threads meet. */
      if (n > 6400)
        g_usleep (20);
      else if (n % 64 == 0)
        g_thread_yield ();
      if (n % 1024 == 0 && !is_in_valgrind () && g_get_monotonic_time () > give_up_us)
        g_error ("A wakeup was lost: %u of %u have run, and the loop sleeps", *atomic_count, expected);
    }
}

void
stress_dither (GRand *random)
{
  guint32 choice = g_rand_int (random);
  guint n = (choice & 31) == 0 ? 5000 : (choice & 1) == 0 ? 200 : 20;

  for (volatile guint i = (choice >> 8) % n; i > 0; i--)
    ;
}

GRand *
stress_rand_new (void)
{
  return g_rand_new_with_seed ((guint32) g_test_rand_int ());
}
