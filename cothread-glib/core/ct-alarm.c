/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/ct-alarm.h"

#ifdef HAVE_IO_URING

#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define RING_ENTRIES 8

static gboolean
map_rings (CtAlarm *self, const struct io_uring_params *params)
{
  guint8 *rings;

  self->rings_bytes = MAX (params->sq_off.array + params->sq_entries * sizeof (guint),
                           params->cq_off.cqes + params->cq_entries * sizeof (struct io_uring_cqe));
  self->entries_bytes = params->sq_entries * sizeof (struct io_uring_sqe);
  rings = mmap (NULL, self->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, self->ring_fd, IORING_OFF_SQ_RING);
  if (rings == MAP_FAILED)
    return FALSE;
  self->rings = rings;
  self->entries = mmap (NULL, self->entries_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, self->ring_fd, IORING_OFF_SQES);
  if (self->entries == MAP_FAILED)
    {
      self->entries = NULL;
      return FALSE;
    }
  self->submit_tail = (guint *) (void *) (rings + params->sq_off.tail);
  self->submit_mask = *(guint *) (void *) (rings + params->sq_off.ring_mask);
  self->submit_array = (guint *) (void *) (rings + params->sq_off.array);
  self->head = (guint *) (void *) (rings + params->cq_off.head);
  self->tail = (guint *) (void *) (rings + params->cq_off.tail);
  self->owner_pid = getpid ();
  self->word = self->tail;
  self->seen = *self->tail;
  return TRUE;
}

static gboolean
open_ring (CtAlarm *self)
{
  struct io_uring_params params = { 0 };

  if (self->is_unavailable)
    return FALSE;
  self->ring_fd = RUNNING_ON_VALGRIND ? -1 : (int) syscall (__NR_io_uring_setup, RING_ENTRIES, &params);
  if (self->ring_fd >= 0 && (params.features & IORING_FEAT_SINGLE_MMAP) != 0 && map_rings (self, &params))
    return TRUE;
  ct_alarm_clear (self);
  self->is_unavailable = TRUE;
  return FALSE;
}

/* The ring works no more: whoever looks at the word is told to look at the
 * clock instead. The memory stays, because they may be looking at any time. */
static void
give_up (CtAlarm *self)
{
  self->is_unavailable = TRUE;
  self->word = NULL;
  __atomic_store_n (self->tail, self->seen + 1, __ATOMIC_RELEASE);
}

/* The child of a fork shares the ring's memory with its parent. It must neither
 * submit to that ring nor take completions from it, so it puts memory of its
 * own in the same place. */
static gboolean
is_inherited (CtAlarm *self)
{
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

  if (self->rings == NULL || self->owner_pid == getpid ())
    return FALSE;
  self->owner_pid = getpid ();
  if (mmap (self->rings, self->rings_bytes, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED &&
      mmap (self->entries, self->entries_bytes, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED)
    give_up (self);
  self->is_unavailable = TRUE;
  self->word = NULL;
  return TRUE;
}

gboolean
ct_alarm_set (CtAlarm *self, gint64 end_us, gint64 delay_us)
{
  /* Read by the kernel before io_uring_enter() returns. */
  struct __kernel_timespec delay = { delay_us / G_USEC_PER_SEC, delay_us % G_USEC_PER_SEC * 1000 };
  struct io_uring_sqe *entry;
  guint tail;

  if (is_inherited (self) || (self->word == NULL && !open_ring (self)))
    return FALSE;
  if (__atomic_load_n (self->tail, __ATOMIC_RELAXED) != self->seen)
    ct_alarm_acknowledge (self);
  /* One that goes off before is as good: whoever looks then sets it again. */
  if (self->pending_us != 0 && self->pending_us <= end_us)
    return TRUE;
  tail = *self->submit_tail;
  entry = (struct io_uring_sqe *) self->entries + (tail & self->submit_mask);
  memset (entry, 0, sizeof *entry);
  entry->opcode = IORING_OP_TIMEOUT;
  entry->addr = (guint64) (gsize) &delay;
  entry->len = 1;
  self->submit_array[tail & self->submit_mask] = tail & self->submit_mask;
  __atomic_store_n (self->submit_tail, tail + 1, __ATOMIC_RELEASE);
  if (syscall (__NR_io_uring_enter, self->ring_fd, 1, 0, 0, NULL, 0) != 1)
    {
      give_up (self);
      return FALSE;
    }
  self->pending_us = end_us;
  return TRUE;
}

void
ct_alarm_acknowledge (CtAlarm *self)
{
  if (self->word == NULL || is_inherited (self))
    return;
  /* The completions say nothing but "now"; make room for more. */
  self->seen = __atomic_load_n (self->tail, __ATOMIC_ACQUIRE);
  __atomic_store_n (self->head, self->seen, __ATOMIC_RELEASE);
  self->pending_us = 0;
}

void
ct_alarm_clear (CtAlarm *self)
{
  if (self->rings != NULL)
    munmap (self->rings, self->rings_bytes);
  if (self->entries != NULL)
    munmap (self->entries, self->entries_bytes);
  if (self->rings != NULL || self->ring_fd > 0)
    close (self->ring_fd);
  *self = (CtAlarm) { .is_unavailable = self->is_unavailable };
}

#else

gboolean
ct_alarm_set (CtAlarm *self, G_GNUC_UNUSED gint64 end_us, G_GNUC_UNUSED gint64 delay_us)
{
  self->is_unavailable = TRUE;
  return FALSE;
}

void
ct_alarm_acknowledge (G_GNUC_UNUSED CtAlarm *self)
{
}

void
ct_alarm_clear (G_GNUC_UNUSED CtAlarm *self)
{
}

#endif
