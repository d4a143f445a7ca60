/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void cothread_gtk_add_inspector_page (void);

G_END_DECLS
