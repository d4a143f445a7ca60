/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cothread-glib.h>
#include <cothread-glib.h>

#include <cstring>

/* Every macro of the headers, in C++. */

static gpointer
nap (gpointer data, GError **error)
{
  return cothread_sleep (0, error) ? data : nullptr;
}

static gpointer
look_at_root (gpointer, GError **error)
{
  g_autoptr (GFile) root = g_file_new_for_path ("/");
  g_autoptr (GAsyncResult) result = cothread_await (error, g_file_query_info_async, root, "standard::type",
                                                    G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT);

  return result != nullptr ? g_file_query_info_finish (root, result, error) : nullptr;
}

int
main ()
{
  static char data[] = "data";
  g_autoptr (CothreadTask) task = cothread_spawn (nap, data);
  g_autoptr (CothreadTask) looker = cothread_spawn (look_at_root, nullptr);
  g_autoptr (CothreadScope) scope = cothread_scope_new ();
  g_autoptr (GError) error = nullptr;
  gpointer result = nullptr, info = nullptr;

  cothread_task_unref (cothread_scope_spawn (scope, nap, nullptr));
  if (std::strcmp (cothread_task_get_name (task), "nap") != 0)
    return 1;
  if (!cothread_task_join (task, COTHREAD_FOREVER, &result, &error) || result != data)
    return 2;
  if (!cothread_task_join (looker, COTHREAD_FOREVER, &info, &error) || !G_IS_FILE_INFO (info))
    return 3;
  g_object_unref (info);
  return cothread_scope_leave (scope, &error) ? 0 : 4;
}
