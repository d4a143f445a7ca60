/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-task.h"

G_BEGIN_DECLS

COTHREAD_AVAILABLE_IN_0_1
gboolean cothread_run_nested (CothreadTaskFunc func, gpointer user_data, gpointer *result, GError **error);

G_END_DECLS
