/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-poller.h"
#include "core/ct-scheduler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#define WATCHES_A_BLOCK 62 /* about a page */
#define TO_EVERYBODY (POLLERR | POLLHUP | POLLNVAL)

void
ct_poller_init (CtPoller *poller, const CtPollerClass *klass)
{
  poller->klass = klass;
  poller->watch_blocks = g_ptr_array_new_with_free_func (g_aligned_free);
}

void
ct_poller_clear (CtPoller *poller)
{
  g_clear_pointer (&poller->slots, g_aligned_free);
  g_clear_pointer (&poller->stacks_ahead, g_free);
  g_clear_pointer (&poller->lingering, g_free);
  g_clear_pointer (&poller->watch_blocks, g_ptr_array_unref);
  poller->n_slots = poller->n_lingering = poller->n_lingering_allocated = 0;
}

void
ct_poller_free (CtPoller *poller)
{
  if (poller == NULL)
    return;
  if (poller->silenced != NULL)
    poller->klass = poller->silenced;
  poller->klass->free (poller);
}

static int
refuse_to_arm (G_GNUC_UNUSED CtPoller *poller, G_GNUC_UNUSED gint fd, G_GNUC_UNUSED gushort events, G_GNUC_UNUSED gboolean kept)
{
  return EBADF;
}

static void
leave_armed (G_GNUC_UNUSED CtPoller *poller, G_GNUC_UNUSED gint fd)
{
}

static void
wait_for_nothing (G_GNUC_UNUSED CtPoller *poller, G_GNUC_UNUSED gint64 timeout_us)
{
}

static void
list_nothing (G_GNUC_UNUSED CtPoller *poller, G_GNUC_UNUSED GArray *fds)
{
}

static void
collect_nothing (G_GNUC_UNUSED CtPoller *poller, G_GNUC_UNUSED const GPollFD *ready, G_GNUC_UNUSED guint n_ready)
{
}

static gboolean
fetch_nothing (G_GNUC_UNUSED CtPoller *poller)
{
  return FALSE;
}

static const CtPollerClass silent_class = {
  .name = "none",
  .arm = refuse_to_arm,
  .disarm = leave_armed,
  .wait = wait_for_nothing,
  .list = list_nothing,
  .collect = collect_nothing,
  .fetch = fetch_nothing,
};

void
ct_poller_silence (CtPoller *poller)
{
  if (poller->silenced != NULL)
    return;
  poller->silenced = poller->klass;
  poller->klass = &silent_class;
}

/* The links of a slot point into the slot, so growing the table has to mend
 * them. */
static void
grow (CtPoller *poller, guint n_slots)
{
  CtPollerSlot *slots = g_aligned_alloc0 (n_slots, sizeof (CtPollerSlot), CT_CACHE_LINE);

  for (guint i = 0; i < n_slots; i++)
    {
      if (i < poller->n_slots)
        slots[i] = poller->slots[i];
      ct_link_init (&slots[i].watches);
      if (i >= poller->n_slots)
        continue;
      if (ct_link_is_linked (&poller->slots[i].watches))
        {
          ct_link_insert_before (&poller->slots[i].watches, &slots[i].watches);
          ct_link_unlink (&poller->slots[i].watches);
        }
    }
  g_aligned_free (poller->slots);
  poller->stacks_ahead = g_renew (gconstpointer, poller->stacks_ahead, n_slots);
  for (guint i = poller->n_slots; i < n_slots; i++)
    poller->stacks_ahead[i] = NULL;
  poller->slots = slots;
  poller->n_slots = n_slots;
}

CtPollerSlot *
ct_poller_ensure_slot (CtPoller *poller, gint fd)
{
  if ((guint) fd >= poller->n_slots)
    grow (poller, MAX (64, (guint) fd + (guint) fd / 2 + 1));
  return &poller->slots[fd];
}

static void
make_watches (CtPoller *poller)
{
  CtFdWatch *block = g_aligned_alloc0 (WATCHES_A_BLOCK, sizeof (CtFdWatch), CT_CACHE_LINE);

  g_ptr_array_add (poller->watch_blocks, block);
  for (guint i = WATCHES_A_BLOCK; i-- > 0;)
    ct_poller_give_watch (poller, &block[i]);
}

CtFdWatch *
ct_poller_take_watch (CtPoller *poller)
{
  CtFdWatch *watch;

  if (poller->free_watches == NULL)
    make_watches (poller);
  watch = poller->free_watches;
  poller->free_watches = (CtFdWatch *) watch->waiter.next;
  return watch;
}

void
ct_poller_give_watch (CtPoller *poller, CtFdWatch *watch)
{
  watch->waiter.next = (CtWaiter *) poller->free_watches;
  poller->free_watches = watch;
}

static gushort
wanted_events (const CtPollerSlot *slot)
{
  gushort events = 0;

  for (CtLink *link = slot->watches.next; link != &slot->watches; link = link->next)
    events |= CT_CONTAINER_OF (link, CtFdWatch, waiter.link)->events;
  return events;
}

/* `events`: for everybody who waits. */
static int
arm (CtPoller *poller, gint fd, gushort events, gboolean kept)
{
  CtPollerSlot *slot = &poller->slots[fd];
  int failure = poller->klass->arm (poller, fd, events, kept);

  if (failure != 0)
    return failure;
  slot->events = events;
  slot->is_armed = TRUE;
  slot->is_kept = kept && poller->klass->can_keep;
  slot->untaken = 0;
  return 0;
}

/* Whether the next edge will be reported, and none of interest has been since
 * the file was drained. */
static gboolean
is_armed_for (const CtPollerSlot *slot, const CtFdWatch *watch)
{
  return watch->is_drained && slot->is_kept && (watch->events & ~slot->events) == 0 &&
         (slot->untaken & (watch->events | TO_EVERYBODY)) == 0;
}

int
ct_poller_add (CtPoller *poller, CtFdWatch *watch)
{
  CtPollerSlot *slot;

  ct_link_init (&watch->waiter.link);
  watch->is_added = FALSE;
  watch->revents = 0;
  if (watch->fd < 0)
    return EBADF;
  /* The table grows only for descriptors that exist. */
  if ((guint) watch->fd >= poller->n_slots && fcntl (watch->fd, F_GETFD) < 0)
    return errno;
  slot = ct_poller_ensure_slot (poller, watch->fd);
  if (!is_armed_for (slot, watch))
    {
      gushort events = wanted_events (slot) | watch->events;
      gboolean kept = watch->is_drained || watch->notify != NULL;
      int failure;

      /* Who reads and writes by turns needs one registration for both. */
      if (kept && slot->is_kept)
        events |= slot->events;
      /* Armed already, for somebody who waits at this moment; but if the number
       * went to another file meanwhile, only asking again can tell. */
      failure = arm (poller, watch->fd, events, kept);
      if (failure == EPERM)
        {
          watch->revents = watch->events & (POLLIN | POLLOUT);
          return 0;
        }
      if (failure != 0)
        return failure;
    }
  ct_link_insert_before (&slot->watches, &watch->waiter.link);
  if (watch->waiter.task != NULL && watch->waiter.task->kind == CT_TASK_NATIVE)
    {
      slot->task_ahead = watch->waiter.task;
      poller->stacks_ahead[watch->fd] = __builtin_frame_address (0);
    }
  watch->is_added = TRUE;
  if (watch->notify == NULL)
    poller->n_watches++;
  poller->generation++;
  return 0;
}

static void
disarm (CtPoller *poller, gint fd)
{
  CtPollerSlot *slot = &poller->slots[fd];

  poller->klass->disarm (poller, fd);
  slot->is_armed = slot->is_kept = FALSE;
}

static void
linger (CtPoller *poller, gint fd)
{
  CtPollerSlot *slot = &poller->slots[fd];

  if (slot->is_lingering)
    return;
  slot->is_lingering = TRUE;
  if (poller->n_lingering == poller->n_lingering_allocated)
    {
      poller->n_lingering_allocated = MAX (16, 2 * poller->n_lingering_allocated);
      poller->lingering = g_renew (gint, poller->lingering, poller->n_lingering_allocated);
    }
  poller->lingering[poller->n_lingering++] = fd;
}

void
ct_poller_remove (CtPoller *poller, CtFdWatch *watch)
{
  CtPollerSlot *slot;

  if (!watch->is_added)
    return;
  watch->is_added = FALSE;
  slot = &poller->slots[watch->fd];
  ct_link_unlink (&watch->waiter.link);
  if (slot->task_ahead == watch->waiter.task)
    {
      slot->task_ahead = NULL;
      poller->stacks_ahead[watch->fd] = NULL;
    }
  if (watch->notify == NULL)
    poller->n_watches--;
  poller->generation++;
  if (ct_link_is_linked (&slot->watches) || !slot->is_armed)
    return;
  /* A stale one-shot registration would cost at most one idle wakeup, but a
   * parked program must not have even that. A kept one will most likely be
   * wanted again before the loop sleeps. */
  if (!slot->is_kept || watch->notify != NULL)
    disarm (poller, watch->fd);
  else
    linger (poller, watch->fd);
}

void
ct_poller_settle_slowly (CtPoller *poller)
{
  for (guint i = 0; i < poller->n_lingering; i++)
    {
      gint fd = poller->lingering[i];
      CtPollerSlot *slot = &poller->slots[fd];

      slot->is_lingering = FALSE;
      if (slot->is_kept && !ct_link_is_linked (&slot->watches))
        disarm (poller, fd);
    }
  poller->n_lingering = 0;
}

/* Waking one task unlinks all its registrations, perhaps several on this very
 * list, so no position in the list survives and each search begins anew. */
static CtFdWatch *
next_to_tell (CtPollerSlot *slot, gushort revents, gushort given)
{
  for (CtLink *link = slot->watches.next; link != &slot->watches; link = link->next)
    {
      CtFdWatch *watch = CT_CONTAINER_OF (link, CtFdWatch, waiter.link);
      gushort mine = revents & (watch->events | TO_EVERYBODY);

      if ((mine & ~given) != 0 || (mine & TO_EVERYBODY) != 0)
        return watch;
    }
  return NULL;
}

/* For those who go on waiting after a report. */
static void
rearm (CtPoller *poller, gint fd, gushort given)
{
  CtPollerSlot *slot = &poller->slots[fd];
  gushort events = wanted_events (slot);

  /* Of a kept one the next edge comes by itself. But somebody may leave
   * something of what was given to him to the others; and what woke the loop in
   * vain must not do so again. */
  if (slot->is_armed && given != 0 && (events & given) == 0)
    return;
  if (arm (poller, fd, events, slot->is_kept) == 0)
    return;
  slot->is_armed = slot->is_kept = FALSE;
  ct_poller_report (poller, fd, POLLNVAL);
}

/* Of two tasks that wait for the same event one is woken, and the descriptor
 * stays armed for the other; errors go to everybody. */
void
ct_poller_report (CtPoller *poller, gint fd, gushort revents)
{
  CtPollerSlot *slot;
  CtFdWatch *watch;
  gushort given = 0;

  if (fd < 0 || (guint) fd >= poller->n_slots)
    return;
  slot = &poller->slots[fd];
  slot->is_armed = slot->is_kept;
  poller->generation++;
  while ((watch = next_to_tell (slot, revents, given)) != NULL)
    {
      watch->revents = revents & (watch->events | TO_EVERYBODY);
      given |= watch->revents;
      if (watch->notify != NULL)
        {
          slot->is_armed = TRUE;
          watch->notify (watch);
          return;
        }
      ct_task_fire (watch->waiter.task, CT_WAKE_NORMAL, &watch->waiter);
    }
  slot->untaken |= revents & (gushort) (TO_EVERYBODY | ~given);
  if (ct_link_is_linked (&slot->watches))
    rearm (poller, fd, given);
}

gint
ct_poller_look (CtPoller *poller, GPollFD *fds, guint n_fds)
{
  return poller->klass->look != NULL ? poller->klass->look (poller, fds, n_fds) : g_poll (fds, n_fds, 0);
}

void
ct_poller_forget (CtPoller *poller, gint fd)
{
  CtPollerSlot *slot;

  if (fd < 0 || (guint) fd >= poller->n_slots)
    return;
  slot = &poller->slots[fd];
  if (slot->is_armed)
    disarm (poller, fd);
  slot->is_kept = FALSE;
  slot->untaken = 0;
  ct_poller_report (poller, fd, POLLNVAL);
  slot->untaken = 0;
}

void
ct_poller_sweep (CtPoller *poller)
{
  if (poller->klass->is_lost == NULL)
    return;
  for (guint i = 0; i < poller->n_slots; i++)
    {
      CtPollerSlot *slot = &poller->slots[i];

      if (ct_link_is_linked (&slot->watches) && slot->is_armed && poller->klass->is_lost (poller, (gint) i))
        ct_poller_forget (poller, (gint) i);
    }
}
