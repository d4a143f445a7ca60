/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Other ways to change from one stack to another, with no scheduler around
 * them: each of n contexts hands over to the next one in a ring, from so many
 * calls deep. What a scheduler costs is the difference. */

typedef struct
{
  guint n;
  guint depth;
  guint rounds;
} BareRing;

/* Nanoseconds a hand-over; the data are a BareRing. */
double bare_ucontext_ring (gpointer data);
double bare_threads_ring (gpointer data);
#ifdef HAVE_STATE_THREADS
double bare_st_ring (gpointer data);
#endif
#ifdef HAVE_PTH
double bare_pth_ring (gpointer data);
#endif
#ifdef HAVE_PCL
double bare_pcl_ring (gpointer data);
#endif
#ifdef HAVE_BOOST_CONTEXT
double bare_boost_ring (gpointer data);
/* Nanoseconds to make a context, jump to it and come back; the data are a
 * guint, how many times. */
double bare_boost_spawn (gpointer data);
#endif

/* Stacks like the library's own: sparse, a guard page each, their first frames
 * on different cache sets. Kept until the program ends. */
typedef struct
{
  guint8 *base;
  guint8 *top;
} BareStack;

const BareStack *bare_stacks (guint n);

/* A chain of calls that the compiler may neither inline nor turn into jumps. */
#define BARE_CALLS(name, leaf)                             \
  static __attribute__ ((noinline)) void name (guint depth) \
  {                                                        \
    if (depth > 1)                                         \
      name (depth - 1);                                    \
    else                                                   \
      leaf ();                                             \
    __asm__ volatile ("");                                 \
  }
