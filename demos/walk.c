/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Walks through a tree of folders, a task for each folder, and counts what is
 * there. A semaphore bounds how many folders are open at once; the scope waits
 * for all tasks, and the first failure ends the others.
 *
 *   cothread-walk [FOLDER]
 */
#include <cothread-glib.h>

#define MAX_OPEN 16

typedef struct
{
  CothreadScope *scope;
  CothreadSemaphore *open;
  guint n_folders, n_files, n_unreadable;
  guint64 n_bytes;
} Walk;

typedef struct
{
  Walk *walk;
  GFile *folder;
} Step;

static void walk_into (Walk *walk, GFile *folder);

static void
step_free (gpointer data)
{
  Step *step = data;

  g_object_unref (step->folder);
  g_free (step);
}

static void
count (Walk *walk, GFile *folder, GFileInfo *info)
{
  g_autoptr (GFile) child = g_file_get_child (folder, g_file_info_get_name (info));

  if (g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY)
    walk_into (walk, child);
  walk->n_files += g_file_info_get_file_type (info) == G_FILE_TYPE_REGULAR;
  walk->n_bytes += g_file_info_get_size (info) > 0 ? (guint64) g_file_info_get_size (info) : 0;
}

static gpointer
list (gpointer data, GError **error)
{
  Step *step = data;
  g_autoptr (GPtrArray) infos = NULL;
  g_autoptr (GError) failure = NULL;

  if (!cothread_semaphore_acquire (step->walk->open, COTHREAD_FOREVER, error))
    return NULL;
  infos = cothread_list_folder (step->folder, "standard::name,standard::type,standard::size",
                                G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, &failure);
  cothread_semaphore_release (step->walk->open);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    step->walk->n_unreadable++;
  else if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  step->walk->n_folders++;
  for (guint i = 0; infos != NULL && i < infos->len; i++)
    count (step->walk, step->folder, infos->pdata[i]);
  return NULL;
}

static void
walk_into (Walk *walk, GFile *folder)
{
  CothreadSpawnOptions options = { .function = "walk", .user_data_destroy = step_free };
  Step *step = g_new (Step, 1);

  *step = (Step) { walk, g_object_ref (folder) };
  cothread_task_unref (cothread_scope_spawn_full (walk->scope, list, step, &options, NULL));
}

int
main (int argc, char **argv)
{
  g_autoptr (CothreadScope) scope = cothread_scope_new ();
  g_autoptr (CothreadSemaphore) open = cothread_semaphore_new (MAX_OPEN, MAX_OPEN);
  g_autoptr (GFile) root = g_file_new_for_path (argc > 1 ? argv[1] : ".");
  g_autoptr (GError) error = NULL;
  Walk walk = { .scope = scope, .open = open };

  walk_into (&walk, root);
  if (!cothread_scope_leave (scope, &error))
    {
      g_printerr ("cothread-walk: %s\n", error->message);
      return 1;
    }
  g_print ("%u folders (%u unreadable), %u files, %" G_GUINT64_FORMAT " bytes\n", walk.n_folders, walk.n_unreadable, walk.n_files,
           walk.n_bytes);
  return 0;
}
