/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/cothread-error.h"

G_DEFINE_QUARK (cothread-error-quark, cothread_error)
