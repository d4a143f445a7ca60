/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core-fixture.h"

/* No test needs so many; one that does not end would. */
#define MAX_TURNS 100000

static CoreFixture *active;

static gint64
virtual_now (gpointer data)
{
  return ((CoreFixture *) data)->now_us;
}

/* A scheduler that polls by itself sleeps in virtual time. */
static void
virtual_wait (CtPoller *poller, gint64 timeout_us)
{
  active->backend->wait (poller, 0);
  if (timeout_us > 0)
    active->now_us += timeout_us;
  else if (timeout_us < 0 && !ct_scheduler_has_work (active->scheduler))
    g_error ("Everything waits for ever");
}

static void
set_up (CoreFixture *fixture, G_GNUC_UNUSED gconstpointer func)
{
  gboolean use_epoll = g_str_has_suffix (g_test_get_path (), "/epoll");
  CtPoller *poller = use_epoll ? ct_poller_epoll_new (NULL) : ct_poller_poll_new ();
  CtClock clock = { virtual_now, fixture, TRUE };

  active = fixture;
  fixture->now_us = 1000000;
  fixture->slice_us = -1;
  fixture->said = g_string_new (NULL);
  fixture->tasks = g_ptr_array_new_with_free_func (g_free);
  fixture->backend = poller->klass;
  g_assert_cmpstr (fixture->backend->name, ==, use_epoll ? "epoll" : "poll");
  fixture->poller_class = *poller->klass;
  fixture->poller_class.wait = virtual_wait;
  poller->klass = &fixture->poller_class;
  fixture->scheduler = ct_scheduler_new (clock, poller, CT_STACK_GUARD_AUTO, NULL);
  g_assert_nonnull (fixture->scheduler);
}

/* Whatever a test leaves behind can be unwound. */
static void
tear_down (CoreFixture *fixture, G_GNUC_UNUSED gconstpointer func)
{
  CtScheduler *scheduler = fixture->scheduler;

  for (guint i = 0; i < fixture->tasks->len; i++)
    {
      TestTask *one = fixture->tasks->pdata[i];

      if (one->is_finished)
        continue;
      if (one->task.kind == CT_TASK_STACKLESS)
        ct_task_finish_stackless (&one->task);
      else
        ct_task_cancel (&one->task);
    }
  fixture->slice_us = -1;
  for (guint i = 0; i < 1000 && scheduler->n_live > 0; i++)
    core_turn (fixture);
  g_assert_cmpuint (scheduler->n_live, ==, 0);
  g_assert_cmpuint (scheduler->n_spawned, ==, scheduler->n_finished);
  g_assert_cmpuint (scheduler->poller->n_watches, ==, 0);
  ct_scheduler_free (scheduler);
  g_ptr_array_unref (fixture->tasks);
  g_string_free (fixture->said, TRUE);
  active = NULL;
}

static void
run_test (CoreFixture *fixture, gconstpointer func)
{
  ((void (*) (CoreFixture *)) func) (fixture);
}

void
core_test_add (const char *path, void (*func) (CoreFixture *fixture))
{
  static const char *const backends[] = { "epoll", "poll" };

  for (guint i = 0; i < G_N_ELEMENTS (backends); i++)
    {
      g_autofree char *full_path = g_strdup_printf ("%s/%s", path, backends[i]);

      g_test_add (full_path, CoreFixture, (gconstpointer) func, set_up, run_test, tear_down);
    }
}

/* ---- tasks ---- */

static void
run_task (CtTask *task)
{
  TestTask *self = (TestTask *) task;

  self->body (self);
}

static void
task_finished (CtTask *task)
{
  TestTask *self = (TestTask *) task;

  g_assert_false (self->is_finished);
  self->is_finished = TRUE;
}

static const CtTaskClass task_class = { run_task, task_finished };

static TestTask *
new_task (CoreFixture *fixture, const char *name, void (*body) (TestTask *self), gpointer data)
{
  TestTask *self = g_new0 (TestTask, 1);

  self->fixture = fixture;
  self->name = name;
  self->body = body;
  self->data = data;
  g_ptr_array_add (fixture->tasks, self);
  return self;
}

TestTask *
core_spawn (CoreFixture *fixture, const char *name, void (*body) (TestTask *self), gpointer data)
{
  TestTask *self = new_task (fixture, name, body, data);
  g_autoptr (GError) error = NULL;

  ct_scheduler_spawn (fixture->scheduler, &self->task, &task_class, CT_STACK_DEFAULT_BYTES, &error);
  g_assert_no_error (error);
  return self;
}

TestTask *
core_spawn_stackless (CoreFixture *fixture, const char *name, void (*step) (TestTask *self), gpointer data)
{
  TestTask *self = new_task (fixture, name, step, data);

  ct_scheduler_spawn_stackless (fixture->scheduler, &self->task, &task_class);
  return self;
}

/* ---- the loop ---- */

gboolean
core_turn (CoreFixture *fixture)
{
  CtPoller *poller = fixture->scheduler->poller;
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  gboolean went_well;

  poller->klass->list (poller, fds);
  g_poll ((GPollFD *) (void *) fds->data, fds->len, 0);
  ct_scheduler_check (fixture->scheduler);
  went_well = ct_scheduler_poll (fixture->scheduler, (const GPollFD *) (void *) fds->data, fds->len,
                                 ct_scheduler_now (fixture->scheduler), fixture->slice_us, 0, &fixture->timeout_us);
  ct_scheduler_check (fixture->scheduler);
  return went_well;
}

void
core_run (CoreFixture *fixture)
{
  for (guint i = 0; i < MAX_TURNS; i++)
    {
      core_turn (fixture);
      if (fixture->timeout_us < 0 || fixture->scheduler->n_live == 0)
        return;
      fixture->now_us += fixture->timeout_us;
    }
  g_error ("This goes on for ever");
}

void
core_pass (CoreFixture *fixture, gint64 us)
{
  fixture->now_us += us;
  core_turn (fixture);
}

gint64
core_deadline (CoreFixture *fixture, gint64 timeout_us)
{
  return ct_clock_deadline (fixture->now_us, timeout_us);
}
