/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "behaviour.h"

/* Every public function of the core, of what tasks wait for and of the callback
 * queue, called in each of the ways and places in which it should not be. The calls are written by
 * misuse-calls.py, from the headers. What is asked of each: at most one
 * complaint or error for a call (exactly one where the call cannot be right), no
 * crash, no hanging, and a scheduler that works afterwards. A test is a function
 * in a process of its own. */

typedef struct
{
  gboolean has_object;
  gint64 time_us;
  guint number;

  CothreadScheduler *scheduler;
  CothreadTask *task;
  CothreadEvent *event;
  CothreadEventQueue *queue;
  CothreadPulse *pulse;
  CothreadTimer *timer;
  CothreadLock *lock;
  CothreadSemaphore *semaphore;
  CothreadScope *scope;
  CothreadShield *shield;
  CothreadTestScheduler *tester;
  CothreadStacklessRunner *runner;
  CothreadHistogram *histogram;
  CothreadSelection *selection;
  CothreadCallbackQueue *callbacks;
  CothreadThreadedEventQueue *threaded;
  CothreadSignalSlot *slot;
  CothreadCallbackStatistics *numbers;
  CothreadSlowCallback *slow;
  CothreadWaitItem items[1];
  CothreadScheduler *dead_scheduler; /* in place of the other, once that has ended */

  GError *error;
  guint n_errors;
  GError *some_error;
  gpointer pointer;
  gint64 integer;
  guint which;
} Call;

typedef struct
{
  const char *name;
  void (*call) (Call *call);
  gboolean takes_object;
  gboolean takes_timeout;
} CallRow;

static CothreadTaskLocal call_local = COTHREAD_TASK_LOCAL_INIT (NULL);

static gpointer
call_task_func (G_GNUC_UNUSED gpointer unused, G_GNUC_UNUSED GError **error)
{
  return NULL;
}

static void
call_timer_func (G_GNUC_UNUSED CothreadTimer *timer, G_GNUC_UNUSED gpointer unused)
{
}

static void
call_stack_func (G_GNUC_UNUSED gpointer unused)
{
}

static void
call_callback_func (G_GNUC_UNUSED gpointer unused)
{
}

static void
call_slot_func (G_GNUC_UNUSED guint n_raised, G_GNUC_UNUSED gpointer unused)
{
}

#include "misuse-calls.h"

/* A language, as far as the scheduler sees one. */
typedef struct
{
  CothreadStacklessRunner parent;
} Toy;

typedef struct
{
  CothreadStacklessRunnerClass parent;
} ToyClass;

GType toy_get_type (void);

G_DEFINE_TYPE (Toy, toy, COTHREAD_TYPE_STACKLESS_RUNNER)

static void
toy_set_property (G_GNUC_UNUSED GObject *object, G_GNUC_UNUSED guint id, G_GNUC_UNUSED const GValue *value, G_GNUC_UNUSED GParamSpec *pspec)
{
}

static void
toy_class_init (ToyClass *klass)
{
  G_OBJECT_CLASS (klass)->set_property = toy_set_property;
  g_object_class_install_property (G_OBJECT_CLASS (klass), 1,
                                   g_param_spec_uint ("wakeup", NULL, NULL, 0, G_MAXUINT, 0, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
}

static void
toy_init (G_GNUC_UNUSED Toy *self)
{
}

/* These end the object or the scheduler they are given, wait for ever by their
 * nature, or change what others do for good: only to be called without one, and
 * where they are refused. */
static const char *const with_nothing_only[] = {
  "cothread_scheduler_shutdown", "cothread_scheduler_interrupt", "cothread_scheduler_poll",
  "cothread_scope_free", "cothread_scope_leave", "cothread_shield_free", "cothread_task_unref",
  "cothread_shield_begin", "cothread_shield_end", "cothread_shield_new", "cothread_histogram_free",
  "cothread_callback_statistics_free", "cothread_slow_callback_free", "cothread_signal_slot_unref",
  "cothread_forked", "cothread_quit", "cothread_wait_for_quit", "cothread_scheduler_set_catch_interrupt", NULL,
};

/* Of these, the ones that another thread is refused. */
static const char *const refused_elsewhere[] = {
  "cothread_scheduler_shutdown", "cothread_scheduler_interrupt", "cothread_scheduler_poll",
  "cothread_scope_free", "cothread_scope_leave", "cothread_scheduler_set_catch_interrupt", NULL,
};

/* These take the reference that the test has, or are for every thread and stack. */
static const char *const not_for_what_has_ended[] = {
  "cothread_scope_free", "cothread_task_unref", "cothread_histogram_free", "cothread_shield_free",
  "cothread_callback_statistics_free", "cothread_slow_callback_free", "cothread_signal_slot_unref", NULL,
};

/* May be given nothing. */
static const char *const accepts_nothing[] = {
  "cothread_scope_free", "cothread_shield_free", "cothread_task_unref", "cothread_histogram_free",
  "cothread_callback_statistics_free", "cothread_slow_callback_free", "cothread_signal_slot_unref",
  "cothread_signal_slot_raise", NULL,
};

static const CallRow *row;
static gboolean twice;

static gpointer
sleep_for_ever (G_GNUC_UNUSED gpointer unused, GError **error)
{
  cothread_sleep (COTHREAD_FOREVER, error);
  return NULL;
}

/* And what a queue tells, of which one callback was measured. */
static void
make_callback_queue (Call *call)
{
  g_autoptr (GPtrArray) slowest = NULL;

  call->callbacks = cothread_callback_queue_new (call->scheduler, "misused");
  call->slot = cothread_signal_slot_new (call->callbacks, call_slot_func, NULL, NULL);
  cothread_signal_slot_raise (call->slot); /* what comes so is always timed */
  settle ();
  call->numbers = cothread_callback_queue_get_statistics (call->callbacks);
  call->histogram = cothread_callback_statistics_get_run_time (call->numbers);
  slowest = cothread_callback_statistics_list_slowest (call->numbers);
  g_assert_cmpuint (slowest->len, ==, 1);
  call->slow = cothread_slow_callback_copy (slowest->pdata[0]);
}

/* On a context of its own. */
static CothreadTestScheduler *
make_tester (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  CothreadTestScheduler *tester;

  g_main_context_push_thread_default (context);
  tester = cothread_test_scheduler_new (1, &error);
  g_assert_no_error (error);
  g_main_context_pop_thread_default (context);
  return tester;
}

static void
set_up (Call *call)
{
  *call = (Call) { .has_object = TRUE, .number = 1 };
  call->scheduler = cothread_scheduler_get_default ();
  call->task = spawn ("parked", sleep_for_ever, NULL);
  call->event = cothread_event_new (TRUE);
  call->queue = cothread_event_queue_new (0, NULL);
  call->pulse = cothread_pulse_new ();
  call->timer = cothread_timer_new (1000 * G_USEC_PER_SEC, COTHREAD_TIMER_REUSE, call_timer_func, NULL, NULL);
  call->lock = cothread_lock_new ();
  call->semaphore = cothread_semaphore_new (1, 1);
  call->scope = cothread_scope_new ();
  call->tester = make_tester ();
  call->runner = g_object_new (toy_get_type (), "language", "toy", NULL);
  make_callback_queue (call);
  call->threaded = cothread_threaded_event_queue_new (0, NULL);
  call->selection = cothread_selection_new ();
  call->items[0] = (CothreadWaitItem) { .kind = COTHREAD_WAIT_EVENT, .object = call->event };
  call->some_error = g_error_new_literal (COTHREAD_ERROR, COTHREAD_ERROR_CLOSED, "some error");
  settle ();
}

static void
tear_down (Call *call)
{
  settle ();
  cothread_task_cancel (call->task);
  settle ();
  g_clear_pointer (&call->task, cothread_task_unref);
  g_clear_pointer (&call->scope, cothread_scope_free);
  g_clear_object (&call->event);
  g_clear_object (&call->queue);
  g_clear_object (&call->pulse);
  cothread_timer_cancel (call->timer);
  g_clear_object (&call->timer);
  g_clear_object (&call->lock);
  g_clear_object (&call->semaphore);
  g_clear_object (&call->tester);
  g_clear_object (&call->runner);
  g_clear_object (&call->selection);
  g_clear_pointer (&call->histogram, cothread_histogram_free);
  g_clear_pointer (&call->slot, cothread_signal_slot_unref);
  g_clear_pointer (&call->numbers, cothread_callback_statistics_free);
  g_clear_pointer (&call->slow, cothread_slow_callback_free);
  g_clear_object (&call->threaded);
  cothread_callback_queue_close (call->callbacks);
  g_clear_object (&call->callbacks);
  g_clear_object (&call->dead_scheduler);
  g_clear_error (&call->some_error);
  settle ();
}

static void
call_once (gpointer data)
{
  Call *call = data;

  row->call (call);
  if (row->call == call_cothread_lock_acquire && call->has_object && call->error == NULL && call->time_us >= 0 &&
      g_main_context_is_owner (g_main_context_get_thread_default ()) && cothread_lock_is_own (call->lock))
    cothread_lock_release (call->lock);
  call->n_errors += call->error != NULL;
  g_clear_error (&call->error);
}

static void
make_the_call (gpointer call)
{
  call_once (call);
  if (twice)
    call_once (call);
}

/* ---- places ---- */

static void
call_in_main (gpointer call)
{
  make_the_call (call);
}

static gboolean
dispatch_call (gpointer call)
{
  make_the_call (call);
  return G_SOURCE_REMOVE;
}

static void
call_in_a_dispatch (gpointer call)
{
  add_source (G_PRIORITY_DEFAULT, dispatch_call, call);
  settle ();
}

typedef struct
{
  GSource parent;
  Call *call;
  gboolean in_check;
} PrepareSource;

static gboolean
prepare (GSource *source, gint *timeout_ms)
{
  PrepareSource *self = (PrepareSource *) source;

  *timeout_ms = 0;
  if (!self->in_check && self->call != NULL)
    make_the_call (g_steal_pointer (&self->call));
  return FALSE;
}

static gboolean
check (GSource *source)
{
  PrepareSource *self = (PrepareSource *) source;

  if (self->in_check && self->call != NULL)
    make_the_call (g_steal_pointer (&self->call));
  return FALSE;
}

static gboolean
dispatch_nothing (G_GNUC_UNUSED GSource *source, G_GNUC_UNUSED GSourceFunc func, G_GNUC_UNUSED gpointer unused)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs prepare_funcs = { prepare, check, dispatch_nothing, NULL, NULL, NULL };

static void
call_in_a_source (Call *call, gboolean in_check)
{
  GSource *source = g_source_new (&prepare_funcs, sizeof (PrepareSource));
  PrepareSource *self = (PrepareSource *) source;

  self->call = call;
  self->in_check = in_check;
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_main_context_iteration (g_main_context_get_thread_default (), FALSE);
  g_assert_null (self->call);
  g_source_destroy (source);
  g_source_unref (source);
}

static void
call_in_prepare (gpointer call)
{
  call_in_a_source (call, FALSE);
}

static void
call_in_check (gpointer call)
{
  call_in_a_source (call, TRUE);
}

static gpointer
run_task (gpointer call, G_GNUC_UNUSED GError **error)
{
  make_the_call (call);
  return NULL;
}

static void
call_in_a_task (gpointer call)
{
  start ("caller", run_task, call);
  settle ();
}

static gpointer
run_a_nested_loop (gpointer call, G_GNUC_UNUSED GError **error)
{
  call_in_a_dispatch (call);
  return NULL;
}

static void
call_in_a_nested_loop (gpointer call)
{
  start ("opener", run_a_nested_loop, call);
  settle ();
}

static gpointer
cancel_and_call (gpointer call, G_GNUC_UNUSED GError **error)
{
  cothread_task_cancel (cothread_task_self ());
  make_the_call (call);
  return NULL;
}

static void
call_in_a_cancelled_task (gpointer call)
{
  start ("cancelled", cancel_and_call, call);
  settle ();
}

static gpointer
run_thread (gpointer call)
{
  make_the_call (call);
  return NULL;
}

static void
call_in_a_thread (gpointer call)
{
  g_thread_join (g_thread_new ("wrong", run_thread, call));
}

static gpointer
run_with_itself (gpointer data, G_GNUC_UNUSED GError **error)
{
  Call *call = data;
  CothreadTask *other = call->task;

  call->task = cothread_task_self ();
  make_the_call (call);
  call->task = other;
  return NULL;
}

static void
call_in_a_task_with_itself (gpointer call)
{
  start ("itself", run_with_itself, call);
  settle ();
}

/* A member of the scope that it is about. */
static void
call_in_a_task_of_the_scope (gpointer data)
{
  Call *call = data;

  cothread_task_unref (cothread_scope_spawn (call->scope, run_with_itself, call));
  settle ();
}

static void
end_everything (gpointer data)
{
  Call *call = data;

  cothread_task_cancel (call->task);
  cothread_scope_leave (call->scope, NULL);
  settle ();
  g_object_run_dispose (G_OBJECT (call->event));
  g_object_run_dispose (G_OBJECT (call->queue));
  g_object_run_dispose (G_OBJECT (call->pulse));
  g_object_run_dispose (G_OBJECT (call->timer));
  g_object_run_dispose (G_OBJECT (call->lock));
  g_object_run_dispose (G_OBJECT (call->semaphore));
  g_object_run_dispose (G_OBJECT (call->tester));
  g_object_run_dispose (G_OBJECT (call->runner));
  g_object_run_dispose (G_OBJECT (call->selection));
  cothread_callback_queue_close (call->callbacks);
  g_object_run_dispose (G_OBJECT (call->callbacks));
  cothread_threaded_event_queue_close (call->threaded);
  g_object_run_dispose (G_OBJECT (call->threaded));
  call->dead_scheduler = cothread_scheduler_new (NULL);
  cothread_scheduler_shutdown (call->dead_scheduler);
  call->scheduler = call->dead_scheduler;
}

static void
call_with_what_has_ended (gpointer call)
{
  end_everything (call);
  make_the_call (call);
}

/* ---- what is done to a row ---- */

typedef struct
{
  const char *name;
  void (*place) (gpointer call);
  gboolean with_nothing;
  gint64 time_us;
  guint number;
  gboolean twice;
  gboolean must_complain;
  gboolean glib_warns_too; /* that its context is used where it must not be */
} Way;

static const Way ways[] = {
  { "without an object", call_in_main, TRUE, 0, 1, FALSE, TRUE },
  { "without an object, in a task", call_in_a_task, TRUE, 0, 1, FALSE, TRUE },
  { "without an object, in another thread", call_in_a_thread, TRUE, 0, 1, FALSE, TRUE },
  { "in a dispatch", call_in_a_dispatch, FALSE, 0, 1, FALSE, FALSE },
  { "in prepare", call_in_prepare, FALSE, 0, 1, FALSE, FALSE, TRUE },
  { "in check", call_in_check, FALSE, 0, 1, FALSE, FALSE, TRUE },
  { "in a nested loop", call_in_a_nested_loop, FALSE, 0, 1, FALSE, FALSE },
  { "in another thread", call_in_a_thread, FALSE, 0, 1, FALSE, FALSE },
  { "twice in a task", call_in_a_task, FALSE, 0, 1, TRUE, FALSE },
  { "negative", call_in_a_task, FALSE, -2, 0, FALSE, TRUE },
  { "most negative", call_in_a_task, FALSE, G_MININT64, 0, FALSE, TRUE },
  { "overflow", call_in_a_cancelled_task, FALSE, G_MAXINT64, G_MAXUINT, FALSE, FALSE },
  { "with itself", call_in_a_task_with_itself, FALSE, 0, 1, FALSE, FALSE },
  { "with its own scope", call_in_a_task_of_the_scope, FALSE, 0, 1, FALSE, FALSE },
  { "with what has ended", call_with_what_has_ended, FALSE, 0, 1, FALSE, FALSE },
};

static void
go_one_way (const Way *way)
{
  guint n, least, most;
  Call call;

  set_up (&call);
  call.has_object = !way->with_nothing;
  call.time_us = way->time_us;
  call.number = way->number;
  twice = way->twice;
  n = count_complaints (way->place, &call) + call.n_errors;
  least = way->must_complain;
  most = way->twice || way->glib_warns_too ? 2 : 1;
  if (way->with_nothing && g_strv_contains (accepts_nothing, row->name))
    least = most = 0;
  if (n < least || n > most)
    g_printerr ("%s, %s: %u complaints and errors\n", row->name, way->name, n);
  g_assert_cmpuint (n, >=, least);
  g_assert_cmpuint (n, <=, most);
  assert_scheduler_works ();
  tear_down (&call);
}

static void
test_row (void)
{
  const char *name = strrchr (g_test_get_path (), '/') + 1;

  for (guint i = 0; i < G_N_ELEMENTS (call_rows); i++)
    if (g_str_equal (call_rows[i].name, name))
      row = &call_rows[i];
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      const Way *way = &ways[i];
      gboolean may_have_object = !g_strv_contains (with_nothing_only, row->name) ||
                                 (way->place == call_in_a_thread && g_strv_contains (refused_elsewhere, row->name)) ||
                                 (way->place == call_with_what_has_ended && row->takes_object);

      if (way->place == call_with_what_has_ended && g_strv_contains (not_for_what_has_ended, row->name))
        continue;
      if (way->with_nothing ? row->takes_object : may_have_object && (row->takes_timeout || !way->must_complain))
        go_one_way (way);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (call_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/misuse/every-call/", call_rows[i].name, NULL);

      behaviour_add_isolated (path, test_row);
    }
  return g_test_run ();
}
