/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cothread-gtk.h"

#include "ctv-inspector-page.h"

#define EXTENSION_POINT "gtk-inspector-page"
#define PRIORITY 10

/**
 * cothread_gtk_add_inspector_page:
 *
 * Gives the GTK Inspector of this program (Ctrl+Shift+D) a page "Cothreads":
 * the callback queue and the tasks of the main thread's scheduler.
 *
 * Only for programs that link cothread-gtk; where its module is installed,
 * every program has the page without asking. Doing both, or calling this again,
 * adds no second page.
 *
 * To be called in the main thread, before the Inspector is opened; before
 * gtk_init() is fine.
 *
 * Since: 0.1
 */
void
cothread_gtk_add_inspector_page (void)
{
  /* GTK registers the point in gtk_init(), and a module may be loaded before
   * that; a point that exists is left as it is. */
  g_io_extension_point_set_required_type (g_io_extension_point_register (EXTENSION_POINT), GTK_TYPE_WIDGET);
  g_io_extension_point_implement (EXTENSION_POINT, CTV_TYPE_INSPECTOR_PAGE, "cothreads", PRIORITY);
}
