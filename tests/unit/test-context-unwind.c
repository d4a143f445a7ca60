/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack.h"
#include "switch/ct-context.h"

#include <string.h>
#include <unistd.h>

/* A debugger must be able to unwind a task's stack. The test runs this very
 * program under gdb; --as-target makes it the program that is looked at. */

/* ---- the target ---- */

static CtContext thread_context;
static CtContext task_context;

void innermost_function_of_the_task (void);

void __attribute__ ((noinline, noclone))
innermost_function_of_the_task (void)
{
  __asm__ volatile ("" ::: "memory");
}

static void __attribute__ ((noinline, noclone))
outer_function_of_the_task (gint depth)
{
  if (depth > 0)
    outer_function_of_the_task (depth - 1);
  else
    innermost_function_of_the_task ();
  __asm__ volatile ("" ::: "memory");
}

static void
task_entry (G_GNUC_UNUSED gpointer unused)
{
  ct_context_entered ();
  for (;;)
    {
      outer_function_of_the_task (3);
      ct_context_switch (&task_context, &thread_context, FALSE);
    }
}

static int
be_the_target (void)
{
  CtStackPool *pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
  CtStack *stack = ct_stack_pool_acquire (pool, CT_STACK_DEFAULT_BYTES, NULL);

  ct_context_init_thread (&thread_context);
  ct_context_init (&task_context, stack->base, stack->limit, 0, ct_context_get_float_control (), task_entry, NULL);
  for (guint i = 0; i < 3; i++)
    ct_context_switch (&thread_context, &task_context, FALSE);
  ct_context_clear (&task_context);
  ct_context_clear (&thread_context);
  ct_stack_pool_release (pool, stack);
  ct_stack_pool_free (pool);
  return 0;
}

/* The assembly backends keep the saved registers on the stack itself. */
static gboolean
is_assembly_backend (void)
{
  static guint8 memory[32768] __attribute__ ((aligned (4096)));
  CtContext context;
  gboolean is_on_stack;

  ct_context_init (&context, memory, memory + sizeof memory, 0, ct_context_get_float_control (), task_entry, NULL);
  is_on_stack = (guint8 *) context.saved >= memory && (guint8 *) context.saved < memory + sizeof memory;
  ct_context_clear (&context);
  return is_on_stack;
}

/* ---- the debugger ---- */

/* What gdb says when it runs the commands on this program; NULL, and the test
 * is skipped, where there is no gdb or it may not trace. */
static char *
ask_gdb (const char *commands)
{
  g_autofree char *gdb = g_find_program_in_path ("gdb");
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *script = NULL;
  g_autofree char *output = NULL;
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  const char *argv[] = { gdb, "--batch", "-nx", "-iex", "set debuginfod enabled off", "-x", NULL, "--args", self, "--as-target", NULL };
  int script_fd;

  if (gdb == NULL || self == NULL)
    {
      g_test_skip ("there is no gdb");
      return NULL;
    }
  script_fd = g_file_open_tmp ("ct-unwind-XXXXXX.gdb", &script, &error);
  g_assert_no_error (error);
  close (script_fd);
  g_file_set_contents (script, commands, -1, &error);
  g_assert_no_error (error);
  argv[6] = script;
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, &errors, NULL, &error);
  g_assert_no_error (error);
  unlink (script);
  if (strstr (errors, "ptrace") != NULL || strstr (errors, "not permitted") != NULL || strstr (errors, "Could not trace") != NULL)
    {
      g_test_skip ("gdb may not trace here");
      return NULL;
    }
  g_assert_null (strstr (errors, "corrupt stack"));
  g_assert_null (strstr (output, "corrupt stack"));
  return g_steal_pointer (&output);
}

/* The function of the last frame of each backtrace in the output. */
static GPtrArray *
list_outermost_frames (const char *output)
{
  g_auto (GStrv) lines = g_strsplit (output, "\n", -1);
  GPtrArray *outermost = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] == '#' && (lines[i + 1] == NULL || lines[i + 1][0] != '#'))
      g_ptr_array_add (outermost, g_strdup (lines[i]));
  return outermost;
}

static void
test_a_backtrace_in_a_task_reaches_its_entry (void)
{
  g_autofree char *output = ask_gdb ("break innermost_function_of_the_task\nrun\nbt\n");
  g_autoptr (GPtrArray) outermost = NULL;

  if (output == NULL)
    return;
  g_test_message ("%s", output);
  outermost = list_outermost_frames (output);

  g_assert_cmpuint (outermost->len, ==, 1);
  g_assert_nonnull (strstr (output, "outer_function_of_the_task"));
  g_assert_nonnull (strstr (output, "task_entry"));
  if (is_assembly_backend ())
    g_assert_nonnull (strstr (outermost->pdata[0], "ct_context_start"));
}

/* The unwinding rules must hold at every single instruction: a profiler or a
 * signal may ask at any of them. */
static void
test_every_instruction_of_a_switch_can_be_unwound (void)
{
  g_autofree char *output = NULL;
  g_autoptr (GPtrArray) outermost = NULL;
  guint n_in_task = 0, n_on_thread = 0;

  if (!is_assembly_backend ())
    {
      g_test_skip ("the C library's own switch is not ours to describe");
      return;
    }
  output = ask_gdb ("break ct_context_jump\n"
                    "run\n"
                    "set $jumps = 0\n"
                    "while $jumps < 4\n"
                    "  set $steps = 0\n"
                    "  while $steps < 36\n"
                    "    bt\n"
                    "    echo --\\n\n"
                    "    stepi\n"
                    "    set $steps = $steps + 1\n"
                    "  end\n"
                    "  set $jumps = $jumps + 1\n"
                    "  continue\n"
                    "end\n");
  if (output == NULL)
    return;
  outermost = list_outermost_frames (output);

  for (guint i = 0; i < outermost->len; i++)
    {
      const char *frame = outermost->pdata[i];

      if (strstr (frame, "ct_context_start") != NULL)
        n_in_task++;
      else if (strstr (frame, "main") != NULL || strstr (frame, "_start") != NULL)
        n_on_thread++;
      else
        g_test_fail_printf ("A backtrace ended in %s", frame);
    }
  g_assert_cmpuint (outermost->len, >=, 4 * 36);
  g_assert_cmpuint (n_in_task, >, 20);
  g_assert_cmpuint (n_on_thread, >, 20);
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--as-target") == 0)
    return be_the_target ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/context/unwind/a-backtrace-in-a-task-reaches-its-entry", test_a_backtrace_in_a_task_reaches_its_entry);
  g_test_add_func ("/context/unwind/every-instruction-of-a-switch-can-be-unwound", test_every_instruction_of_a_switch_can_be_unwound);
  return g_test_run ();
}
