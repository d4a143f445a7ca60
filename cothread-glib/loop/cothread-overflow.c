/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-overflow.h"
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-task-private.h"
#include "stack/ct-stack-region.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Says whose stack was too small before the process dies of it. The handler
 * stands on a stack of its own, there being no room on the other; it allocates
 * nothing, and calls only what POSIX allows in a handler. */

#define HANDLER_STACK_BYTES ((gsize) 64 * 1024)
#define MAX_DIGITS 20

static struct sigaction previous_segv, previous_bus;
static gsize guard_bytes;

static void
write_text (const char *text)
{
  gsize left = strlen (text);

  while (left > 0)
    {
      gssize n = write (STDERR_FILENO, text, left);

      if (n <= 0)
        return;
      text += n;
      left -= (gsize) n;
    }
}

static void
write_number (guint64 number)
{
  char digits[MAX_DIGITS + 1];
  char *first = digits + MAX_DIGITS;

  *first = '\0';
  do
    *--first = (char) ('0' + number % 10);
  while ((number /= 10) > 0);
  write_text (first);
}

static void
report_overflow (const guint8 *address)
{
  CothreadScheduler *scheduler = cothread_running_scheduler;
  CothreadTask *task;
  const CtStack *stack;

  if (scheduler == NULL || scheduler->core == NULL || scheduler->core->current->kind != CT_TASK_NATIVE)
    return;
  task = (CothreadTask *) scheduler->core->current;
  stack = task->core.stack;
  if (stack == NULL || address < stack->base - guard_bytes || address >= stack->base)
    return;
  write_text ("Cothread: task ");
  write_text (cothread_task_get_name (task));
  write_text (" overflowed its stack of ");
  write_number (ct_stack_get_bytes (stack));
  write_text (" bytes. Spawn it with a larger CothreadSpawnOptions.stack_bytes\n");
}

static void
handle (int number, siginfo_t *info, void *context)
{
  const struct sigaction *previous = number == SIGBUS ? &previous_bus : &previous_segv;

  gboolean was_sent = info->si_code <= 0; /* by kill(): no address, and nothing that comes again */

  if (!was_sent)
    report_overflow (info->si_addr);
  if ((previous->sa_flags & SA_SIGINFO) != 0)
    previous->sa_sigaction (number, info, context);
  else if (previous->sa_handler != SIG_DFL && previous->sa_handler != SIG_IGN)
    previous->sa_handler (number);
  else if (!was_sent)
    signal (number, SIG_DFL); /* which the faulty instruction meets when it comes again */
  else if (previous->sa_handler == SIG_DFL)
    {
      signal (number, SIG_DFL);
      raise (number);
    }
}

static void
free_handler_stack (gpointer memory)
{
  stack_t none = { .ss_flags = SS_DISABLE };
  stack_t present;

  if (sigaltstack (NULL, &present) == 0 && present.ss_sp == memory)
    sigaltstack (&none, NULL);
  g_free (memory);
}

static GPrivate handler_stack = G_PRIVATE_INIT (free_handler_stack);

static void
give_thread_a_handler_stack (void)
{
  stack_t present;

  if (sigaltstack (NULL, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0)
    return; /* it has one */
  present = (stack_t) { .ss_sp = g_malloc (HANDLER_STACK_BYTES), .ss_size = HANDLER_STACK_BYTES };
  if (sigaltstack (&present, NULL) == 0)
    g_private_set (&handler_stack, present.ss_sp);
  else
    g_free (present.ss_sp);
}

static void
install_handlers (void)
{
  struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK };

  guard_bytes = ct_stack_region_guard_bytes ();
  sigemptyset (&action.sa_mask);
  sigaction (SIGSEGV, &action, &previous_segv);
  sigaction (SIGBUS, &action, &previous_bus);
}

/**
 * cothread_report_stack_overflows:
 *
 * From now on, a task that overflows its stack is named on the standard error
 * output, with the size of the stack, before the process dies of the signal that
 * it always dies of. For programs that can have a handler for `SIGSEGV` and
 * `SIGBUS`: the library takes them only when this is called. Whoever had one
 * before is called after the report; whoever installs one later should do
 * likewise.
 *
 * Signal handlers need a stack of their own for that in each thread
 * (sigaltstack()), so it is to be called in each thread whose tasks are to be
 * reported; a thread that has one keeps it. Only an overflow that touches the
 * guard page is noticed: a single frame of more than a page may jump over it,
 * unless the compiler probes stacks (`-fstack-clash-protection`).
 *
 * Calling it again does nothing. Never suspends.
 *
 * Since: 0.1
 */
void
cothread_report_stack_overflows (void)
{
  static gsize once;

  give_thread_a_handler_stack ();
  if (g_once_init_enter (&once))
    {
      install_handlers ();
      g_once_init_leave (&once, 1);
    }
}
