/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-wait.h"

/* The scheduler of the program's main thread is new: callbacks go there. */
void py_callback_set_scheduler (CothreadScheduler *scheduler);
/* In the child of a fork. */
void py_callback_forget (void);
gboolean py_callback_setup (PyObject *module);
