/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "monitor/cothread-unwind-private.h"

#include <dlfcn.h>
#include <string.h>

#if defined(HAVE_LIBUNWIND) && (defined(__x86_64__) || defined(__aarch64__))
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#define CAN_UNWIND 1
#else
#define CAN_UNWIND 0
#endif

#if CAN_UNWIND
/* Loaded when it is first asked for, and for nobody else: its own
 * _Unwind_RaiseException and friends would take the place of libgcc's in the
 * whole process, C++ exceptions included, if we were linked with it. */
static struct
{
  __typeof__ (&unw_get_reg) get_reg;
  __typeof__ (&unw_step) step;
  __typeof__ (&unw_init_local) init_local;
  __typeof__ (&unw_init_local2) init_local2;
  __typeof__ (&unw_get_proc_name) get_proc_name;
#if defined(__x86_64__)
  int (*getcontext) (unw_context_t *context);
#endif
  gboolean is_there;
} unwinder;

#define LOAD(handle, name) ((unwinder.name = (__typeof__ (unwinder.name)) dlsym (handle, G_STRINGIFY (UNW_OBJ (name)))) != NULL)

static gboolean
load (void)
{
  static gsize is_done;

  if (g_once_init_enter (&is_done))
    {
      void *handle = dlopen ("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);

      unwinder.is_there = handle != NULL && LOAD (handle, get_reg) && LOAD (handle, step) && LOAD (handle, init_local) &&
                          LOAD (handle, init_local2) && LOAD (handle, get_proc_name);
#if defined(__x86_64__)
      unwinder.getcontext = unwinder.is_there ? (int (*) (unw_context_t *)) dlsym (handle, G_STRINGIFY (UNW_ARCH_OBJ (getcontext))) : NULL;
      unwinder.is_there = unwinder.getcontext != NULL;
#endif
      g_once_init_leave (&is_done, 1);
    }
  return unwinder.is_there;
}

#if defined(__x86_64__)
#define get_context(context) unwinder.getcontext (context)
#else
#define get_context(context) unw_getcontext (context) /* no function but instructions */
#endif

static guint
walk (unw_cursor_t *cursor, gpointer *frames, guint max, guint skip)
{
  guint n = 0;

  do
    {
      unw_word_t ip = 0;

      if (unwinder.get_reg (cursor, UNW_REG_IP, &ip) < 0 || ip == 0)
        break;
      if (skip > 0)
        skip--;
      else
        frames[n++] = (gpointer) ip;
    }
  while (n < max && unwinder.step (cursor) > 0);
  return n;
}

static void
fill (unw_context_t *context, const CtContextRegisters *registers)
{
  memset (context, 0, sizeof *context);
#if defined(__x86_64__)
  context->uc_mcontext.gregs[REG_RIP] = (greg_t) registers->pc;
  context->uc_mcontext.gregs[REG_RSP] = (greg_t) registers->sp;
  context->uc_mcontext.gregs[REG_RBP] = (greg_t) registers->fp;
  context->uc_mcontext.gregs[REG_RBX] = (greg_t) registers->preserved[0];
  context->uc_mcontext.gregs[REG_R12] = (greg_t) registers->preserved[1];
  context->uc_mcontext.gregs[REG_R13] = (greg_t) registers->preserved[2];
  context->uc_mcontext.gregs[REG_R14] = (greg_t) registers->preserved[3];
  context->uc_mcontext.gregs[REG_R15] = (greg_t) registers->preserved[4];
#else
  context->uc_mcontext.pc = registers->pc;
  context->uc_mcontext.sp = registers->sp;
  context->uc_mcontext.regs[29] = registers->fp;
  for (guint i = 0; i < 10; i++)
    context->uc_mcontext.regs[19 + i] = registers->preserved[i];
#endif
}
#endif

const char *
cothread_unwind_get_excuse (void)
{
#if CAN_UNWIND
  return load () ? NULL : "libunwind.so.8 cannot be loaded";
#else
  return "the library was built without libunwind";
#endif
}

guint
cothread_unwind_registers (const CtContextRegisters *registers, gpointer *frames, guint max)
{
#if CAN_UNWIND
  unw_context_t context;
  unw_cursor_t cursor;

  fill (&context, registers);
  if (load () && unwinder.init_local (&cursor, &context) == 0)
    return walk (&cursor, frames, max, 0);
#endif
  if (max == 0)
    return 0;
  frames[0] = (gpointer) registers->pc;
  return 1;
}

guint
cothread_unwind_here (G_GNUC_UNUSED gpointer *frames, G_GNUC_UNUSED guint max, G_GNUC_UNUSED guint skip)
{
#if CAN_UNWIND
  unw_context_t context;
  unw_cursor_t cursor;

  if (load () && get_context (&context) == 0 && unwinder.init_local (&cursor, &context) == 0)
    return walk (&cursor, frames, max, skip);
#endif
  return 0;
}

guint
cothread_unwind_signal (G_GNUC_UNUSED void *signal_context, G_GNUC_UNUSED gpointer *frames, G_GNUC_UNUSED guint max)
{
#if CAN_UNWIND
  unw_cursor_t cursor;

  /* Whoever catches the signal has walked a stack before. */
  if (unwinder.is_there && unwinder.init_local2 (&cursor, signal_context, UNW_INIT_SIGNAL_FRAME) == 0)
    return walk (&cursor, frames, max, 0);
#endif
  return 0;
}

/* The symbol table knows static functions as well; dladdr() does not. */
static gboolean
find_name (G_GNUC_UNUSED gpointer address, G_GNUC_UNUSED char *name, G_GNUC_UNUSED gsize bytes, G_GNUC_UNUSED guintptr *offset)
{
#if CAN_UNWIND
  CtContextRegisters registers = { .pc = (uintptr_t) address };
  unw_context_t context;
  unw_cursor_t cursor;
  unw_word_t found = 0;
  int result;

  fill (&context, &registers);
  if (!load () || unwinder.init_local2 (&cursor, &context, UNW_INIT_SIGNAL_FRAME) != 0)
    return FALSE;
  result = unwinder.get_proc_name (&cursor, name, bytes, &found);
  *offset = (guintptr) found;
  return result == 0 || result == -UNW_ENOMEM;
#else
  return FALSE;
#endif
}

static char *
base_name (const char *path)
{
  return path != NULL && *path != '\0' ? g_path_get_basename (path) : g_strdup ("?");
}

char *
cothread_unwind_name (gpointer frame, gboolean is_exact)
{
  /* A call may be the last instruction of its function. */
  gpointer address = is_exact ? frame : (char *) frame - 1;
  g_autofree char *module = NULL;
  char name[256] = "";
  guintptr offset = 0;
  Dl_info info = { 0 };
  gboolean has_module = dladdr (address, &info) != 0;

  if (!find_name (address, name, sizeof name, &offset) || name[0] == '\0')
    {
      if (!has_module)
        return g_strdup_printf ("%p", frame);
      if (info.dli_sname != NULL)
        {
          g_strlcpy (name, info.dli_sname, sizeof name);
          offset = (guintptr) address - (guintptr) info.dli_saddr;
        }
      else
        {
          g_strlcpy (name, "??", sizeof name);
          offset = (guintptr) address - (guintptr) info.dli_fbase;
        }
    }
  module = base_name (has_module ? info.dli_fname : NULL);
  return g_strdup_printf ("%s+0x%" G_GINTPTR_MODIFIER "x (%s)", name, offset + (is_exact ? 0 : 1), module);
}
