/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fork-child.h"

#include <sys/wait.h>
#include <unistd.h>

pid_t
fork_with_alarm (void)
{
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    alarm (60);
  return child;
}

gboolean
fork_is_unknown_on_stacks (void)
{
#ifdef __SANITIZE_THREAD__
  g_test_skip ("ThreadSanitizer knows no stack of the parent in a child");
  return TRUE;
#else
  return FALSE;
#endif
}

gboolean
passed (pid_t child)
{
  int status;

  if (waitpid (child, &status, 0) != child)
    return FALSE;
  if (WIFSIGNALED (status))
    g_test_message ("the child was ended by signal %d", WTERMSIG (status));
  return WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

void
assert_passed (pid_t child)
{
  g_assert_true (passed (child));
}

void
assert_in_child (gboolean (*func) (void))
{
  pid_t child = fork_with_alarm ();

  if (child == 0)
    _exit (func () ? 0 : 1);
  assert_passed (child);
}

gboolean
said (const char *expected)
{
  g_autofree char *text = take_said ();

  return g_str_equal (text, expected);
}

gboolean
said_nothing (void)
{
  return said ("");
}
