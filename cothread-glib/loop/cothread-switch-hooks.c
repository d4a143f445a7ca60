/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-scheduler-private.h"
#include "loop/cothread-switch-hooks.h"

/* The core reads the public structure as its own. */
G_STATIC_ASSERT (G_STRUCT_OFFSET (CothreadSwitchHooks, start) == G_STRUCT_OFFSET (CtSwitchHooks, start));
G_STATIC_ASSERT (G_STRUCT_OFFSET (CothreadSwitchHooks, suspend) == G_STRUCT_OFFSET (CtSwitchHooks, suspend));
G_STATIC_ASSERT (G_STRUCT_OFFSET (CothreadSwitchHooks, resume) == G_STRUCT_OFFSET (CtSwitchHooks, resume));
G_STATIC_ASSERT (G_STRUCT_OFFSET (CothreadSwitchHooks, end) == G_STRUCT_OFFSET (CtSwitchHooks, end));

/**
 * cothread_scheduler_set_switch_hooks: (skip)
 * @self: a scheduler
 * @hooks: a static structure, all four members set
 * @user_data: passed to the hooks
 *
 * Lets a language carry its own state along whenever control moves between the
 * stacks of this scheduler's thread. Without hooks a switch costs one branch
 * more.
 *
 * The hooks stay for the life of the scheduler. Setting the same ones again
 * changes nothing; a scheduler has room for one language, so others are
 * refused.
 *
 * To be called on the scheduler's thread, on any stack; never suspends.
 *
 * Returns: whether the hooks are in place: %FALSE if other hooks are, or if the
 *   scheduler is shut down
 *
 * Since: 0.1
 */
gboolean
cothread_scheduler_set_switch_hooks (CothreadScheduler *self, const CothreadSwitchHooks *hooks, gpointer user_data)
{
  const CtSwitchHooks *core_hooks = (const CtSwitchHooks *) hooks;

  g_return_val_if_fail (COTHREAD_IS_SCHEDULER (self), FALSE);
  g_return_val_if_fail (cothread_scheduler_is_own_thread (self), FALSE);
  g_return_val_if_fail (hooks != NULL, FALSE);
  g_return_val_if_fail (hooks->start != NULL && hooks->suspend != NULL && hooks->resume != NULL && hooks->end != NULL, FALSE);

  if (self->core == NULL)
    return FALSE;
  if (self->core->hooks != NULL)
    return self->core->hooks == core_hooks && self->core->hooks_data == user_data;
  ct_scheduler_set_hooks (self->core, core_hooks, user_data);
  return TRUE;
}
