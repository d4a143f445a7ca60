/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "monitor/cothread-stall-look-private.h"

#include "loop/cothread-task-private.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

/* What libunwind, the C library and the kernel's own frame (3.5 KB with
 * AVX-512) need together, several times over. */
#define HANDLER_STACK_BYTES (64 * 1024)
#define ANSWER_SECONDS 2

/* A step of the wall clock must neither end the wait for an answer nor prolong it. */
#ifdef HAVE_SEM_CLOCKWAIT
#define SEMAPHORE_CLOCK CLOCK_MONOTONIC
#else
#define SEMAPHORE_CLOCK CLOCK_REALTIME
#define sem_clockwait(semaphore, clock, deadline) sem_timedwait ((semaphore), (deadline))
#endif

static GMutex look_lock; /* one look at a time */
static CothreadLook *asked; /* atomic; taken by the handler */
static sem_t answered;
static int look_signal; /* 0: none is free */

/* Runs in the middle of anything: no locks, no allocation. */
static void
answer (G_GNUC_UNUSED int signal_number, G_GNUC_UNUSED siginfo_t *info, void *context)
{
  CothreadLook *look = __atomic_exchange_n (&asked, NULL, __ATOMIC_ACQ_REL);
  int saved_errno = errno;

  if (look == NULL)
    return;
  if (look->scheduler->core != NULL)
    {
      const CtTask *current = look->scheduler->core->current;

      if (current->kind != CT_TASK_MAIN)
        {
          const CothreadTask *task = (const CothreadTask *) current;
          const char *name = task->name != NULL ? task->name : task->function;

          look->task_id = current->id;
          look->switches = current->switches;
          g_strlcpy (look->task_name, name != NULL ? name : "task", sizeof look->task_name);
        }
      look->callback = look->scheduler->callback;
    }
  look->n_frames = cothread_unwind_signal (context, look->frames, COTHREAD_MAX_FRAMES);
  sem_post (&answered);
  errno = saved_errno;
}

static void
take_signal (void)
{
  struct sigaction action = { .sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
  gpointer frame;

  sem_init (&answered, 0, 0);
  sigemptyset (&action.sa_mask);
  /* The first use loads and allocates things, which is not for a handler. */
  cothread_unwind_here (&frame, 1, 0);
  for (int number = SIGRTMAX; number > SIGRTMIN && look_signal == 0; number--)
    {
      struct sigaction present;

      if (sigaction (number, NULL, &present) == 0 && (present.sa_flags & SA_SIGINFO) == 0 &&
          present.sa_handler == SIG_DFL && sigaction (number, &action, NULL) == 0)
        look_signal = number;
    }
}

gpointer
cothread_look_prepare (void)
{
  static gsize once;
  stack_t present;
  stack_t mine = { .ss_size = HANDLER_STACK_BYTES };

  if (g_once_init_enter (&once))
    {
      take_signal ();
      g_once_init_leave (&once, 1);
    }
  if (sigaltstack (NULL, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0)
    return NULL; /* somebody has provided one */
  mine.ss_sp = g_malloc (HANDLER_STACK_BYTES);
  if (sigaltstack (&mine, NULL) == 0)
    return mine.ss_sp;
  g_free (mine.ss_sp);
  return NULL;
}

void
cothread_look_unprepare (gpointer prepared)
{
  stack_t none = { .ss_flags = SS_DISABLE };
  stack_t present;

  if (prepared == NULL)
    return;
  if (sigaltstack (NULL, &present) == 0 && present.ss_sp == prepared)
    sigaltstack (&none, NULL);
  g_free (prepared);
}

static gboolean
wait_for_answer (void)
{
  struct timespec deadline;

  clock_gettime (SEMAPHORE_CLOCK, &deadline);
  deadline.tv_sec += ANSWER_SECONDS;
  while (sem_clockwait (&answered, SEMAPHORE_CLOCK, &deadline) != 0)
    if (errno != EINTR)
      return FALSE;
  return TRUE;
}

gboolean
cothread_look_at (pthread_t thread, CothreadLook *look)
{
  gboolean has_answer = FALSE;

  if (look_signal == 0)
    return FALSE;
  g_mutex_lock (&look_lock);
  __atomic_store_n (&asked, look, __ATOMIC_RELEASE);
  if (pthread_kill (thread, look_signal) == 0)
    {
      has_answer = wait_for_answer ();
      /* Either we take the question back, or the handler has it and answers. */
      if (!has_answer && __atomic_exchange_n (&asked, NULL, __ATOMIC_ACQ_REL) == NULL)
        {
          while (sem_wait (&answered) != 0 && errno == EINTR)
            ;
          has_answer = TRUE;
        }
    }
  else
    __atomic_store_n (&asked, NULL, __ATOMIC_RELEASE);
  g_mutex_unlock (&look_lock);
  return has_answer;
}
