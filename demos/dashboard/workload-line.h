/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine.h"

G_BEGIN_DECLS

/* What the workloads have to say, in one line. */
char *dash_workload_line (DashEngine *engine);

G_END_DECLS
