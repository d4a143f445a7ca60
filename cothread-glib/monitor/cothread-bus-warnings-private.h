/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/cothread-scheduler.h"

#include <gio/gio.h>

/* The warnings of a scheduler for those who watch it through the bus. Checks are
 * made from when the first of them asks until the last has left the bus. */

typedef struct _CothreadBusWarnings CothreadBusWarnings;

CothreadBusWarnings *cothread_bus_warnings_new (CothreadScheduler *scheduler);
void cothread_bus_warnings_free (CothreadBusWarnings *self);

/* Those after a number, and the number of the last: a tuple, floating. */
GVariant *cothread_bus_warnings_list (CothreadBusWarnings *self, GDBusConnection *connection, const char *watcher,
                                      guint64 after);
