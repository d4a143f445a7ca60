/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callback/cothread-callback-enums.h"
#include "callback/cothread-callback-queue-private.h"

/**
 * CothreadCallbackQueue:
 *
 * Brings work from any thread to the thread of a scheduler: bounded, in order,
 * in slices, and counted.
 *
 * Callbacks run inside the scheduler's turns, and a turn that has used up its
 * time slice lets the rest of the program have its own; so a long queue makes
 * nobody wait.
 *
 * Each scheduler has a queue, see cothread_scheduler_get_callback_queue(); a
 * program can make more. Posting is for any thread; all else belongs on the
 * scheduler's.
 *
 * Entries that the running turn has in hand are not dropped to make room any
 * more: at most 64, and at most an eighth of the bound.
 *
 * Since: 0.1
 */

#define DEFAULT_MAX_LENGTH 100000
#define DEFAULT_MAX_SUSPENDED 64
#define MAX_YIELDS 100

G_DEFINE_FINAL_TYPE (CothreadCallbackQueue, cothread_callback_queue, G_TYPE_OBJECT)

enum
{
  PROP_SCHEDULER = 1,
  PROP_NAME,
  PROP_MAX_LENGTH,
  PROP_OVERFLOW,
  PROP_BLOCK_TIMEOUT,
  PROP_MAX_SUSPENDED,
  PROP_PRIORITY,
  PROP_LOW_WATERMARK,
  PROP_HIGH_WATERMARK,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/* In a child the lock may be held by a thread that did not come along, and those
 * who wait for something are its threads, too. */
static void
repair_after_fork (CothreadCallbackQueue *self)
{
  if (cothread_callback_queue_is_of_parent (self))
    {
      pthread_mutex_init (&self->lock, NULL);
      pthread_cond_init (&self->room_cond, NULL);
      g_queue_init (&self->room_replies);
      ct_link_init (&self->flushes);
      self->n_blocked = 0;
      cothread_chain_forked (&self->chain);
    }
}

static void
cothread_callback_queue_finalize (GObject *object)
{
  CothreadCallbackQueue *self = COTHREAD_CALLBACK_QUEUE (object);

  repair_after_fork (self);
  pthread_mutex_destroy (&self->lock);
  pthread_cond_destroy (&self->room_cond);
  g_clear_pointer (&self->keys, g_hash_table_unref);
  cothread_chain_clear (&self->chain);
  g_free (self->timing);
  g_queue_clear (&self->idle_runners);
  g_clear_object (&self->scheduler);
  g_free (self->name);
  G_OBJECT_CLASS (cothread_callback_queue_parent_class)->finalize (object);
}

static void
deliver_mail (CothreadMail *mail)
{
  CothreadCallbackQueue *self = CT_CONTAINER_OF (mail, CothreadCallbackQueue, mail);

  __atomic_store_n (&self->rest, COTHREAD_REST_NONE, __ATOMIC_SEQ_CST);
  cothread_callback_queue_nudge (self);
  g_object_unref (self);
}

static void
shut_down (CtLink *link)
{
  CothreadShutdownHook *hook = CT_CONTAINER_OF (link, CothreadShutdownHook, link);

  cothread_callback_queue_close (CT_CONTAINER_OF (hook, CothreadCallbackQueue, shutdown_hook));
}

CothreadCallbackQueue *
cothread_callback_queue_from_hook (CtLink *link)
{
  CothreadShutdownHook *hook = CT_CONTAINER_OF (link, CothreadShutdownHook, link);

  return hook->run == shut_down ? CT_CONTAINER_OF (hook, CothreadCallbackQueue, shutdown_hook) : NULL;
}

static void
cothread_callback_queue_constructed (GObject *object)
{
  CothreadCallbackQueue *self = COTHREAD_CALLBACK_QUEUE (object);

  G_OBJECT_CLASS (cothread_callback_queue_parent_class)->constructed (object);

  self->mail.deliver = deliver_mail;
  self->shutdown_hook.run = shut_down;
  ct_link_init (&self->shutdown_hook.link);
  if (self->scheduler == NULL)
    g_set_object (&self->scheduler, cothread_scheduler_ensure (NULL));
  if (self->scheduler == NULL || self->scheduler->is_shut_down ||
      !cothread_scheduler_is_own_thread (self->scheduler))
    {
      g_critical ("A callback queue is made on the thread of a scheduler that is not shut down");
      self->chain.tail |= COTHREAD_CHAIN_CLOSED;
      return;
    }
  ct_link_insert_before (&self->scheduler->shutdown_hooks, &self->shutdown_hook.link);
  cothread_callback_queue_start_drainer (self);
  cothread_callback_queue_enlist (self);
  g_object_ref (self); /* the scheduler's, until the queue is closed */
}

static void
cothread_callback_queue_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CothreadCallbackQueue *self = COTHREAD_CALLBACK_QUEUE (object);

  switch (id)
    {
    case PROP_SCHEDULER:
      g_value_set_object (value, self->scheduler);
      break;
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_MAX_LENGTH:
      g_value_set_uint (value, cothread_callback_queue_get_max_length (self));
      break;
    case PROP_OVERFLOW:
      g_value_set_enum (value, cothread_callback_queue_get_overflow (self));
      break;
    case PROP_BLOCK_TIMEOUT:
      g_value_set_int64 (value, self->block_timeout_us);
      break;
    case PROP_MAX_SUSPENDED:
      g_value_set_uint (value, self->max_runners);
      break;
    case PROP_PRIORITY:
      g_value_set_int (value, self->priority);
      break;
    case PROP_LOW_WATERMARK:
      g_value_set_uint (value, cothread_callback_queue_get_low_watermark (self));
      break;
    case PROP_HIGH_WATERMARK:
      g_value_set_uint (value, cothread_callback_queue_get_high_watermark (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_callback_queue_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  CothreadCallbackQueue *self = COTHREAD_CALLBACK_QUEUE (object);

  switch (id)
    {
    case PROP_SCHEDULER:
      self->scheduler = g_value_dup_object (value);
      break;
    case PROP_NAME:
      self->name = g_value_dup_string (value);
      break;
    case PROP_MAX_LENGTH:
      cothread_callback_queue_set_max_length (self, g_value_get_uint (value));
      break;
    case PROP_OVERFLOW:
      cothread_callback_queue_set_overflow (self, g_value_get_enum (value));
      break;
    case PROP_BLOCK_TIMEOUT:
      cothread_callback_queue_set_block_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_MAX_SUSPENDED:
      g_return_if_fail (cothread_callback_queue_is_own_thread (self));
      self->max_runners = g_value_get_uint (value);
      cothread_callback_queue_nudge (self);
      break;
    case PROP_PRIORITY:
      cothread_callback_queue_set_priority (self, g_value_get_int (value));
      break;
    case PROP_LOW_WATERMARK:
      cothread_callback_queue_set_low_watermark (self, g_value_get_uint (value));
      break;
    case PROP_HIGH_WATERMARK:
      cothread_callback_queue_set_high_watermark (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_callback_queue_dispatch_properties_changed (GObject *object, guint n_pspecs, GParamSpec **pspecs)
{
  cothread_notify_on_thread_stack (object, n_pspecs, pspecs,
                                   G_OBJECT_CLASS (cothread_callback_queue_parent_class)->dispatch_properties_changed);
}

static void
cothread_callback_queue_class_init (CothreadCallbackQueueClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags read_write = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispatch_properties_changed = cothread_callback_queue_dispatch_properties_changed;
  object_class->constructed = cothread_callback_queue_constructed;
  object_class->finalize = cothread_callback_queue_finalize;
  object_class->get_property = cothread_callback_queue_get_property;
  object_class->set_property = cothread_callback_queue_set_property;

  /**
   * CothreadCallbackQueue:scheduler:
   *
   * Where the callbacks run; %NULL at construction: the default scheduler.
   *
   * Since: 0.1
   */
  properties[PROP_SCHEDULER] = g_param_spec_object ("scheduler", NULL, NULL, COTHREAD_TYPE_SCHEDULER,
                                                    G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * CothreadCallbackQueue:name: (getter get_name)
   *
   * The queue's name, for people.
   *
   * Since: 0.1
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL,
                                               G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * CothreadCallbackQueue:max-length: (getter get_max_length) (setter set_max_length)
   *
   * How many entries may wait; 0: any number, until memory ends (or 2^27 do, the
   * most that a queue can hold). Lowering it
   * below the present length drops nothing; posts are refused until the queue
   * has become shorter.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_LENGTH] = g_param_spec_uint ("max-length", NULL, NULL, 0, G_MAXUINT, DEFAULT_MAX_LENGTH, read_write);
  /**
   * CothreadCallbackQueue:overflow: (getter get_overflow) (setter set_overflow)
   *
   * What happens to a post when the queue is full.
   *
   * Since: 0.1
   */
  properties[PROP_OVERFLOW] = g_param_spec_enum ("overflow", NULL, NULL, COTHREAD_TYPE_OVERFLOW_POLICY,
                                                 COTHREAD_OVERFLOW_BLOCK, read_write);
  /**
   * CothreadCallbackQueue:block-timeout: (getter get_block_timeout) (setter set_block_timeout)
   *
   * How long a poster waits for room, in microseconds; -1: for ever.
   *
   * Since: 0.1
   */
  properties[PROP_BLOCK_TIMEOUT] = g_param_spec_int64 ("block-timeout", NULL, NULL, -1, G_MAXINT64, -1, read_write);
  /**
   * CothreadCallbackQueue:max-suspended:
   *
   * How many callbacks may be suspended at once; the queue stands still while
   * there are more.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_SUSPENDED] = g_param_spec_uint ("max-suspended", NULL, NULL, 1, G_MAXUINT, DEFAULT_MAX_SUSPENDED,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  /**
   * CothreadCallbackQueue:priority: (getter get_priority) (setter set_priority)
   *
   * How urgent the queue is among those of its scheduler; less is more urgent,
   * as for a #GSource. While a more urgent queue has entries, a queue runs one
   * of its own for up to 64 of the other's, so that it never stands still.
   *
   * Since: 0.1
   */
  properties[PROP_PRIORITY] = g_param_spec_int ("priority", NULL, NULL, G_MININT, G_MAXINT, G_PRIORITY_DEFAULT, read_write);
  /**
   * CothreadCallbackQueue:low-watermark: (getter get_low_watermark) (setter set_low_watermark)
   *
   * At how many entries #CothreadCallbackQueue::below-low-watermark is emitted.
   *
   * Since: 0.1
   */
  properties[PROP_LOW_WATERMARK] = g_param_spec_uint ("low-watermark", NULL, NULL, 0, G_MAXUINT, 0, read_write);
  /**
   * CothreadCallbackQueue:high-watermark: (getter get_high_watermark) (setter set_high_watermark)
   *
   * At how many entries #CothreadCallbackQueue::above-high-watermark is
   * emitted; 0: never.
   *
   * Since: 0.1
   */
  properties[PROP_HIGH_WATERMARK] = g_param_spec_uint ("high-watermark", NULL, NULL, 0, G_MAXUINT, 0, read_write);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  cothread_callback_queue_add_watermark_signals (klass);
}

static void
cothread_callback_queue_init (CothreadCallbackQueue *self)
{
  pthread_condattr_t attributes;

  self->fork_generation = cothread_fork_get_generation ();
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC); /* as g_get_monotonic_time() */
  pthread_cond_init (&self->room_cond, &attributes);
  pthread_condattr_destroy (&attributes);
  g_queue_init (&self->idle_runners);
  g_queue_init (&self->room_replies);
  cothread_chain_init (&self->chain);
  self->rest = COTHREAD_REST_NEW;
  cothread_waiters_init (&self->room_waiters);
  ct_link_init (&self->link);
  ct_link_init (&self->flushes);
  self->next_flush = G_MAXUINT64;
  self->max_length = DEFAULT_MAX_LENGTH;
  self->overflow = COTHREAD_OVERFLOW_BLOCK;
  self->block_timeout_us = -1;
  self->max_runners = DEFAULT_MAX_SUSPENDED;
}

/**
 * cothread_callback_queue_new:
 * @scheduler: a scheduler of the calling thread
 * @name: the queue's name, for people
 *
 * Makes another callback queue, empty, with a bound of 100 000 entries and
 * %COTHREAD_OVERFLOW_BLOCK. The scheduler holds a reference until the queue is
 * closed, by cothread_callback_queue_close() or with the scheduler.
 *
 * Returns: (transfer full): a new queue
 *
 * Since: 0.1
 */
CothreadCallbackQueue *
cothread_callback_queue_new (CothreadScheduler *scheduler, const char *name)
{
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);
  g_return_val_if_fail (!scheduler->is_shut_down, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return g_object_new (COTHREAD_TYPE_CALLBACK_QUEUE, "scheduler", scheduler, "name", name, NULL);
}

/**
 * cothread_scheduler_get_callback_queue:
 * @scheduler: a scheduler
 *
 * The scheduler's own callback queue. The first call is to be made on the
 * scheduler's thread; others may then ask as well.
 *
 * Returns: (transfer none) (nullable): the queue; %NULL after a shutdown
 *
 * Since: 0.1
 */
CothreadCallbackQueue *
cothread_scheduler_get_callback_queue (CothreadScheduler *scheduler)
{
  GObject *queue;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);

  queue = g_atomic_pointer_get (&scheduler->callback_queue);
  if (queue == NULL && !scheduler->is_shut_down)
    {
      g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), NULL);
      queue = (GObject *) cothread_callback_queue_new (scheduler, "default");
      g_atomic_pointer_set (&scheduler->callback_queue, queue);
    }
  return (CothreadCallbackQueue *) queue;
}

/**
 * cothread_scheduler_peek_callback_queue:
 * @scheduler: a scheduler
 *
 * The scheduler's own callback queue if anybody has asked for it yet: for those
 * who only look, in any thread.
 *
 * Returns: (transfer none) (nullable): the queue, or %NULL
 *
 * Since: 0.1
 */
CothreadCallbackQueue *
cothread_scheduler_peek_callback_queue (CothreadScheduler *scheduler)
{
  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), NULL);
  return (CothreadCallbackQueue *) g_atomic_pointer_get (&scheduler->callback_queue);
}

/**
 * cothread_scheduler_list_callback_queues:
 * @scheduler: a scheduler of the calling thread
 *
 * The scheduler's open callback queues, the most urgent first.
 *
 * Returns: (transfer container) (element-type CothreadCallbackQueue): the queues
 *
 * Since: 0.1
 */
GPtrArray *
cothread_scheduler_list_callback_queues (CothreadScheduler *scheduler)
{
  GPtrArray *queues = g_ptr_array_new_with_free_func (g_object_unref);

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (scheduler), queues);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (scheduler), queues);

  for (CtLink *link = scheduler->callback_queues.next; link != &scheduler->callback_queues; link = link->next)
    g_ptr_array_add (queues, g_object_ref (CT_CONTAINER_OF (link, CothreadCallbackQueue, link)));
  return queues;
}

/**
 * cothread_callback_queue_close:
 * @self: a callback queue
 *
 * Ends the queue: drops what is in it, counting it, and fails every further
 * post with %COTHREAD_ERROR_CLOSED. Callbacks that have begun go on. A queue is
 * closed when its scheduler is shut down; closing it again does nothing.
 *
 * The destroy notifies of what is dropped run here, on the scheduler's thread;
 * if the main context is destroyed in another thread, in that one. Whoever waits
 * for room or for a flush fails with %COTHREAD_ERROR_CLOSED. May be called in a
 * callback of the queue itself, and in a task.
 *
 * In a child process after fork() every queue of the parent counts as closed.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_close (CothreadCallbackQueue *self)
{
  CothreadEntryList left = { 0 }, dropped, freeing;
  CothreadTask *drainer;
  guint64 n_left;
  guint n_yields = 0;

  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));
  if (self->drainer == NULL)
    return;

  repair_after_fork (self);
  cothread_callback_queue_free_places (self);
  pthread_mutex_lock (&self->lock);
  __atomic_fetch_or (&self->chain.tail, COTHREAD_CHAIN_CLOSED, __ATOMIC_SEQ_CST);
  for (; self->in_hand.begin < self->in_hand.end; self->in_hand.begin++)
    cothread_entry_list_push (&left, &self->in_hand.entries[self->in_hand.begin]);
  /* Every place was claimed by a poster that fills it in a moment, if it has not
   * yet. */
  n_left = cothread_chain_get_length (&self->chain);
  while (left.length < n_left)
    {
      CothreadEntry entry;

      if (cothread_callback_queue_pop_oldest (self, &entry))
        cothread_entry_list_push (&left, &entry);
      else if (cothread_callback_queue_is_of_parent (self))
        break; /* its poster is another process's thread */
      else if (n_yields++ < MAX_YIELDS)
        g_thread_yield ();
      else
        g_usleep (100); /* yielding does nothing for a poster of less priority than ours */
    }
  self->n_dropped_closed += left.length;
  __atomic_add_fetch (&self->chain.n_gone, n_left, __ATOMIC_SEQ_CST);
  dropped = self->dropped;
  self->dropped = (CothreadEntryList) { 0 };
  freeing = self->freeing;
  self->freeing = (CothreadEntryList) { 0 };
  cothread_callback_queue_tell_of_room (self);
  pthread_mutex_unlock (&self->lock);

  drainer = g_steal_pointer (&self->drainer);
  /* Called from one of its callbacks, it ends when that returns. */
  if (drainer->core.state != CT_TASK_RUNNING)
    {
      ct_task_finish_stackless (&drainer->core);
      cothread_task_unref (drainer);
    }
  cothread_callback_runners_wake_idle (self);
  cothread_waiters_wake_all (&self->room_waiters);
  ct_link_unlink (&self->shutdown_hook.link);
  ct_link_unlink (&self->link);
  cothread_callback_queue_fail_flushes (self);
  cothread_entry_list_clear (&freeing);
  cothread_entry_list_clear (&dropped);
  cothread_entry_list_clear (&left);
  g_object_unref (self);
}

/**
 * cothread_callback_queue_pause:
 * @self: a callback queue
 *
 * Stops calling callbacks until cothread_callback_queue_resume(), however often
 * this was called. Posts go on filling the queue, what is dropped is freed, and
 * callbacks that have begun go on. On the scheduler's thread.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_pause (CothreadCallbackQueue *self)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));

  self->is_paused = TRUE;
}

/**
 * cothread_callback_queue_resume:
 * @self: a callback queue
 *
 * Goes on calling callbacks, from the next turn on. On the scheduler's thread.
 *
 * Since: 0.1
 */
void
cothread_callback_queue_resume (CothreadCallbackQueue *self)
{
  g_return_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self));
  g_return_if_fail (cothread_callback_queue_is_own_thread (self));

  self->is_paused = FALSE;
  cothread_callback_queue_nudge (self);
}

/**
 * cothread_callback_queue_get_name: (get-property name)
 * @self: a callback queue
 *
 * Returns: (transfer none): the queue's name
 *
 * Since: 0.1
 */
const char *
cothread_callback_queue_get_name (CothreadCallbackQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), NULL);
  return self->name;
}

/**
 * cothread_callback_queue_get_length:
 * @self: a callback queue
 *
 * For any thread.
 *
 * Returns: how many entries wait
 *
 * Since: 0.1
 */
guint
cothread_callback_queue_get_length (CothreadCallbackQueue *self)
{
  g_return_val_if_fail (COTHREAD_IS_CALLBACK_QUEUE (self), 0);
  return (guint) cothread_chain_get_length (&self->chain);
}
