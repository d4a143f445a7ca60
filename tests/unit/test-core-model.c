/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-model.h"

#include <fcntl.h>
#include <unistd.h>

/* Tasks of every kind do at random all that tasks can do, and a model says what
 * each wait must return. A failing seed is the last that was printed; it runs
 * alone with COTHREAD_MODEL_SEED=n. */

#define N_SEEDS 200
#define N_RANDOM_SEEDS 20
#define N_STEPS 3000
#define MAX_TASKS 40
#define MAX_DEPTH 4

static void act_natively (TestTask *self);
static void act_in_steps (TestTask *self);

static void
spawn_actor (void)
{
  Actor *actor;

  if (model.f->scheduler->n_live >= MAX_TASKS)
    return;
  actor = g_new0 (Actor, 1);
  actor->woken_by = actor->waits_for_pipe = MODEL_NOTHING;
  if (model_pick (3) == 0)
    actor->task = core_spawn_stackless (model.f, "stackless", act_in_steps, actor);
  else
    actor->task = core_spawn (model.f, "native", act_natively, actor);
  g_ptr_array_add (model.actors, actor);
}

/* ---- what any task does at any time ---- */

static void
take_a_turn (G_GNUC_UNUSED gpointer unused)
{
  static const gint64 slices[] = { -1, 0, 50, 500 };
  gint64 outer_slice = model.f->slice_us;

  if (model.depth >= MAX_DEPTH)
    return;
  model.depth++;
  model.f->slice_us = slices[model_pick (G_N_ELEMENTS (slices))];
  core_turn (model.f);
  model.f->slice_us = outer_slice;
  model.depth--;
}

static void
do_something (void)
{
  gint which = model_pick (40);
  Actor *other = model.actors->pdata[model_pick ((gint) model.actors->len)];

  model.f->now_us += model_pick (20);
  if (model.steps_left > 0)
    model.steps_left--;
  if (which < 16)
    model_fire_at_random ();
  else if (which < 24)
    spawn_actor ();
  else if (which < 30 && model.pipe_bytes[which % MODEL_PIPES] < 50)
    {
      g_assert_cmpint (write (model.pipes[which % MODEL_PIPES][1], "x", 1), ==, 1);
      model.pipe_bytes[which % MODEL_PIPES]++;
    }
  else if (which == 30 && !other->task->is_finished)
    model_cancel (other);
  else if (which == 31)
    take_a_turn (NULL);
  else if (which == 32)
    ct_scheduler_call_on_thread_stack (model.f->scheduler, take_a_turn, NULL);
}

static void
act_natively (TestTask *self)
{
  CtScheduler *scheduler = self->fixture->scheduler;
  Actor *actor = self->data;

  while (model.steps_left > 0 && !self->task.is_cancelled && model_pick (30) != 0)
    {
      gint how = model_pick (10);

      for (gint n = model_pick (4); n > 0; n--)
        do_something ();
      if (how == 0)
        ct_scheduler_yield (scheduler);
      else if (how < 3)
        model_wait_for_a_pipe (actor);
      else
        {
          CtWaiter *waiters = model_register_at_random (actor);

          ct_scheduler_wait (scheduler, waiters, model_begin_wait (actor));
          model_end_wait (actor);
        }
      g_assert_true (scheduler->current == &self->task);
    }
}

static void
act_in_steps (TestTask *self)
{
  Actor *actor = self->data;

  if (actor->is_waiting)
    model_end_wait (actor);
  for (gint n = model_pick (4); n > 0; n--)
    do_something ();
  g_assert_true (self->fixture->scheduler->current == &self->task);
  if (model.steps_left == 0 || self->task.is_cancelled || model_pick (30) == 0)
    ct_task_finish_stackless (&self->task);
  else
    {
      CtWaiter *waiters = model_register_at_random (actor);

      ct_task_park (&self->task, waiters, model_begin_wait (actor));
    }
}

/* ---- the world around them ---- */

static void
run_seed (CoreFixture *f, guint seed)
{
  g_test_message ("seed %u", seed);
  model = (Model) { .f = f, .rand = g_rand_new_with_seed (seed), .actors = g_ptr_array_new_with_free_func (g_free), .steps_left = N_STEPS };
  for (guint i = 0; i < MODEL_EVENTS; i++)
    ct_link_init (&model.events[i]);
  for (guint i = 0; i < MODEL_PIPES; i++)
    g_assert_cmpint (pipe2 (model.pipes[i], O_NONBLOCK | O_CLOEXEC), ==, 0);
  for (guint i = 0; i < 5; i++)
    spawn_actor ();

  while (f->scheduler->n_live > 0)
    {
      guint64 switches = f->scheduler->n_switches;

      take_a_turn (NULL);
      if (f->timeout_us == 0 || f->scheduler->n_switches != switches)
        continue;
      model_assert_that_nobody_was_forgotten ();
      if (model.steps_left == 0)
        for (guint i = 0; i < model.actors->len; i++)
          {
            Actor *actor = model.actors->pdata[i];

            if (!actor->task->is_finished)
              model_cancel (actor);
          }
      else if (f->timeout_us > 0)
        f->now_us += f->timeout_us;
      else
        do_something ();
    }

  g_assert_cmpuint (model.n_waits, ==, model.n_wakeups);
  for (guint i = 0; i < MODEL_EVENTS; i++)
    g_assert_false (ct_link_is_linked (&model.events[i]));
  for (guint i = 0; i < MODEL_PIPES; i++)
    {
      close (model.pipes[i][0]);
      close (model.pipes[i][1]);
    }
  g_rand_free (model.rand);
  g_ptr_array_unref (model.actors);
  g_ptr_array_set_size (f->tasks, 0);
}

static void
test_no_wakeup_is_lost_or_doubled_whatever_tasks_do (CoreFixture *f)
{
  const char *only = g_getenv ("COTHREAD_MODEL_SEED");

  if (only != NULL)
    {
      run_seed (f, (guint) g_ascii_strtoull (only, NULL, 10));
      return;
    }
  for (guint seed = 1; seed <= N_SEEDS; seed++)
    run_seed (f, seed);
  for (guint i = 0; i < N_RANDOM_SEEDS; i++)
    run_seed (f, (guint) g_test_rand_int ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  core_test_add ("/core/model/no-wakeup-is-lost-or-doubled-whatever-tasks-do", test_no_wakeup_is_lost_or_doubled_whatever_tasks_do);
  return g_test_run ();
}
