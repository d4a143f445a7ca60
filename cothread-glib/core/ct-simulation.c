/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-simulation.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NOT_PRETENDED (-1)
#define UNASKED (POLLERR | POLLHUP | POLLNVAL)

static CtSimulation *
simulation_of (CtPoller *poller)
{
  return CT_CONTAINER_OF (poller->klass, CtSimulation, klass);
}

static gint64
now (gpointer data)
{
  return ((CtSimulation *) data)->now_us;
}

CtClock
ct_simulation_get_clock (CtSimulation *self)
{
  return (CtClock) { now, self, TRUE };
}

static gint
ready_on (const CtSimulation *self, gint fd)
{
  return fd >= 0 && (guint) fd < self->pretended->len ? g_array_index (self->pretended, gint, fd) : NOT_PRETENDED;
}

static void
ring (CtSimulation *self)
{
  guint64 one = 1;

  while (write (self->bell_fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

static int
arm (CtPoller *poller, gint fd, gushort events, gboolean kept)
{
  CtSimulation *self = simulation_of (poller);
  gint ready = ready_on (self, fd);

  if (ready == NOT_PRETENDED)
    return self->backend->arm (poller, fd, events, kept);
  if ((ready & POLLNVAL) != 0)
    return EBADF;
  if ((ready & (events | UNASKED)) != 0)
    ring (self);
  return 0;
}

static void
disarm (CtPoller *poller, gint fd)
{
  CtSimulation *self = simulation_of (poller);

  if (ready_on (self, fd) == NOT_PRETENDED)
    self->backend->disarm (poller, fd);
}

/* In the order of their numbers, whatever order they became ready in: the seed
 * has the say over what runs first. */
static void
tell_what_is_ready (CtFdWatch *bell)
{
  CtSimulation *self = CT_CONTAINER_OF (bell, CtSimulation, bell);
  CtPoller *poller = self->poller;
  guint64 count;

  while (read (self->bell_fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
  for (guint fd = 0; fd < self->pretended->len; fd++)
    {
      gint ready = ready_on (self, (gint) fd);
      CtPollerSlot *slot = &poller->slots[fd];

      if (ready <= 0 || !slot->is_armed || (ready & (slot->events | UNASKED)) == 0)
        continue;
      slot->is_kept = FALSE; /* there are no edges: ready until told otherwise */
      ct_poller_report (poller, (gint) fd, (gushort) (ready & (slot->events | UNASKED)));
    }
}

/* Only where no main loop drives the scheduler: at its shutdown. */
static void
pass_time (CtPoller *poller, gint64 timeout_us)
{
  CtSimulation *self = simulation_of (poller);
  guint64 generation = poller->generation;

  self->backend->wait (poller, self->holds > 0 || timeout_us < 0 ? timeout_us : 0);
  if (self->holds == 0 && timeout_us > 0 && poller->generation == generation)
    self->now_us += timeout_us;
}

static void
list (CtPoller *poller, GArray *fds)
{
  CtSimulation *self = simulation_of (poller);

  self->backend->list (poller, fds);
  for (guint i = fds->len; i-- > 0;)
    if (ready_on (self, g_array_index (fds, GPollFD, i).fd) != NOT_PRETENDED)
      g_array_remove_index (fds, i);
}

static gint
look (CtPoller *poller, GPollFD *fds, guint n_fds)
{
  CtSimulation *self = simulation_of (poller);
  gint n = 0;

  for (guint i = 0; i < n_fds; i++)
    {
      gint ready = ready_on (self, fds[i].fd);

      fds[i].revents = 0;
      if (ready == NOT_PRETENDED)
        g_poll (&fds[i], 1, 0);
      else
        fds[i].revents = (gushort) (ready & (fds[i].events | UNASKED));
      n += fds[i].revents != 0;
    }
  return n;
}

static void
free_simulation (CtPoller *poller)
{
  CtSimulation *self = simulation_of (poller);

  close (self->bell_fd); /* its watch goes with the poller's table */
  g_array_unref (self->pretended);
  self->backend->free (poller);
  g_free (self);
}

CtSimulation *
ct_simulation_new (CtPoller *poller, guint64 seed, GError **error)
{
  gint bell_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  CtSimulation *self;
  int failure;

  if (bell_fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "eventfd: %s", g_strerror (errno));
      ct_poller_free (poller);
      return NULL;
    }
  self = g_new0 (CtSimulation, 1);
  self->backend = poller->klass;
  self->klass = *poller->klass;
  self->klass.arm = arm;
  self->klass.disarm = disarm;
  self->klass.wait = pass_time;
  self->klass.list = list;
  self->klass.look = look;
  self->klass.free = free_simulation;
  self->poller = poller;
  self->now_us = CT_SIMULATION_START_US;
  self->seed = self->random = seed;
  self->pretended = g_array_new (FALSE, FALSE, sizeof (gint));
  self->bell_fd = bell_fd;
  self->bell = (CtFdWatch) { .fd = bell_fd, .events = POLLIN, .notify = tell_what_is_ready };
  poller->klass = &self->klass;
  failure = ct_poller_add (poller, &self->bell);
  if (failure == 0)
    return self;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failure), "Simulated descriptors: %s", g_strerror (failure));
  ct_poller_free (poller);
  return NULL;
}

void
ct_simulation_pretend (CtSimulation *self, gint fd, gushort ready)
{
  CtPollerSlot *slot;

  g_return_if_fail (fd >= 0 && fd <= CT_SIMULATION_MAX_FD);
  while (self->pretended->len <= (guint) fd)
    {
      gint not_yet = NOT_PRETENDED;

      g_array_append_val (self->pretended, not_yet);
    }
  slot = ct_poller_ensure_slot (self->poller, fd);
  if (slot->is_armed && ready_on (self, fd) == NOT_PRETENDED)
    self->backend->disarm (self->poller, fd);
  g_array_index (self->pretended, gint, fd) = ready;
  self->poller->generation++; /* it is listed no more */
  if (slot->is_armed && (ready & (slot->events | UNASKED)) != 0)
    ring (self);
}

gboolean
ct_simulation_has_outside (const CtSimulation *self)
{
  if (self->holds > 0)
    return TRUE;
  for (guint fd = 0; fd < self->poller->n_slots; fd++)
    {
      CtLink *first = self->poller->slots[fd].watches.next;

      if (first != &self->poller->slots[fd].watches && ready_on (self, (gint) fd) == NOT_PRETENDED &&
          CT_CONTAINER_OF (first, CtFdWatch, waiter.link)->notify == NULL)
        return TRUE;
    }
  return FALSE;
}

/* splitmix64 (Steele, Lea and Flood, 2014): a sequence of our own, so that a
 * seed means the same with every version of every library. */
static guint64
next_random (CtSimulation *self)
{
  guint64 z = self->random += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  guint64 first = (*(CtTask *const *) a)->id;
  guint64 second = (*(CtTask *const *) b)->id;

  return first < second ? -1 : first > second;
}

/* Tasks start in the order in which they were spawned, whatever the seed: each
 * place that was drawn for a task that never ran goes to the next of those. */
static void
keep_order_of_new_tasks (CtTask **tasks, guint n)
{
  g_autofree CtTask **fresh = g_new (CtTask *, n);
  guint n_fresh = 0;
  guint taken = 0;

  for (guint i = 0; i < n; i++)
    if (tasks[i]->switches == 0 && tasks[i]->kind != CT_TASK_MAIN)
      fresh[n_fresh++] = tasks[i];
  if (n_fresh < 2)
    return;
  qsort (fresh, n_fresh, sizeof *fresh, compare_ids);
  for (guint i = 0; i < n; i++)
    if (tasks[i]->switches == 0 && tasks[i]->kind != CT_TASK_MAIN)
      tasks[i] = fresh[taken++];
}

void
ct_simulation_arrange (CtScheduler *scheduler)
{
  CtSimulation *self = ct_simulation_of (scheduler);
  guint n = scheduler->tick.length;
  g_autofree CtTask **tasks = NULL;

  if (n < 2)
    return;
  tasks = g_new (CtTask *, n);
  for (guint i = 0; i < n; i++)
    tasks[i] = CT_CONTAINER_OF (ct_queue_pop (&scheduler->tick), CtTask, link);
  for (guint i = n - 1; i > 0; i--)
    {
      guint j = (guint) (next_random (self) % (i + 1));
      CtTask *task = tasks[i];

      tasks[i] = tasks[j];
      tasks[j] = task;
    }
  keep_order_of_new_tasks (tasks, n);
  for (guint i = 0; i < n; i++)
    ct_queue_push (&scheduler->tick, &tasks[i]->link);
}
