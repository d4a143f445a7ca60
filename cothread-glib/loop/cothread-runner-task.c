/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-stackless-runner-private.h"
#include "loop/cothread-task-extra.h"
#include "loop/cothread-wait-private.h"

/* One task of a language without stacks, on its way between the language's own
 * line of ready tasks and the scheduler's queues. */

static void
leave_lines (CothreadRunnerTask *self)
{
  CtScheduler *core = self->task->scheduler->core;

  for (CothreadRunnerSource *source = self->sources; source != NULL; source = source->next)
    {
      if (source->klass->leave != NULL)
        source->klass->leave (source, core);
      else
        ct_link_unlink (&source->watch.waiter.link);
    }
}

static void
free_sources (CothreadRunnerTask *self)
{
  CothreadRunnerSource *source = g_steal_pointer (&self->sources);

  while (source != NULL)
    {
      CothreadRunnerSource *next = source->next;

      source->klass->free (source);
      source = next;
    }
}

/* What woke the task will not be taken by it. */
static void
pass_on (CothreadRunnerTask *self)
{
  const CtWaiter *fired = self->task->core.fired;

  self->task->core.fired = NULL;
  for (CothreadRunnerSource *source = self->sources; source != NULL; source = source->next)
    if (fired == &source->watch.waiter)
      {
        source->klass->pass_on (source);
        return;
      }
}

static CothreadRunnerSource *
find_ready (CothreadRunnerTask *self)
{
  const CtWaiter *fired = self->task->core.fired;
  CothreadRunnerSource *found = NULL;

  for (CothreadRunnerSource *source = self->sources; source != NULL; source = source->next)
    if (source->klass->is_ready (source))
      {
        found = source;
        if (fired == &source->watch.waiter)
          break;
      }
  return found;
}

static gboolean
stand_in_lines (CothreadRunnerTask *self, GError **error)
{
  CtScheduler *core = self->task->scheduler->core;
  CtWaiter *previous = NULL;

  for (CothreadRunnerSource *source = self->sources; source != NULL; source = source->next)
    {
      source->watch.waiter.task = &self->task->core;
      source->watch.waiter.next = previous;
      if (!source->klass->stand_in_line (source, core, error))
        {
          leave_lines (self);
          return FALSE;
        }
      previous = &source->watch.waiter;
    }
  return TRUE;
}

static CtWaiter *
last_waiter (CothreadRunnerTask *self)
{
  CothreadRunnerSource *source = self->sources;

  while (source != NULL && source->next != NULL)
    source = source->next;
  return source != NULL ? &source->watch.waiter : NULL;
}

static CtQueue *
queue_of_place (CothreadRunnerTask *self)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (self->runner);

  switch ((CothreadPlace) self->place)
    {
    case COTHREAD_PLACE_OWNED:
      return &priv->owned;
    case COTHREAD_PLACE_INCOMING:
      return &priv->incoming;
    case COTHREAD_PLACE_DELIVERED:
      return &priv->delivered;
    case COTHREAD_PLACE_PARKED:
    default:
      return NULL;
    }
}

static void
move_to (CothreadRunnerTask *self, CothreadPlace place)
{
  CtQueue *queue = queue_of_place (self);

  if (queue != NULL)
    ct_queue_remove (queue, &self->task->core.link);
  self->place = (guint8) place;
  queue = queue_of_place (self);
  if (queue != NULL)
    {
      self->task->core.state = CT_TASK_READY;
      ct_queue_push (queue, &self->task->core.link);
    }
}

/* From wherever it is into nobody's queue, its wait undone. */
static void
take_back (CothreadRunnerTask *self)
{
  CtTask *core = &self->task->core;

  if (self->place == COTHREAD_PLACE_PARKED)
    ct_task_take_back (core);
  else
    ct_queue_remove (queue_of_place (self), &core->link);
  self->place = COTHREAD_PLACE_PARKED; /* the place without a queue of ours */
  if (self->sources != NULL)
    {
      pass_on (self);
      leave_lines (self);
      free_sources (self);
    }
  self->has_record = FALSE;
  self->is_only_notice = FALSE;
  g_clear_error (&self->error);
}

/* The scheduler has woken the task. */
static void
step (G_GNUC_UNUSED CothreadTask *task, gpointer data)
{
  CothreadRunnerTask *self = data;

  move_to (self, COTHREAD_PLACE_INCOMING);
  cothread_runner_call_driver (self->runner, TRUE);
}

/* Cancelled while the language has it, or will have it next. */
static void
cancelled (G_GNUC_UNUSED CothreadTask *task, gpointer data)
{
  CothreadRunnerTask *self = data;

  if (self->place == COTHREAD_PLACE_OWNED)
    {
      self->is_only_notice = TRUE;
      move_to (self, COTHREAD_PLACE_INCOMING);
      cothread_stackless_runner_get_private (self->runner)->memory->n_incoming++; /* the language may look */
      cothread_runner_call_driver (self->runner, FALSE);
    }
}

gboolean
cothread_runner_spawn_as (CothreadStacklessRunner *runner, guint id, guint function)
{
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (runner);
  const CothreadRunnerFunction *what;
  CothreadRunnerTask *self;

  if (priv->scheduler->core == NULL)
    return FALSE;
  if (id == 0 || (id < priv->tasks->len && priv->tasks->pdata[id] != NULL) || function >= priv->functions->len)
    {
      g_critical ("%s spawns task %u of function %u: no such function, or the number is taken", priv->language, id, function);
      return FALSE;
    }
  what = &g_array_index (priv->functions, CothreadRunnerFunction, function);
  self = g_new0 (CothreadRunnerTask, 1);
  self->runner = runner;
  self->id = id;
  self->task = cothread_task_new_stackless (priv->scheduler, NULL, step, self);
  self->task->function = what->name;
  self->task->site = what->location;
  self->task->language = priv->language;
  self->task->cancelled = cancelled;
  /* Nothing of ours runs it for the first time: the language has it. */
  ct_queue_remove (&priv->scheduler->core->ready, &self->task->core.link);
  self->place = COTHREAD_PLACE_PARKED;
  if (id >= priv->tasks->len)
    g_ptr_array_set_size (priv->tasks, (gint) MAX (id + 1, MIN (2 * id, id + 65536)));
  priv->tasks->pdata[id] = self;
  if (priv->n_tasks++ == 0)
    g_object_ref (runner);
  move_to (self, COTHREAD_PLACE_OWNED);
  return TRUE;
}

void
cothread_runner_park (CothreadRunnerTask *self, gint64 deadline_us, const char *reason)
{
  CtTask *core = &self->task->core;

  if (self->place != COTHREAD_PLACE_OWNED && !self->is_only_notice)
    {
      g_critical ("Task %s cannot be parked: the language does not have it", cothread_task_get_name (self->task));
      return;
    }
  /* A notice that was not handed over yet: the wait itself brings it. */
  self->is_only_notice = FALSE;
  move_to (self, COTHREAD_PLACE_PARKED);
  self->deadline_us = deadline_us;
  core->wait_reason = reason;
  core->wait_object = NULL;
  g_clear_error (&self->error);
  if (!stand_in_lines (self, &self->error) || (find_ready (self) != NULL && !ct_task_is_cancelled (core)))
    {
      leave_lines (self);
      core->wake = CT_WAKE_NORMAL;
      core->fired = NULL;
      move_to (self, COTHREAD_PLACE_INCOMING);
      cothread_runner_call_driver (self->runner, FALSE);
      return;
    }
  ct_task_park (core, last_waiter (self), deadline_us);
  ct_scheduler_made_ready (self->task->scheduler->core); /* a loop that sleeps has to hear of the deadline */
}

void
cothread_runner_resume (CothreadRunnerTask *self)
{
  if (self->place == COTHREAD_PLACE_OWNED)
    free_sources (self); /* a wait that was prepared, and not begun */
  if (self->place == COTHREAD_PLACE_OWNED || self->place == COTHREAD_PLACE_DELIVERED || self->is_only_notice)
    return;
  take_back (self);
  move_to (self, COTHREAD_PLACE_OWNED);
  if (ct_task_is_cancelled (&self->task->core))
    cancelled (self->task, self);
}

void
cothread_runner_finish (CothreadRunnerTask *self, const GError *failure)
{
  CothreadStacklessRunner *runner = self->runner;
  CothreadStacklessRunnerPrivate *priv = cothread_stackless_runner_get_private (runner);
  CothreadTask *task = self->task;

  take_back (self);
  priv->tasks->pdata[self->id] = NULL;
  priv->n_tasks--;
  priv->first_free = MIN (priv->first_free, self->id);
  if (failure != NULL)
    {
      task->error = g_error_copy (failure);
      task->failure_was_seen = TRUE; /* the language reports its failures itself */
    }
  task->user_data = NULL;
  g_free (self);
  ct_task_finish_stackless (&task->core);
  cothread_task_unref (task);
  cothread_runner_task_ended (runner);
  if (priv->n_tasks == 0)
    g_object_unref (runner);
}

/* The language has cancelled its task: it knows, and nothing has to tell it. */
void
cothread_runner_cancel (CothreadRunnerTask *self)
{
  CothreadTask *task = self->task;
  gboolean was_cancelled = task->core.is_cancelled;

  task->core.is_cancelled = TRUE;
  task->core.shield_depth = 1; /* nothing is to be told any more */
  if (self->is_only_notice)
    {
      self->is_only_notice = FALSE;
      move_to (self, COTHREAD_PLACE_OWNED);
    }
  cothread_runner_resume (self);
  if (was_cancelled)
    return;
  cothread_task_ref (task);
  task->core.shield_depth = 0;
  cothread_task_tell_canceller (task); /* may end the task */
  task->core.shield_depth = 1;
  cothread_task_unref (task);
}

/* Waits of a clean-up are waits like any others. */
static gint32
tell_cancellation (CothreadRunnerTask *self)
{
  self->task->core.shield_depth = 1;
  return COTHREAD_STACKLESS_WAKE_CANCELLED;
}

static gboolean
take_source (CothreadRunnerTask *self)
{
  CothreadRunnerSource *source = find_ready (self);

  if (self->error == NULL && source == NULL)
    {
      CtTask *core = &self->task->core;

      /* Somebody else was faster: the same wait goes on. */
      move_to (self, COTHREAD_PLACE_PARKED);
      if (stand_in_lines (self, &self->error))
        {
          ct_task_park (core, last_waiter (self), self->deadline_us);
          return FALSE;
        }
      move_to (self, COTHREAD_PLACE_INCOMING);
    }
  if (self->error == NULL && source != NULL)
    {
      self->record.wake |= (gint32) (source->index << 8);
      self->task->core.fired = NULL;
      source->klass->take (source, &self->record.value, &self->error);
    }
  if (self->error != NULL)
    self->record.wake = (self->record.wake & ~0xff) | COTHREAD_STACKLESS_WAKE_ERROR;
  return TRUE;
}

gboolean
cothread_runner_deliver (CothreadRunnerTask *self)
{
  CtTask *core = &self->task->core;

  if (!self->has_record)
    {
      self->record = (CothreadReadyRecord) { .id = (gint32) self->id };
      if (self->is_only_notice)
        {
          tell_cancellation (self);
          self->record.wake = COTHREAD_STACKLESS_WAKE_NOTICE;
          self->is_only_notice = FALSE;
        }
      else if (core->wake == CT_WAKE_CANCELLED)
        self->record.wake = tell_cancellation (self);
      else if (core->wake == CT_WAKE_TIMEOUT)
        self->record.wake = COTHREAD_STACKLESS_WAKE_TIMEOUT;
      else if ((self->sources != NULL || self->error != NULL) && !take_source (self))
        return FALSE;
      if (self->sources != NULL)
        {
          pass_on (self);
          leave_lines (self);
          free_sources (self);
        }
      self->has_record = TRUE;
    }
  move_to (self, COTHREAD_PLACE_DELIVERED);
  return TRUE;
}

/* The language has the first n of those that were handed over; the others are
 * to be handed over again, before anybody else. */
void
cothread_runner_acknowledge (CothreadStacklessRunnerPrivate *priv, guint n)
{
  CtQueue again;
  CtLink *link;

  if (ct_queue_is_empty (&priv->delivered))
    return;
  ct_queue_init (&again);
  while ((link = ct_queue_peek (&priv->delivered)) != NULL)
    {
      CothreadRunnerTask *self = CT_CONTAINER_OF (link, CothreadTask, core.link)->user_data;

      if (n > 0)
        {
          n--;
          self->has_record = FALSE;
          move_to (self, COTHREAD_PLACE_OWNED);
          /* Cancelled after it was woken: the language hears of it next. */
          if (ct_task_is_cancelled (&self->task->core))
            cancelled (self->task, self);
        }
      else
        {
          ct_queue_remove (&priv->delivered, link);
          self->place = COTHREAD_PLACE_INCOMING;
          ct_queue_push (&again, link);
        }
    }
  ct_queue_splice (&again, &priv->incoming);
  ct_queue_splice (&priv->incoming, &again);
}

guint
cothread_runner_add_source (CothreadRunnerTask *self, CothreadRunnerSource *source)
{
  source->index = self->sources != NULL ? self->sources->index + 1 : 0;
  source->next = self->sources;
  self->sources = source;
  return source->index;
}

const char *
cothread_runner_get_location (CothreadTask *task)
{
  return task->core.kind == CT_TASK_STACKLESS && task->step == step ? task->site : NULL;
}
