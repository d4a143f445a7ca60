/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "py-wait.h"

gboolean py_foreign_setup (PyObject *module);
