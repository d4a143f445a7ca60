/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine.h"
#include "watch.h"

G_BEGIN_DECLS

/* What the workloads have to say, or who is watched, in one line. */
char *dash_workload_line (DashEngine *engine);
char *dash_watch_line (DashWatch *watch);

G_END_DECLS
