/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../behaviour/behaviour.h"

#include <sys/types.h>

/* fork(); a child that hangs is ended after a minute. */
pid_t fork_with_alarm (void);

/* Whether what would become of the stacks that a child inherits cannot be tested
 * here: ThreadSanitizer takes them to be threads, which are none there. Skips the
 * test then. */
gboolean fork_is_unknown_on_stacks (void);

/* Waits for a child; whether it ended with 0. */
gboolean passed (pid_t child);
void assert_passed (pid_t child);

/* Whether func returns TRUE in a child. */
void assert_in_child (gboolean (*func) (void));

/* For a child, in which no assertion can fail. */
gboolean said (const char *expected);
gboolean said_nothing (void);
