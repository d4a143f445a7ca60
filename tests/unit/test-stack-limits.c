/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/ct-stack-region.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Running out of stacks is an error that a program can handle. What runs out
 * belongs to the process, so each shortage is made in a child. */

/* Beyond this many it takes too long to run out. */
#define MAX_MAPPINGS_TRIED 70000

static gboolean
is_no_space (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) && error->message != NULL && *error->message != '\0';
}

/* Runs func in a child, and asserts that it returned TRUE there. */
static void
assert_in_a_child (gboolean (*func) (void))
{
  int status;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      setrlimit (RLIMIT_CORE, &(struct rlimit) { 0 });
      _exit (func () ? 0 : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFSIGNALED (status))
    g_test_message ("the child was ended by signal %d", WTERMSIG (status));
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static guint64
read_number (const char *path)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? g_ascii_strtoull (text, NULL, 10) : 0;
}

static void
limit_address_space_to_present_plus (gsize bytes)
{
  gsize present = read_number ("/proc/self/statm") * (gsize) sysconf (_SC_PAGESIZE);

  setrlimit (RLIMIT_AS, &(struct rlimit) { present + bytes, present + bytes });
}

/* Takes stacks until there are no more, and checks how that is told; then that
 * a stack which comes free can be had again. */
static gboolean
runs_out_with_an_error (CtStackGuard guard, gsize bytes, guint at_least)
{
  g_autoptr (GError) error = NULL;
  CtStackPool *pool = ct_stack_pool_new (guard);
  CtStack *last = NULL;
  CtStack *stack;
  guint n = 0;

  while ((stack = ct_stack_pool_acquire (pool, bytes, &error)) != NULL)
    {
      stack->limit[-1] = 1;
      last = stack;
      n++;
    }
  if (!is_no_space (error) || n < at_least)
    return FALSE;
  g_clear_error (&error);
  if (ct_stack_pool_acquire (pool, bytes, &error) != NULL || !is_no_space (error))
    return FALSE;
  ct_stack_pool_release (pool, last);
  return ct_stack_pool_acquire (pool, bytes, NULL) == last;
}

static gboolean
address_space_runs_out (void)
{
  limit_address_space_to_present_plus (64 << 20);
  return runs_out_with_an_error (CT_STACK_GUARD_AUTO, CT_STACK_DEFAULT_BYTES, 100);
}

static void
test_no_more_address_space_is_an_error (void)
{
  assert_in_a_child (address_space_runs_out);
}

static gboolean
even_the_first_stack_finds_no_address_space (void)
{
  g_autoptr (GError) error = NULL;
  CtStackPool *pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);

  limit_address_space_to_present_plus (0);
  return ct_stack_pool_acquire (pool, CT_STACK_DEFAULT_BYTES, &error) == NULL && is_no_space (error);
}

static void
test_no_address_space_at_all_is_an_error (void)
{
  assert_in_a_child (even_the_first_stack_finds_no_address_space);
}

static gboolean
a_small_region_is_taken_where_a_large_one_does_not_fit (void)
{
  g_autoptr (GError) error = NULL;
  CtStackPool *pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);

  limit_address_space_to_present_plus (20 << 20);
  return ct_stack_pool_acquire (pool, (8 << 20) - 65536, &error) != NULL;
}

static void
test_a_small_region_is_taken_where_a_large_one_does_not_fit (void)
{
  assert_in_a_child (a_small_region_is_taken_where_a_large_one_does_not_fit);
}

#define MAX_RESERVED 1000

static gboolean
what_was_reserved_can_be_taken (void)
{
  CtStackPool *pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
  guint8 classes[MAX_RESERVED];
  guint n = 0;

  limit_address_space_to_present_plus (64 << 20);
  while (n < MAX_RESERVED && ct_stack_pool_reserve (pool, CT_STACK_DEFAULT_BYTES, &classes[n], NULL))
    n++;
  if (n < 100 || n == MAX_RESERVED)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (ct_stack_pool_take (pool, classes[i]) == NULL)
      return FALSE;
  return TRUE;
}

static void
test_what_was_reserved_can_be_taken_although_there_is_no_more (void)
{
  assert_in_a_child (what_was_reserved_can_be_taken);
}

/* The region alone would fill what is left. */
static gboolean
a_region_leaves_room_for_its_table (void)
{
  g_autoptr (GError) error = NULL;
  CtStackPool *pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);

  limit_address_space_to_present_plus (16 << 20);
  return ct_stack_pool_acquire (pool, (8 << 20) - 65536, &error) != NULL;
}

static void
test_a_region_leaves_room_for_its_table (void)
{
  assert_in_a_child (a_region_leaves_room_for_its_table);
}

static gboolean
mappings_run_out (void)
{
  return runs_out_with_an_error (CT_STACK_GUARD_MPROTECT, CT_STACK_MIN_BYTES, 1000);
}

static void
test_no_more_mappings_is_an_error (void)
{
  guint64 max_mappings = read_number ("/proc/sys/vm/max_map_count");

#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the sanitizer needs mappings of its own");
  return;
#endif
  if (max_mappings == 0 || max_mappings > MAX_MAPPINGS_TRIED)
    {
      g_test_skip ("vm.max_map_count is unknown or too high to reach");
      return;
    }
  assert_in_a_child (mappings_run_out);
}

static guint
count_mappings (void)
{
  g_autofree char *maps = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  for (const char *line = maps; (line = strchr (line, '\n')) != NULL; line++)
    n++;
  return n;
}

static void
test_guard_markers_need_no_mapping_for_each_stack (void)
{
  CtStackPool *pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);
  CtStack *stacks[2000];
  guint before = count_mappings ();

  if (!ct_stack_region_has_guard_markers ())
    {
      ct_stack_pool_free (pool);
      g_test_skip ("this kernel has no MADV_GUARD_INSTALL");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    stacks[i] = ct_stack_pool_acquire (pool, CT_STACK_DEFAULT_BYTES, NULL);

  g_assert_cmpuint (count_mappings (), <, before + 50);
  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    ct_stack_pool_release (pool, stacks[i]);
  ct_stack_pool_free (pool);
}

static void
test_freeing_the_pool_gives_the_address_space_back (void)
{
  guint before = count_mappings ();
  CtStackPool *pool = ct_stack_pool_new (CT_STACK_GUARD_MPROTECT);
  CtStack *stacks[500];

  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    stacks[i] = ct_stack_pool_acquire (pool, CT_STACK_DEFAULT_BYTES, NULL);
  g_assert_cmpuint (count_mappings (), >=, before + 500);
  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    ct_stack_pool_release (pool, stacks[i]);

  ct_stack_pool_free (pool);

  g_assert_cmpuint (count_mappings (), <, before + 50);
}

static void
test_a_request_beyond_the_largest_stack_is_an_error (void)
{
  static const gsize sizes[] = { CT_STACK_MAX_BYTES + 1, (gsize) 1 << 40, G_MAXSIZE };
  CtStackPool *pool = ct_stack_pool_new (CT_STACK_GUARD_AUTO);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (ct_stack_pool_acquire (pool, sizes[i], &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
  ct_stack_pool_free (pool);
}

static void
test_freeing_no_pool_is_harmless (void)
{
  ct_stack_pool_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stack/limits/no-more-address-space-is-an-error", test_no_more_address_space_is_an_error);
  g_test_add_func ("/stack/limits/no-address-space-at-all-is-an-error", test_no_address_space_at_all_is_an_error);
  g_test_add_func ("/stack/limits/a-small-region-is-taken-where-a-large-one-does-not-fit",
                   test_a_small_region_is_taken_where_a_large_one_does_not_fit);
  g_test_add_func ("/stack/limits/what-was-reserved-can-be-taken-although-there-is-no-more",
                   test_what_was_reserved_can_be_taken_although_there_is_no_more);
  g_test_add_func ("/stack/limits/no-more-mappings-is-an-error", test_no_more_mappings_is_an_error);
  g_test_add_func ("/stack/limits/guard-markers-need-no-mapping-for-each-stack", test_guard_markers_need_no_mapping_for_each_stack);
  g_test_add_func ("/stack/limits/freeing-the-pool-gives-the-address-space-back", test_freeing_the_pool_gives_the_address_space_back);
  g_test_add_func ("/stack/limits/a-request-beyond-the-largest-stack-is-an-error", test_a_request_beyond_the_largest_stack_is_an_error);
  g_test_add_func ("/stack/limits/freeing-no-pool-is-harmless", test_freeing_no_pool_is_harmless);
  g_test_add_func ("/stack/limits/a-region-leaves-room-for-its-table", test_a_region_leaves_room_for_its_table);
  return g_test_run ();
}
