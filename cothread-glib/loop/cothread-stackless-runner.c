/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-stackless-runner-private.h"
#include "loop/cothread-task-extra.h"

/**
 * CothreadStacklessRunner:
 *
 * Brings tasks of a language that has no stacks of its own (generators, async
 * functions) into a scheduler, where they are counted, listed, cancelled and
 * shut down as any other. For those who bind a language; programs use what the
 * binding makes of it.
 *
 * Such a task is a number. The language keeps a line of its own tasks that are
 * ready, and goes through it when it is called; what does not leave the language
 * (a yield, a message from one of its tasks to another) never comes here. It
 * tells what has changed, and takes what has been woken, many tasks at a time:
 * with cothread_stackless_runner_exchange(), through memory that both see, or
 * one by one with the other functions.
 *
 * The language is called by setting a property `wakeup` (writable, unsigned)
 * that the class which it derives has to have: 1, run what is ready; 2, only
 * tell what has changed. That happens on the thread's own stack. The call may
 * come again while the first has not returned, if one of the tasks runs a main
 * loop.
 *
 * Since: 0.1
 */

/* A language that does not answer (out of memory) is called again. */
#define SHORTEST_RETRY_US 1000
#define LONGEST_RETRY_US 128000

enum
{
  WAKEUP_RUN = 1,
  WAKEUP_TELL = 2,
};

G_DEFINE_TYPE_WITH_PRIVATE (CothreadStacklessRunner, cothread_stackless_runner, G_TYPE_OBJECT)

enum
{
  PROP_SCHEDULER = 1,
  PROP_LANGUAGE,
  N_PROPERTIES
};

CothreadStacklessRunnerPrivate *
cothread_stackless_runner_get_private (CothreadStacklessRunner *self)
{
  return cothread_stackless_runner_get_instance_private (self);
}

static void
call_language (gpointer data)
{
  CothreadStacklessRunnerPrivate *priv = data;
  GValue value = G_VALUE_INIT;

  priv->depth++;
  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, WAKEUP_RUN);
  g_object_set_property (G_OBJECT (priv->self), "wakeup", &value);
  priv->depth--;
}

static void
have_it_told (gpointer data)
{
  CothreadStacklessRunnerPrivate *priv = data;
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, WAKEUP_TELL);
  g_object_set_property (G_OBJECT (priv->self), "wakeup", &value);
}

void
cothread_scheduler_sync_runners (CothreadScheduler *scheduler)
{
  CtLink *link = scheduler->runners.next;

  while (link != &scheduler->runners)
    {
      CothreadStacklessRunnerPrivate *priv = CT_CONTAINER_OF (link, CothreadStacklessRunnerPrivate, link);
      g_autoptr (CothreadStacklessRunner) self = g_object_ref (priv->self);

      if (priv->is_dirty || priv->depth > 0)
        ct_scheduler_call_on_thread_stack (scheduler->core, have_it_told, priv);
      link = link->next;
    }
}

guint
cothread_scheduler_count_ready_in_runners (CothreadScheduler *scheduler)
{
  guint n = 0;

  for (CtLink *link = scheduler->runners.next; link != &scheduler->runners; link = link->next)
    {
      CothreadStacklessRunnerPrivate *priv = CT_CONTAINER_OF (link, CothreadStacklessRunnerPrivate, link);

      n += priv->owned.length + priv->incoming.length + priv->delivered.length;
    }
  return n;
}

static gboolean
is_over (CothreadStacklessRunnerPrivate *priv)
{
  return priv->driver->core.is_cancelled && priv->n_tasks == 0;
}

static void
finish_driver (CothreadTask *driver)
{
  ct_task_finish_stackless (&driver->core);
  cothread_task_unref (driver);
}

/* The language was called for what it was called for; on with the driver. */
static void
go_on (CothreadStacklessRunnerPrivate *priv, gboolean has_answered)
{
  CothreadTask *driver = priv->driver;
  CtScheduler *core = priv->scheduler->core;

  driver->core.wait_reason = "tasks";
  if ((!has_answered && (priv->is_dirty || !ct_queue_is_empty (&priv->incoming))) || !ct_queue_is_empty (&priv->delivered))
    {
      ct_task_park (&driver->core, NULL, ct_scheduler_now (core) + priv->retry_us);
      priv->retry_us = MIN (2 * priv->retry_us, LONGEST_RETRY_US);
      return;
    }
  priv->retry_us = SHORTEST_RETRY_US;
  if ((priv->left & COTHREAD_STACKLESS_END_TURN) != 0)
    ct_slice_end_now (&core->slice);
  if ((priv->left & COTHREAD_STACKLESS_MORE) != 0 || priv->is_dirty || !ct_queue_is_empty (&priv->incoming))
    ct_task_requeue (&driver->core);
  else
    ct_task_park (&driver->core, NULL, CT_TIME_NEVER);
}

static void
driver_step (CothreadTask *driver, gpointer data)
{
  g_autoptr (CothreadStacklessRunner) self = g_object_ref (data);
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (self);
  guint64 n_exchanges = priv->n_exchanges;

  /* At the end of the scheduler it still works until the tasks have ended. */
  if (driver->core.is_cancelled)
    driver->core.shield_depth = 1;
  if (!is_over (priv))
    call_language (priv);
  if (priv->driver != driver)
    {
      finish_driver (driver);
      g_object_unref (self);
      if ((priv->left & COTHREAD_STACKLESS_MORE) != 0 || priv->is_dirty || !ct_queue_is_empty (&priv->incoming))
        cothread_runner_call_driver (self, FALSE);
    }
  else if (is_over (priv))
    {
      priv->driver = NULL;
      finish_driver (driver);
      g_object_unref (self);
    }
  else
    go_on (priv, priv->n_exchanges != n_exchanges);
}

static void start_driver (CothreadStacklessRunner *self);

/* A task of the language runs a main loop: this driver is stuck below it, and
 * another one goes on. */
static void
driver_nested (CothreadTask *driver, gpointer data)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (data);

  if (priv->driver == driver)
    start_driver (data);
}

static void
start_driver (CothreadStacklessRunner *self)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (self);

  priv->driver = cothread_task_new_stackless (priv->scheduler, priv->language, driver_step, g_object_ref (self));
  priv->driver->nested = driver_nested;
  priv->driver->language = priv->language;
}

void
cothread_runner_call_driver (CothreadStacklessRunner *self, gboolean in_this_tick)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (self);
  CtScheduler *core = priv->scheduler->core;

  if (core == NULL)
    return;
  if (priv->driver == NULL)
    start_driver (self);
  else if (ct_task_fire (&priv->driver->core, CT_WAKE_NORMAL, NULL) && in_this_tick)
    {
      ct_queue_remove (&core->ready, &priv->driver->core.link);
      ct_queue_push (&core->tick, &priv->driver->core.link);
    }
}

void
cothread_runner_task_ended (CothreadStacklessRunner *self)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (self);

  if (priv->driver != NULL && is_over (priv))
    cothread_runner_call_driver (self, FALSE);
}

static void
scheduler_shuts_down (CtLink *link)
{
  CothreadStacklessRunnerPrivate *priv =
    CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadStacklessRunnerPrivate, hook);

  priv->memory->state |= COTHREAD_STACKLESS_CLOSED;
  if (priv->is_dirty)
    have_it_told (priv);
}

static void
scheduler_is_forked (CtLink *link)
{
  CothreadStacklessRunnerPrivate *priv =
    CT_CONTAINER_OF (CT_CONTAINER_OF (link, CothreadShutdownHook, link), CothreadStacklessRunnerPrivate, hook);

  priv->memory->state |= COTHREAD_STACKLESS_CLOSED;
}

/* ---- the object ---- */

static void
cothread_stackless_runner_constructed (GObject *object)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (COTHREAD_STACKLESS_RUNNER (object));

  G_OBJECT_CLASS (cothread_stackless_runner_parent_class)->constructed (object);
  if (priv->scheduler == NULL)
    g_set_object (&priv->scheduler, cothread_scheduler_get_default ());
  if (priv->scheduler == NULL || priv->scheduler->is_shut_down || !cothread_scheduler_is_own_thread (priv->scheduler))
    {
      g_critical ("A stackless runner needs a scheduler of its own thread that is not shut down");
      priv->memory->state |= COTHREAD_STACKLESS_CLOSED;
      return;
    }
  ct_link_insert_before (&priv->scheduler->runners, &priv->link);
  ct_link_insert_before (&priv->scheduler->shutdown_hooks, &priv->hook.link);
}

static void
cothread_stackless_runner_finalize (GObject *object)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (COTHREAD_STACKLESS_RUNNER (object));

  ct_link_unlink (&priv->link);
  ct_link_unlink (&priv->hook.link);
  g_clear_object (&priv->scheduler);
  g_ptr_array_unref (priv->tasks);
  g_array_unref (priv->functions);
  g_bytes_unref (priv->bytes);
  G_OBJECT_CLASS (cothread_stackless_runner_parent_class)->finalize (object);
}

static void
cothread_stackless_runner_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (COTHREAD_STACKLESS_RUNNER (object));

  switch (id)
    {
    case PROP_SCHEDULER:
      g_value_set_object (value, priv->scheduler);
      break;
    case PROP_LANGUAGE:
      g_value_set_string (value, priv->language);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_stackless_runner_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (COTHREAD_STACKLESS_RUNNER (object));

  switch (id)
    {
    case PROP_SCHEDULER:
      g_set_object (&priv->scheduler, g_value_get_object (value));
      break;
    case PROP_LANGUAGE:
      priv->language = g_intern_string (g_value_get_string (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
cothread_stackless_runner_class_init (CothreadStacklessRunnerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = cothread_stackless_runner_constructed;
  object_class->finalize = cothread_stackless_runner_finalize;
  object_class->get_property = cothread_stackless_runner_get_property;
  object_class->set_property = cothread_stackless_runner_set_property;

  /**
   * CothreadStacklessRunner:scheduler: (getter get_scheduler)
   *
   * Where the tasks live; %NULL at construction: the thread's default one.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_SCHEDULER,
                                   g_param_spec_object ("scheduler", NULL, NULL, COTHREAD_TYPE_SCHEDULER,
                                                        G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
  /**
   * CothreadStacklessRunner:language: (getter get_language)
   *
   * The name of the language, of its tasks in lists of tasks, and of the task
   * that calls it.
   *
   * Since: 0.1
   */
  g_object_class_install_property (object_class, PROP_LANGUAGE,
                                   g_param_spec_string ("language", NULL, NULL, "language",
                                                        G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
cothread_stackless_runner_init (CothreadStacklessRunner *self)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (self);

  priv->self = self;
  priv->retry_us = SHORTEST_RETRY_US;
  priv->first_free = 1;
  priv->tasks = g_ptr_array_new ();
  g_ptr_array_set_size (priv->tasks, 64);
  priv->functions = g_array_new (FALSE, FALSE, sizeof (CothreadRunnerFunction));
  ct_queue_init (&priv->owned);
  ct_queue_init (&priv->incoming);
  ct_queue_init (&priv->delivered);
  ct_link_init (&priv->link);
  ct_link_init (&priv->hook.link);
  priv->hook.run = scheduler_shuts_down;
  priv->hook.forked = scheduler_is_forked;
  priv->memory = g_new0 (CothreadRunnerMemory, 1);
  priv->memory->magic = COTHREAD_RUNNER_MAGIC;
  priv->memory->n_requests = COTHREAD_RUNNER_REQUESTS;
  priv->memory->n_ready = COTHREAD_RUNNER_READY;
  priv->memory->first_request = G_STRUCT_OFFSET (CothreadRunnerMemory, requests);
  priv->memory->first_ready = G_STRUCT_OFFSET (CothreadRunnerMemory, ready);
  priv->bytes = g_bytes_new_take (priv->memory, sizeof (CothreadRunnerMemory));
}

/**
 * cothread_stackless_runner_get_scheduler: (get-property scheduler)
 * @self: a runner
 *
 * Returns: (transfer none) (nullable): where its tasks live
 *
 * Since: 0.1
 */
CothreadScheduler *
cothread_stackless_runner_get_scheduler (CothreadStacklessRunner *self)
{
  g_return_val_if_fail (COTHREAD_IS_STACKLESS_RUNNER (self), NULL);
  return cothread_stackless_runner_get_private (self)->scheduler;
}

/**
 * cothread_stackless_runner_get_language: (get-property language)
 * @self: a runner
 *
 * Returns: the name of the language
 *
 * Since: 0.1
 */
const char *
cothread_stackless_runner_get_language (CothreadStacklessRunner *self)
{
  g_return_val_if_fail (COTHREAD_IS_STACKLESS_RUNNER (self), NULL);
  return cothread_stackless_runner_get_private (self)->language;
}

/**
 * cothread_stackless_runner_wake:
 * @self: a runner
 *
 * Has the language called as soon as possible: it has tasks that became ready
 * when it was not called, in a signal handler for instance. On the scheduler's
 * thread.
 *
 * Since: 0.1
 */
void
cothread_stackless_runner_wake (CothreadStacklessRunner *self)
{
  CothreadStacklessRunnerPrivate *priv;

  g_return_if_fail (COTHREAD_IS_STACKLESS_RUNNER (self));
  priv = cothread_stackless_runner_get_private (self);
  g_return_if_fail (cothread_scheduler_is_own_thread (priv->scheduler));

  if (priv->scheduler->is_shut_down)
    return;
  priv->is_dirty = TRUE;
  cothread_runner_call_driver (self, FALSE);
}

/* Languages look at the time only now and then, and have jobs that run outside
 * the slice: half of it is theirs. */
static gboolean
is_half_over (const CtSlice *slice, gint64 now_us)
{
  return slice->end_us != G_MAXINT64 && slice->end_us != G_MININT64 &&
         now_us - slice->begin_us >= (slice->end_us - slice->begin_us) / 2;
}

/**
 * cothread_stackless_runner_check:
 * @self: a runner
 *
 * Between two tasks, now and then: whether the language should return.
 *
 * Returns: what it has to know
 *
 * Since: 0.1
 */
CothreadStacklessState
cothread_stackless_runner_check (CothreadStacklessRunner *self)
{
  CothreadStacklessRunnerPrivate *priv;
  CothreadStacklessState state = (CothreadStacklessState) 0;
  CtScheduler *core;

  g_return_val_if_fail (COTHREAD_IS_STACKLESS_RUNNER (self), COTHREAD_STACKLESS_CLOSED);
  priv = cothread_stackless_runner_get_private (self);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (priv->scheduler), COTHREAD_STACKLESS_CLOSED);

  core = priv->scheduler->core;
  if (priv->scheduler->is_shut_down)
    state |= COTHREAD_STACKLESS_CLOSED;
  if (core != NULL)
    {
      priv->memory->now_us = (double) ct_scheduler_now (core);
      if (core->frame != NULL && (is_half_over (&core->slice, (gint64) priv->memory->now_us) || ct_scheduler_slice_is_used_up (core)))
        state |= COTHREAD_STACKLESS_SLICE_USED_UP;
      if (ct_scheduler_has_work (core) || !ct_queue_is_empty (&priv->incoming) || !cothread_inbox_is_empty (&priv->scheduler->inbox) ||
          (double) ct_timer_heap_next_deadline (&core->timers) <= priv->memory->now_us)
        state |= COTHREAD_STACKLESS_OTHERS_READY;
    }
  priv->memory->state = (gint32) state;
  return state;
}
