/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress-fixture.h"

/* Calls with a result that end in every way at every moment: time is up, or
 * somebody cancels, while the caller waits for room, while the call is queued,
 * while it runs, and when it is over. The function is called once at the most,
 * and what was handed over is freed once. */

#define N_CALLS 400
#define BOUND 3

typedef enum
{
  CALLER_THREAD,
  CALLER_TASK, /* of another scheduler */
  CALLER_ASYNC,
  N_CALLERS
} CallerKind;

typedef struct
{
  StressFixture *fixture;
  CallerKind kind;
  GThread *thread;
  GThread *canceller;
  GMainContext *context; /* of the thread; to the end, as the next */
  GRand *random;
  GRand *cancel_random;
  GCancellable *to_cancel; /* atomic */
  /* All that were made: ThreadSanitizer does not see who drops the last reference. */
  GPtrArray *cancellables;
  gint is_over;            /* atomic */
  guint n_calls;
  guint n_taken;
} Caller;

typedef struct
{
  guint todo;
  gint n_called; /* atomic */
} Job;

/* Atomic, all of them. */
static guint n_jobs_freed, n_results_made, n_results_freed;
static gint n_over;

static void
free_job (gpointer data)
{
  Job *job = data;

  g_assert_cmpint (g_atomic_int_get (&job->n_called), <=, 1);
  g_free (job);
  __atomic_add_fetch (&n_jobs_freed, 1, __ATOMIC_RELAXED);
}

static void
free_result (gpointer result)
{
  g_free (result);
  __atomic_add_fetch (&n_results_freed, 1, __ATOMIC_RELAXED);
}

static gpointer
do_job (gpointer data, GError **error)
{
  Job *job = data;
  guint todo = job->todo;

  g_assert_cmpint (g_atomic_int_add (&job->n_called, 1), ==, 0);
  if (todo % 4 == 1 && !cothread_yield (error))
    return NULL;
  if (todo % 4 == 2 && !cothread_sleep (100, error))
    return NULL;
  if (todo % 4 == 3)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "nothing there");
      return NULL;
    }
  __atomic_add_fetch (&n_results_made, 1, __ATOMIC_RELAXED);
  return g_malloc (16);
}

static gpointer
cancel_until_over (gpointer data)
{
  Caller *self = data;

  while (!g_atomic_int_get (&self->is_over))
    {
      GCancellable *cancellable = __atomic_exchange_n (&self->to_cancel, NULL, __ATOMIC_ACQ_REL);

      if (g_rand_boolean (self->cancel_random))
        stress_dither (self->cancel_random);
      else
        g_usleep ((gulong) g_rand_int_range (self->cancel_random, 0, 200));
      if (cancellable != NULL)
        g_cancellable_cancel (cancellable);
    }
  return NULL;
}

static void
take_outcome (Caller *self, gboolean success, gpointer result, GError *error)
{
  g_autoptr (GError) failure = error;

  g_assert_true (success == (failure == NULL));
  g_assert_true (success || result == NULL);
  if (!success)
    g_assert_true (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
                   g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
                   (self->kind != CALLER_ASYNC && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) ||
                   (self->kind == CALLER_ASYNC && g_error_matches (failure, COTHREAD_ERROR, COTHREAD_ERROR_FULL)));
  else
    self->n_taken++;
  g_free (result);
}

/* Cancelled now, some time soon, or never. */
static GCancellable *
choose_cancellable (Caller *self)
{
  GCancellable *cancellable;
  guint choice = (guint) g_rand_int_range (self->random, 0, 16);

  if (choice >= 8)
    return NULL;
  cancellable = g_cancellable_new ();
  g_ptr_array_add (self->cancellables, cancellable);
  if (choice == 0)
    g_cancellable_cancel (cancellable);
  else if (choice < 6)
    __atomic_store_n (&self->to_cancel, cancellable, __ATOMIC_RELEASE);
  return cancellable;
}

static void
call_once (Caller *self)
{
  static const gint64 timeouts_us[] = { COTHREAD_FOREVER, COTHREAD_FOREVER, 0, 20, 100, 500 };
  GCancellable *cancellable = choose_cancellable (self);
  Job *job = g_new (Job, 1);
  gpointer result = NULL;
  GError *error = NULL;
  gboolean success;

  *job = (Job) { (guint) g_rand_int (self->random) % 4, 0 };
  success = cothread_callback_queue_call (self->fixture->queue, do_job, job, free_job, free_result,
                                          timeouts_us[g_rand_int_range (self->random, 0, G_N_ELEMENTS (timeouts_us))],
                                          cancellable, &result, &error);
  take_outcome (self, success, result, error);
}

static gpointer
call_often (gpointer data, G_GNUC_UNUSED GError **error)
{
  Caller *self = data;

  for (guint i = 0; i < self->n_calls; i++)
    call_once (self);
  return NULL;
}

typedef struct
{
  Caller *caller;
  guint n_answers;
} Answer;

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  gpointer value = NULL;
  GError *error = NULL;
  gboolean success = cothread_callback_queue_call_finish (COTHREAD_CALLBACK_QUEUE (source), result, &value, &error);

  answer->n_answers++;
  take_outcome (answer->caller, success, value, error);
}

static void
call_asynchronously (Caller *self, GMainContext *context)
{
  Answer answer = { self, 0 };

  for (guint i = 0; i < self->n_calls; i++)
    {
      GCancellable *cancellable = choose_cancellable (self);
      Job *job = g_new (Job, 1);

      *job = (Job) { (guint) g_rand_int (self->random) % 4, 0 };
      cothread_callback_queue_call_async (self->fixture->queue, do_job, job, free_job, free_result, cancellable, on_answer, &answer);
      while (answer.n_answers + 2 < i + 1)
        g_main_context_iteration (context, TRUE);
    }
  while (answer.n_answers < self->n_calls)
    g_main_context_iteration (context, TRUE);
}

static gpointer
run_caller (gpointer data)
{
  Caller *self = data;

  g_main_context_push_thread_default (self->context);
  if (self->kind == CALLER_ASYNC)
    call_asynchronously (self, self->context);
  else if (self->kind == CALLER_TASK)
    {
      g_autoptr (CothreadTask) task = cothread_spawn (call_often, self);

      g_assert_true (cothread_task_join (task, COTHREAD_FOREVER, NULL, NULL));
      cothread_scheduler_shutdown (cothread_scheduler_get_default ());
    }
  else
    call_often (self, NULL);
  g_main_context_pop_thread_default (self->context);
  g_atomic_int_set (&self->is_over, TRUE);
  g_atomic_int_inc (&n_over);
  return NULL;
}

static void
begin_callers (StressFixture *f, Caller *callers, guint n)
{
  n_over = 0;
  n_jobs_freed = n_results_made = n_results_freed = 0;
  for (guint i = 0; i < n; i++)
    {
      callers[i] = (Caller) {
        .fixture = f, .context = g_main_context_new (), .kind = (CallerKind) (i % N_CALLERS), .n_calls = stress_scale (N_CALLS),
        .cancellables = g_ptr_array_new_with_free_func (g_object_unref), .random = stress_rand_new (), .cancel_random = stress_rand_new (),
      };
      callers[i].canceller = g_thread_new ("canceller", cancel_until_over, &callers[i]);
      callers[i].thread = g_thread_new ("caller", run_caller, &callers[i]);
    }
}

static void
join_callers (Caller *callers, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_thread_join (callers[i].thread);
      g_thread_join (callers[i].canceller);
    }
}

static void
check_callers (Caller *callers, guint n)
{
  guint n_calls = 0, n_taken = 0;

  for (guint i = 0; i < n; i++)
    {
      g_ptr_array_unref (callers[i].cancellables);
      g_main_context_unref (callers[i].context);
      g_rand_free (callers[i].random);
      g_rand_free (callers[i].cancel_random);
      n_calls += callers[i].n_calls;
      n_taken += callers[i].n_taken;
    }
  g_assert_cmpuint (n_jobs_freed, ==, n_calls);
  g_assert_cmpuint (n_results_made, ==, n_results_freed + n_taken);
  g_assert_cmpuint (n_taken, >, 0);
}

static void
test_calls_end_in_every_way (void)
{
  StressFixture f;
  Caller callers[2 * N_CALLERS];
  /* Made by one thread for all: ThreadSanitizer does not see that GLib locks. */
  g_autoptr (GCancellable) first = g_cancellable_new ();

  stress_begin (&f);
  cothread_callback_queue_set_max_length (f.queue, BOUND);
  begin_callers (&f, callers, G_N_ELEMENTS (callers));
  while (g_atomic_int_get (&n_over) < (gint) G_N_ELEMENTS (callers))
    {
      if (g_test_rand_int_range (0, 50) == 0)
        g_usleep (100); /* what is queued stays so for a while */
      g_main_context_iteration (f.context, FALSE);
    }
  join_callers (callers, G_N_ELEMENTS (callers));
  /* Abandoned ones may be queued, or run, still. */
  while (g_main_context_iteration (f.context, FALSE) || cothread_callback_queue_get_length (f.queue) > 0)
    ;
  stress_end (&f);
  check_callers (callers, G_N_ELEMENTS (callers));
}

/* ---- a task of another scheduler waits for room, and the policy changes ---- */

#define N_CHANGES 2000

static guint n_asked, n_answered; /* atomic */

static gpointer
call_full_queue (gpointer data)
{
  StressFixture *f = data;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint n = stress_scale (N_CHANGES);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;

      while (__atomic_load_n (&n_asked, __ATOMIC_ACQUIRE) == i)
        ;
      g_assert_false (cothread_callback_queue_call (f->queue, do_job, g_new0 (Job, 1), free_job, free_result, COTHREAD_FOREVER,
                                                    cancellable, NULL, &error));
      g_assert_error (error, COTHREAD_ERROR, COTHREAD_ERROR_FULL);
      __atomic_add_fetch (&n_answered, 1, __ATOMIC_RELEASE);
    }
  return NULL;
}

static void
do_nothing (G_GNUC_UNUSED gpointer data)
{
}

static void
test_nobody_misses_a_change_of_the_policy (void)
{
  StressFixture f;
  GThread *thread;
  g_autoptr (GRand) random = stress_rand_new ();

  stress_begin (&f);
  n_asked = n_answered = n_jobs_freed = 0;
  cothread_callback_queue_set_max_length (f.queue, 1);
  cothread_callback_queue_pause (f.queue);
  cothread_callback_queue_post (f.queue, do_nothing, NULL, NULL, NULL);
  thread = g_thread_new ("caller", call_full_queue, &f);
  for (guint i = 0; i < stress_scale (N_CHANGES); i++)
    {
      cothread_callback_queue_set_overflow (f.queue, COTHREAD_OVERFLOW_BLOCK);
      __atomic_add_fetch (&n_asked, 1, __ATOMIC_RELEASE);
      stress_dither (random);
      cothread_callback_queue_set_overflow (f.queue, COTHREAD_OVERFLOW_FAIL);
      stress_wait_for_count (&n_answered, i + 1);
    }
  g_thread_join (thread);
  g_assert_cmpuint (n_jobs_freed, ==, stress_scale (N_CHANGES));
  stress_end (&f);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stress/calls/end-in-every-way-at-every-moment", test_calls_end_in_every_way);
  g_test_add_func ("/stress/calls/nobody-misses-a-change-of-the-policy", test_nobody_misses_a_change_of_the_policy);
  return g_test_run ();
}
