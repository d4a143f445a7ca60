/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wall-clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Functions of the C library, defined in the program: it comes first where the
 * libraries look for them. */

static gint64 step; /* atomic, seconds */
static guint n_reads, n_waits; /* atomic */

void
wall_clock_step (gint64 seconds)
{
  __atomic_add_fetch (&step, seconds, __ATOMIC_RELAXED);
}

guint
wall_clock_reads (void)
{
  return __atomic_load_n (&n_reads, __ATOMIC_RELAXED);
}

guint
wall_clock_waits (void)
{
  return __atomic_load_n (&n_waits, __ATOMIC_RELAXED);
}

static gboolean
is_wall_clock (clockid_t id)
{
  return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI || id == CLOCK_REALTIME_ALARM;
}

static void
count_wait (clockid_t id)
{
  if (is_wall_clock (id))
    __atomic_add_fetch (&n_waits, 1, __ATOMIC_RELAXED);
}

__attribute__ ((visibility ("default"))) int
clock_gettime (clockid_t id, struct timespec *when)
{
  int status = (int) syscall (SYS_clock_gettime, id, when);

  if (status == 0 && is_wall_clock (id))
    {
      when->tv_sec += __atomic_load_n (&step, __ATOMIC_RELAXED);
      __atomic_add_fetch (&n_reads, 1, __ATOMIC_RELAXED);
    }
  return status;
}

__attribute__ ((visibility ("default"))) int
gettimeofday (struct timeval *restrict when, G_GNUC_UNUSED void *restrict zone)
{
  struct timespec precise;
  int status = clock_gettime (CLOCK_REALTIME, &precise);

  when->tv_sec = precise.tv_sec;
  when->tv_usec = precise.tv_nsec / 1000;
  return status;
}

__attribute__ ((visibility ("default"))) time_t
time (time_t *result)
{
  struct timespec precise;

  clock_gettime (CLOCK_REALTIME, &precise);
  if (result != NULL)
    *result = precise.tv_sec;
  return precise.tv_sec;
}

__attribute__ ((visibility ("default"))) int
timerfd_create (clockid_t id, int flags)
{
  count_wait (id);
  return (int) syscall (SYS_timerfd_create, id, flags);
}

__attribute__ ((visibility ("default"))) int
clock_nanosleep (clockid_t id, int flags, const struct timespec *when, struct timespec *left)
{
  count_wait (id);
  return syscall (SYS_clock_nanosleep, id, flags, when, left) == 0 ? 0 : errno;
}

__attribute__ ((visibility ("default"))) int
timer_create (clockid_t id, struct sigevent *restrict event, timer_t *restrict timer)
{
  int (*real) (clockid_t, struct sigevent *, timer_t *) = (int (*) (clockid_t, struct sigevent *, timer_t *)) dlsym (RTLD_NEXT, "timer_create");

  count_wait (id);
  return real (id, event, timer);
}

/* Those that know no other clock. */

__attribute__ ((visibility ("default"))) int
sem_timedwait (sem_t *restrict semaphore, const struct timespec *restrict until)
{
  int (*real) (sem_t *, const struct timespec *) = (int (*) (sem_t *, const struct timespec *)) dlsym (RTLD_NEXT, "sem_timedwait");

  count_wait (CLOCK_REALTIME);
  return real (semaphore, until);
}

__attribute__ ((visibility ("default"))) int
pthread_mutex_timedlock (pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
  int (*real) (pthread_mutex_t *, const struct timespec *) =
    (int (*) (pthread_mutex_t *, const struct timespec *)) dlsym (RTLD_NEXT, "pthread_mutex_timedlock");

  count_wait (CLOCK_REALTIME);
  return real (mutex, until);
}
