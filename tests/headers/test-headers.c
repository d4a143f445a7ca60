/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>
#include <cothread-glib.h>

/* Compiles without a warning in strict C, without any definition of ours. */

#if !COTHREAD_CHECK_VERSION (0, 1, 0) || COTHREAD_CHECK_VERSION (99, 0, 0)
#error "The version macros are wrong"
#endif

static gpointer
nap (gpointer data, GError **error)
{
  return cothread_sleep (0, error) ? data : NULL;
}

int
main (void)
{
  CothreadTask *task = cothread_spawn (nap, &task);
  CothreadScope *scope = cothread_scope_new ();
  gpointer result = NULL;
  int is_wrong;

  cothread_task_unref (cothread_scope_spawn (scope, nap, NULL));
  is_wrong = !cothread_task_join (task, COTHREAD_FOREVER, &result, NULL) || result != &task ||
             !cothread_scope_leave (scope, NULL);
  cothread_scope_free (scope);
  cothread_task_unref (task);
  return is_wrong;
}
