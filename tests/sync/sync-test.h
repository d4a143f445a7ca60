/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../behaviour/behaviour.h"

/* All of these are in virtual time. */
#define sync_test_add behaviour_add_virtual
