/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cothread-gtk.h"

#include <gio/gio.h>

/* What GIO asks of a module. */
G_MODULE_EXPORT void g_io_module_load (GIOModule *module);
G_MODULE_EXPORT void g_io_module_unload (GIOModule *module);
G_MODULE_EXPORT char **g_io_module_query (void);

void
g_io_module_load (GIOModule *module)
{
  /* Types cannot be unregistered, so their code has to stay. */
  g_type_module_use (G_TYPE_MODULE (module));
  cothread_gtk_add_inspector_page ();
}

void
g_io_module_unload (G_GNUC_UNUSED GIOModule *module)
{
}

/* For gio-querymodules: with its cache, GIO loads the module only in programs
 * that have an Inspector. */
char **
g_io_module_query (void)
{
  const char *const points[] = { "gtk-inspector-page", NULL };

  return g_strdupv ((char **) points);
}
