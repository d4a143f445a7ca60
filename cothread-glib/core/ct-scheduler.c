/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-scheduler.h"

/* Signal handlers may run on it, and the poller's buffers do. */
#define SCHEDULER_STACK_BYTES ((gsize) 64 * 1024)
#define DEFAULT_SLICE_US 2000

CtScheduler *
ct_scheduler_new (CtClock clock, CtPoller *poller, CtStackGuard guard, GError **error)
{
  CtScheduler *self = g_new0 (CtScheduler, 1);

  self->clock = clock;
  self->poller = poller;
  self->pool = ct_stack_pool_new (guard);
  self->look_at = CT_PROBE_NEVER;
  self->slice_us = DEFAULT_SLICE_US;
  self->slice.end_us = CT_TIME_NEVER;
  self->home = &self->scheduler_context;
  ct_tick_counter_init (&self->ticks_counter, &self->clock);
  ct_queue_init (&self->tick);
  ct_queue_init (&self->ready);
  ct_queue_init (&self->yielding);
  ct_link_init (&self->timed_yielders);
  ct_link_init (&self->all);
  ct_timer_heap_init (&self->timers);

  self->main.kind = CT_TASK_MAIN;
  self->main.state = CT_TASK_RUNNING;
  self->main.scheduler = self;
  ct_link_init (&self->main.link);
  ct_link_init (&self->main.all);
  ct_context_init_thread (&self->main.context);
  self->current = &self->main;

  self->scheduler_stack = ct_stack_pool_acquire (self->pool, SCHEDULER_STACK_BYTES, error);
  if (self->scheduler_stack == NULL)
    {
      ct_context_clear (&self->main.context);
      ct_stack_pool_free (self->pool);
      ct_poller_free (poller);
      g_free (self);
      return NULL;
    }
  ct_context_init (&self->scheduler_context, self->scheduler_stack->base, self->scheduler_stack->limit, 0,
                   ct_context_get_float_control (), ct_scheduler_loop, self);
  /* Switch 1: the creating task switches to the scheduler task, which comes
   * straight back (switch 2). */
  ct_context_switch (&self->main.context, &self->scheduler_context, FALSE);
  return self;
}

void
ct_scheduler_free (CtScheduler *self)
{
  if (self == NULL)
    return;
  g_return_if_fail (self->n_live == 0 && self->current == &self->main && self->frame == NULL);
  ct_scheduler_reap (self);
  ct_timer_heap_remove (&self->timers, &self->trim_timer);
  ct_context_clear (&self->scheduler_context);
  ct_context_clear (&self->main.context);
  ct_stack_pool_release (self->pool, self->scheduler_stack);
  ct_stack_pool_free (self->pool);
  ct_poller_free (self->poller);
  ct_timer_heap_clear (&self->timers);
  ct_tick_counter_clear (&self->ticks_counter);
  g_free (self->probe);
  g_free (self);
}

/* Runs on the task's own stack, from its first switch to its last. */
static void
native_task_entry (gpointer data)
{
  CtTask *task = data;
  CtScheduler *self = task->scheduler;
  CtTask *next;

  ct_context_entered ();
  if (G_UNLIKELY (self->hooks != NULL))
    self->hooks->start (&task->hook_state, self->hooks_data);
  ct_scheduler_reap (self);
  task->klass->run (task);
  if (G_UNLIKELY (self->hooks != NULL))
    self->hooks->end (&task->hook_state, self->hooks_data);
  if (G_UNLIKELY (self->probe != NULL))
    ct_probe_finish (self->probe, task);
  task->state = CT_TASK_FINISHED;
  ct_link_unlink (&task->all);
  self->n_live--;
  self->n_finished++;
  /* The stack that we stand on is free only once somebody else runs. */
  self->finished = task;
  self->attention |= CT_ATTENTION_FINISHED;
  next = ct_scheduler_hop (self);
  ct_context_switch (&task->context, next != NULL ? &next->context : &self->scheduler_context, TRUE);
  g_assert_not_reached ();
}

static void
start_task (CtScheduler *self, CtTask *task, const CtTaskClass *klass, CtTaskKind kind)
{
  task->scheduler = self;
  task->klass = klass;
  task->kind = kind;
  task->state = CT_TASK_READY;
  task->id = ++self->next_id;
  ct_link_init (&task->link);
  ct_link_insert_before (&self->all, &task->all);
  self->n_live++;
  self->n_spawned++;
  if (G_UNLIKELY (self->probe != NULL))
    ct_probe_note (self->probe, CT_PROBE_SPAWN, task, NULL);
  ct_queue_push (&self->ready, &task->link);
  ct_scheduler_made_ready (self);
}

gboolean
ct_scheduler_spawn (CtScheduler *self, CtTask *task, const CtTaskClass *klass, gsize stack_bytes, GError **error)
{
  if (!ct_stack_pool_reserve (self->pool, stack_bytes, &task->stack_class, error))
    return FALSE;
  task->float_control = ct_context_get_float_control ();
  start_task (self, task, klass, CT_TASK_NATIVE);
  return TRUE;
}

void
ct_scheduler_give_stack (CtScheduler *self, CtTask *task)
{
  const char *next = (const char *) task->link.next;

  /* Most likely another one that begins. */
  if (ct_queue_is_long (&self->tick))
    for (guint line = 1; line < 4; line++)
      __builtin_prefetch (next + line * CT_CACHE_LINE, 1);
  task->stack = ct_stack_pool_take (self->pool, task->stack_class);
  if (G_UNLIKELY (self->wants_clean_stacks))
    task->has_clean_stack = ct_stack_clean (task->stack);
  ct_context_init (&task->context, task->stack->base, task->stack->limit, ct_stack_get_color (task->stack),
                   task->float_control, native_task_entry, task);
}

void
ct_scheduler_spawn_stackless (CtScheduler *self, CtTask *task, const CtTaskClass *klass)
{
  start_task (self, task, klass, CT_TASK_STACKLESS);
}

void
ct_task_take_back (CtTask *task)
{
  CtScheduler *self = task->scheduler;

  g_return_if_fail (task->kind == CT_TASK_STACKLESS);
  if (task->is_armed)
    {
      if (ct_task_fire (task, CT_WAKE_CANCELLED, NULL))
        ct_queue_remove (&self->ready, &task->link);
    }
  else if (ct_link_is_linked (&task->link))
    {
      CtQueue *queue = &self->ready;

      for (CtLink *link = self->tick.head.next; link != &self->tick.head; link = link->next)
        if (link == &task->link)
          queue = &self->tick;
      ct_queue_remove (queue, &task->link);
    }
  task->state = CT_TASK_RUNNING;
}

void
ct_task_finish_stackless (CtTask *task)
{
  CtScheduler *self = task->scheduler;

  g_return_if_fail (task->kind == CT_TASK_STACKLESS && task->state != CT_TASK_FINISHED);
  ct_task_take_back (task);
  if (G_UNLIKELY (self->probe != NULL))
    ct_probe_finish (self->probe, task);
  task->state = CT_TASK_FINISHED;
  ct_link_unlink (&task->all);
  self->n_live--;
  self->n_finished++;
  /* From its own step: what is left of that belongs to nobody. */
  if (self->current == task)
    self->current = &self->main;
  task->klass->finished (task);
}

void
ct_scheduler_reap_finished (CtScheduler *self)
{
  CtTask *task = self->finished;

  CtTask *current = self->current;

  self->finished = NULL;
  self->attention &= (guint8) ~CT_ATTENTION_FINISHED;
  ct_context_clear (&task->context);
  ct_stack_pool_release (self->pool, g_steal_pointer (&task->stack));
  self->may_need_trim = TRUE;
  /* What this frees belongs to no task, least of all to the one whose stack it
   * happens to be freed on: it must not be able to wait. */
  self->current = &self->main;
  self->is_reaping = TRUE;
  task->klass->finished (task);
  self->is_reaping = FALSE;
  self->current = current;
}

void
ct_scheduler_set_hooks (CtScheduler *self, const CtSwitchHooks *hooks, gpointer data)
{
  self->hooks = hooks;
  self->hooks_data = data;
  if (hooks != NULL)
    self->attention |= CT_ATTENTION_HOOKS;
  else
    self->attention &= (guint8) ~CT_ATTENTION_HOOKS;
}

void
ct_scheduler_call_suspend_hook (CtScheduler *self, CtTask *stack)
{
  self->hooks->suspend (&stack->hook_state, self->hooks_data);
}

void
ct_scheduler_call_resume_hook (CtScheduler *self, CtTask *stack)
{
  self->hooks->resume (&stack->hook_state, self->hooks_data);
}

void
ct_scheduler_attend (CtScheduler *self, CtTask *stack)
{
  /* First: what reaping frees may belong to the language, and is freed on this
   * stack. */
  ct_scheduler_return (self, stack);
  ct_scheduler_reap (self);
}

static void
check_queue (const CtScheduler *self, const CtQueue *queue, guint length, gboolean yielding)
{
  guint n = 0;

  for (CtLink *link = queue->head.next; link != &queue->head; link = link->next)
    {
      CtTask *task = CT_CONTAINER_OF (link, CtTask, link);

      n++;
      g_assert_true (task->scheduler == self);
      g_assert_true (!task->is_armed && task->timer.index == 0 && task != self->current);
      g_assert_true (task->state == CT_TASK_YIELDING || (!yielding && task->state == CT_TASK_READY));
    }
  g_assert_cmpuint (n, ==, length);
}

void
ct_scheduler_check (const CtScheduler *self)
{
  guint n_unsettled = (guint) (self->n_switches - self->n_settled);
  guint n = 0;

  check_queue (self, &self->tick, self->tick.length - n_unsettled, FALSE);
  check_queue (self, &self->ready, self->ready.length, FALSE);
  check_queue (self, &self->yielding, self->yielding.length + n_unsettled, TRUE);
  for (CtLink *link = self->all.next; link != &self->all; link = link->next)
    {
      CtTask *task = CT_CONTAINER_OF (link, CtTask, all);

      n++;
      g_assert_cmpint (task->is_armed, ==, task->state == CT_TASK_WAITING);
      g_assert_cmpint (task->state, !=, CT_TASK_FINISHED);
      /* The link of a native task that runs is anything. */
      if (task->state == CT_TASK_WAITING || (task->state == CT_TASK_RUNNING && task->kind != CT_TASK_NATIVE))
        g_assert_false (ct_link_is_linked (&task->link));
      else if (task->state != CT_TASK_RUNNING)
        g_assert_true (ct_link_is_linked (&task->link));
    }
  g_assert_cmpuint (n, ==, self->n_live);
}
