/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

/* The processor's own counter, for the time that has passed: cheaper than the
 * clock, and in a unit that has to be measured. Needs no library.
 *
 * x86-64: the time stamp counter. AArch64: the virtual count of the generic timer,
 * which may be read in user mode; a read is not held back by what comes before it,
 * so it can be early by what the processor has in flight, some hundred
 * nanoseconds. Elsewhere: none, and the clock is read instead. */

static inline uint64_t
ct_ticks_now (void)
{
#if defined(__x86_64__)
  return __rdtsc ();
#elif defined(__aarch64__)
  uint64_t ticks;

  __asm__ volatile ("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

/* Whether it counts evenly in every power state, and at the same rate on every
 * processor. */
static inline bool
ct_ticks_are_even (void)
{
#if defined(__x86_64__)
  unsigned eax, ebx, ecx, edx;

  /* An "invariant" counter (AMD64 manual, CPUID 8000_0007 EDX bit 8; the same bit
   * on Intel). */
  return __get_cpuid (0x80000007, &eax, &ebx, &ecx, &edx) && (edx & (1u << 8)) != 0;
#elif defined(__aarch64__)
  /* The architecture says so (Arm ARM, "The system counter"). */
  return true;
#else
  return false;
#endif
}

/* A reading of the counter and one of the clock that are further apart were
 * disturbed by a preemption: some microseconds. */
static inline uint64_t
ct_ticks_max_apart (void)
{
#if defined(__aarch64__)
  uint64_t per_second;

  /* From 1 MHz to 1 GHz. */
  __asm__ ("mrs %0, cntfrq_el0" : "=r"(per_second));
  return per_second / 100000 + 1;
#else
  return 20000;
#endif
}
