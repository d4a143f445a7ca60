/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-queue-private.h"
#include "callback/cothread-signal-slot.h"

#include <errno.h>

/**
 * CothreadSignalSlot:
 *
 * A callback that a POSIX signal handler may ask for: raising it is
 * async-signal-safe, needs no memory, and takes no lock. However often it is
 * raised before the callback is called, it is called once, and told how often.
 *
 * A slot is a counted handle, not a #GObject.
 *
 * Since: 0.1
 */
struct _CothreadSignalSlot
{
  guint ref_count; /* atomic, as the next two */
  guint n_raised;  /* since the callback was last called */
  guint is_posted; /* on its way to the callback */
  CothreadMail mail;
  CothreadCallbackQueue *queue; /* referenced */
  CothreadSignalSlotFunc func;
  gpointer user_data;
  GDestroyNotify user_data_destroy;
};

G_DEFINE_BOXED_TYPE (CothreadSignalSlot, cothread_signal_slot, cothread_signal_slot_ref, cothread_signal_slot_unref)

static void
call (gpointer data)
{
  CothreadSignalSlot *self = data;
  guint n_raised;

  /* In the opposite order of raise(): what is counted after this posts anew. */
  __atomic_store_n (&self->is_posted, FALSE, __ATOMIC_SEQ_CST);
  n_raised = __atomic_exchange_n (&self->n_raised, 0, __ATOMIC_SEQ_CST);
  if (n_raised > 0)
    self->func (n_raised, self->user_data);
}

static void
unref (gpointer data)
{
  cothread_signal_slot_unref (data);
}

/* On the scheduler's thread, with the reference that raise() took. At shutdown
 * the queue is closed already, and takes nothing. */
static void
deliver (CothreadMail *mail)
{
  CothreadSignalSlot *self = CT_CONTAINER_OF (mail, CothreadSignalSlot, mail);
  CothreadEntry entry = cothread_entry (COTHREAD_CALLBACK_DEFAULT, call, self, unref);

  cothread_callback_queue_post_always (self->queue, &entry);
}

/**
 * cothread_signal_slot_new: (skip)
 * @queue: a callback queue of the calling thread
 * @func: what to call
 * @user_data: passed to @func
 * @user_data_destroy: (nullable): frees the user data, when the last reference
 *   is dropped
 *
 * Makes a slot. Its callback is an entry of @queue like others, in its order and
 * counted with them, except that it needs no room: a full queue takes one more
 * for each slot.
 *
 * Returns: (transfer full): a new slot
 *
 * Since: 0.1
 */
CothreadSignalSlot *
cothread_signal_slot_new (CothreadCallbackQueue *queue,
                          CothreadSignalSlotFunc func,
                          gpointer user_data,
                          GDestroyNotify user_data_destroy)
{
  CothreadSignalSlot *self;

  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (queue), NULL);
  g_return_val_if_fail (cothread_callback_queue_is_own_thread (queue), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  self = g_new0 (CothreadSignalSlot, 1);
  self->ref_count = 1;
  self->mail.deliver = deliver;
  self->queue = g_object_ref (queue);
  self->func = func;
  self->user_data = user_data;
  self->user_data_destroy = user_data_destroy;
  return self;
}

/**
 * cothread_signal_slot_ref:
 * @slot: a slot
 *
 * Takes a reference, in any thread.
 *
 * Returns: (transfer full): @slot
 *
 * Since: 0.1
 */
CothreadSignalSlot *
cothread_signal_slot_ref (CothreadSignalSlot *slot)
{
  g_return_val_if_fail (slot != NULL, NULL);
  __atomic_fetch_add (&slot->ref_count, 1, __ATOMIC_RELAXED);
  return slot;
}

/**
 * cothread_signal_slot_unref:
 * @slot: (nullable) (transfer full): a slot
 *
 * Drops a reference. To be called on the scheduler's thread, and only when no
 * signal handler can raise the slot through this reference any more; a slot
 * that is raised keeps itself until its callback has returned.
 *
 * Since: 0.1
 */
void
cothread_signal_slot_unref (CothreadSignalSlot *slot)
{
  if (slot == NULL || __atomic_sub_fetch (&slot->ref_count, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  if (slot->user_data_destroy != NULL)
    slot->user_data_destroy (slot->user_data);
  g_object_unref (slot->queue);
  g_free (slot);
}

/**
 * cothread_signal_slot_raise: (skip)
 * @slot: (nullable): a slot
 *
 * Asks for the callback, from a signal handler in any thread, or from anywhere
 * else. Async-signal-safe; `errno` stays as it is. If the queue is closed, or
 * belongs to the parent of this process, or where there is no slot (a signal may
 * come before it was made), nothing happens: nobody may complain in a handler.
 *
 * Since: 0.1
 */
void
cothread_signal_slot_raise (CothreadSignalSlot *slot)
{
  int saved_errno = errno;

  if (slot == NULL || cothread_callback_queue_is_of_parent (slot->queue))
    return;
  __atomic_add_fetch (&slot->n_raised, 1, __ATOMIC_SEQ_CST);
  if (!__atomic_exchange_n (&slot->is_posted, TRUE, __ATOMIC_SEQ_CST))
    {
      __atomic_fetch_add (&slot->ref_count, 1, __ATOMIC_RELAXED);
      /* Shut down: the caller's reference is not the last one, and it stays
       * posted for ever. */
      if (!cothread_scheduler_post_mail_from_signal (slot->queue->scheduler, &slot->mail))
        __atomic_fetch_sub (&slot->ref_count, 1, __ATOMIC_RELAXED);
    }
  errno = saved_errno;
}
