/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cothread-glib.h>
