/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "core/ct-ticks.h"

#include <stdio.h>
#include <time.h>

/* The processor's tick counter against the clock; without GLib, so that it can be
 * built for another processor. */

#define SPAN_NS 50000000
#define MAX_TRIES 200
#define SLICE_NS 2000000

static int n_tests, n_failed;

static void
report (bool is_ok, const char *what)
{
  printf ("%s %d %s\n", is_ok ? "ok" : "not ok", ++n_tests, what);
  n_failed += !is_ok;
}

static void
skip (const char *what)
{
  printf ("ok %d %s # SKIP no such counter, or not known to run evenly\n", ++n_tests, what);
}

static int64_t
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

typedef struct
{
  uint64_t ticks;
  int64_t ns;
} Sample;

/* The library takes one that was disturbed for none, and so does this. */
static bool
take_sample (Sample *sample)
{
  for (int i = 0; i < MAX_TRIES; i++)
    {
      sample->ticks = ct_ticks_now ();
      sample->ns = now_ns ();
      if (ct_ticks_now () - sample->ticks < ct_ticks_max_apart ())
        return true;
    }
  return false;
}

/* Ticks in a nanosecond, or 0. */
static double
measure_rate (void)
{
  Sample begin, end;

  if (!take_sample (&begin))
    return 0;
  while (now_ns () - begin.ns < SPAN_NS)
    ;
  if (!take_sample (&end) || end.ticks <= begin.ticks)
    return 0;
  return (double) (end.ticks - begin.ticks) / (double) (end.ns - begin.ns);
}

static bool
never_goes_back (void)
{
  uint64_t last = ct_ticks_now ();

  for (int i = 0; i < 1000000; i++)
    {
      uint64_t now = ct_ticks_now ();

      if (now < last)
        return false;
      last = now;
    }
  return true;
}

/* Two spans of the same machine; a tenth is what no disturbance of a sample that
 * counts can make of 50 ms. */
static bool
has_one_rate (void)
{
  double one = measure_rate (), other = measure_rate ();

  printf ("# %.6f and %.6f ticks a nanosecond\n", one, other);
  return one > 0 && other > one * 0.9 && other < one * 1.1;
}

/* Fine enough to tell when two milliseconds are nearly over. */
static bool
is_fine_enough (void)
{
  double rate = measure_rate ();

  return rate * SLICE_NS > 1000;
}

/* As the slice does it: the counter says "surely not yet", and then the clock is
 * asked. Whatever the machine does meanwhile, it must have said so at no time when
 * the slice was over, and not have stopped much before. */
static bool
says_not_yet_until_a_slice_is_nearly_over (void)
{
  double rate = measure_rate ();

  for (int i = 0; i < 20; i++)
    {
      Sample begin;
      uint64_t look_ticks;
      int64_t asked_ns, said_so_ns = 0;

      if (rate <= 0 || !take_sample (&begin))
        return false;
      look_ticks = begin.ticks + (uint64_t) (SLICE_NS * 0.98 * rate);
      for (asked_ns = begin.ns; ct_ticks_now () < look_ticks; asked_ns = now_ns ())
        said_so_ns = asked_ns;
      if (said_so_ns - begin.ns > SLICE_NS || now_ns () - begin.ns < SLICE_NS * 9 / 10)
        return false;
    }
  return true;
}

int
main (void)
{
  if (!ct_ticks_are_even ())
    {
      skip ("ticks");
      printf ("1..%d\n", n_tests);
      return 0;
    }
  report (never_goes_back (), "it never goes back");
  report (has_one_rate (), "its rate stays what it is");
  report (is_fine_enough (), "it is fine enough for a slice");
  report (says_not_yet_until_a_slice_is_nearly_over (), "it says not-yet until a slice is nearly over");
  printf ("1..%d\n", n_tests);
  return n_failed > 0;
}
