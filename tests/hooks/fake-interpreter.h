/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cothread-glib.h>

/* An interpreter as languages have them: what it keeps for the thread (a list
 * of frames that lie on the C stack, how deep it is, the exception in handling,
 * who holds its lock) is right for one stack only. It aborts the test when it
 * finds itself with the frames of another stack. */

typedef struct _FakeFrame FakeFrame;

struct _FakeFrame
{
  FakeFrame *previous;
  guint depth;
};

typedef struct
{
  FakeFrame *frame;
  guint depth;
  gint exception;
  gboolean is_locked;
} FakeInterpreter;

extern FakeInterpreter fake;

/* How often each hook was called since the last reset. */
typedef struct
{
  guint start;
  guint suspend;
  guint resume;
  guint end;
} FakeCounts;

extern FakeCounts fake_counts;
/* What the next start finds, or NULL; taken by it. */
extern gpointer fake_given_state;
extern const CothreadSwitchHooks fake_hooks;

/* Calls func `depth` frames deep, and checks each frame afterwards. */
void fake_call (guint depth, void (*func) (gpointer data), gpointer data);
