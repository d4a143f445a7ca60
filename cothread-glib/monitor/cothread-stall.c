/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor/cothread-stall.h"

#include "monitor/cothread-backtrace-private.h"
#include "monitor/cothread-stall-look-private.h"
#include "monitor/cothread-stall-private.h"

G_DEFINE_BOXED_TYPE (CothreadStall, cothread_stall, cothread_stall_copy, cothread_stall_free)

/**
 * cothread_stall_copy:
 * @stall: a stall
 *
 * Returns: (transfer full): a copy
 *
 * Since: 0.1
 */
CothreadStall *
cothread_stall_copy (const CothreadStall *stall)
{
  CothreadStall *copy;

  g_return_val_if_fail (stall != NULL, NULL);
  copy = g_memdup2 (stall, sizeof *stall);
  copy->task_name = g_strdup (stall->task_name);
  copy->callback = g_strdup (stall->callback);
  copy->backtrace = g_strdupv (stall->backtrace);
  return copy;
}

/**
 * cothread_stall_free:
 * @stall: (nullable) (transfer full): a stall
 *
 * Frees it.
 *
 * Since: 0.1
 */
void
cothread_stall_free (CothreadStall *stall)
{
  if (stall == NULL)
    return;
  g_free (stall->task_name);
  g_free (stall->callback);
  g_strfreev (stall->backtrace);
  g_free (stall);
}

CothreadStall *
cothread_stall_new (const CothreadLook *look, gint64 held_us)
{
  CothreadStall *stall = g_new0 (CothreadStall, 1);
  g_autoptr (GHashTable) names = cothread_backtrace_names_new ();

  stall->held_us = held_us;
  stall->task_id = look->task_id;
  if (look->task_id != 0)
    {
      stall->task_name = g_utf8_make_valid (look->task_name, -1);
      stall->has_never_suspended = look->switches <= 1;
    }
  if (look->callback != NULL)
    {
      g_autofree char *name = cothread_unwind_name (look->callback, TRUE);
      char *end = strchr (name, '+');

      if (end != NULL)
        *end = '\0'; /* the function itself, not a place in it */
      stall->callback = g_utf8_make_valid (name, -1);
    }
  stall->backtrace = cothread_backtrace_of_frames ((gpointer *) look->frames, look->n_frames, TRUE, names);
  return stall;
}

static char *
describe (const CothreadStall *stall)
{
  if (stall->callback != NULL)
    return g_strdup_printf ("Callback %s", stall->callback);
  if (stall->task_id != 0)
    return g_strdup_printf ("Task %s (%" G_GUINT64_FORMAT ")%s", stall->task_name, stall->task_id,
                            stall->has_never_suspended ? ", which has never suspended," : "");
  return g_strdup ("A handler of the main loop, outside any task,");
}

/* In the detector's own thread, while the loop is held. */
void
cothread_stall_log (const CothreadStall *stall)
{
  g_autofree char *who = describe (stall);
  g_autofree char *frames = stall->backtrace[0] != NULL ? g_strjoinv ("\n  ", stall->backtrace) : g_strdup ("no backtrace");
  g_autofree char *held = g_strdup_printf ("%" G_GINT64_FORMAT, stall->held_us);
  g_autofree char *id = g_strdup_printf ("%" G_GUINT64_FORMAT, stall->task_id);

  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING,
                    "MESSAGE_ID", "1d5f3c5e2f0b4b1f9a1f5a8f6d0c7e21",
                    "COTHREAD_TASK", stall->task_name != NULL ? stall->task_name : "",
                    "COTHREAD_TASK_ID", id,
                    "COTHREAD_CALLBACK", stall->callback != NULL ? stall->callback : "",
                    "COTHREAD_HELD_US", held,
                    "COTHREAD_BACKTRACE", frames,
                    "MESSAGE", "%s has held the main loop for %.0f ms and still does:\n  %s", who,
                    (double) stall->held_us / 1e3, frames);
}
