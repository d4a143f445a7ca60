/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

G_BEGIN_DECLS

/**
 * CothreadSwitchHook: (skip)
 * @state: what the hooks keep for this stack; at first %NULL or the
 *   `switch_state` of #CothreadSpawnOptions
 * @user_data: what was given to cothread_scheduler_set_switch_hooks()
 *
 * Called around a change of stacks, on the stack that it is about. It must not
 * wait, nor call anything of this library.
 *
 * Since: 0.1
 */
typedef void (*CothreadSwitchHook) (gpointer *state, gpointer user_data);

/**
 * CothreadSwitchHooks: (skip)
 * @start: before the function of a task; the first that is called on its stack
 * @suspend: before control leaves a stack
 * @resume: when control is back on a stack that was left
 * @end: after the function of a task, its user data being freed and those who
 *   join it being woken; the last that is called on its stack. It frees the state
 *
 * How a language carries along what it keeps for a thread and means for a
 * stack: the frames of its interpreter, the exception that is being handled,
 * who holds its lock.
 *
 * Each stack has a state of its own, the thread's own stack included. That one,
 * and the stacks of tasks that began before the hooks were set, see no @start but
 * begin with @suspend, or with @resume if they were waiting, and a state of
 * %NULL. The thread's own stack never sees @end. Between the @suspend
 * or @end of one stack and the @start or @resume of the next, nothing of the
 * program runs.
 *
 * Initialise it with a designated initialiser, so that members that come later
 * are zero.
 *
 * Since: 0.1
 */
typedef struct
{
  CothreadSwitchHook start;
  CothreadSwitchHook suspend;
  CothreadSwitchHook resume;
  CothreadSwitchHook end;
  /*< private >*/
  gpointer padding[4];
} CothreadSwitchHooks;

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_scheduler_set_switch_hooks (CothreadScheduler *self,
                                              const CothreadSwitchHooks *hooks,
                                              gpointer user_data);

G_END_DECLS
