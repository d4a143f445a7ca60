/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "monitor/cothread-remote.h"

/* Asks the object, and gives the answer, a tuple of that type. */
GVariant *cothread_remote_ask (CothreadRemote *self, const char *method, GVariant *parameters, const char *type,
                               GError **error);
