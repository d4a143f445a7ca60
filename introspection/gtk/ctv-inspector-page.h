/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CTV_TYPE_INSPECTOR_PAGE (ctv_inspector_page_get_type ())
G_DECLARE_FINAL_TYPE (CtvInspectorPage, ctv_inspector_page, CTV, INSPECTOR_PAGE, GtkBox)

G_END_DECLS
