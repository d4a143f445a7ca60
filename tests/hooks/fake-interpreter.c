/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-interpreter.h"

typedef struct
{
  FakeInterpreter saved;
  gboolean is_for_good; /* until the task ends; else until the stack is resumed */
} FakeState;

FakeInterpreter fake;
FakeCounts fake_counts;
gpointer fake_given_state;

static void
fake_start (gpointer *state, gpointer user_data)
{
  g_assert_true (user_data == &fake);
  g_assert_true (*state == NULL || *state == fake_given_state);
  fake_given_state = NULL;
  fake_counts.start++;
  fake = (FakeInterpreter) { 0 };
  *state = g_new0 (FakeState, 1);
  ((FakeState *) *state)->is_for_good = TRUE;
}

static void
fake_suspend (gpointer *state, gpointer user_data)
{
  g_assert_true (user_data == &fake);
  fake_counts.suspend++;
  if (*state == NULL)
    *state = g_new0 (FakeState, 1);
  ((FakeState *) *state)->saved = fake;
  /* Whoever runs next and has not been told finds nothing. */
  fake = (FakeInterpreter) { .depth = G_MAXUINT };
}

static void
fake_resume (gpointer *state, gpointer user_data)
{
  g_assert_true (user_data == &fake);
  fake_counts.resume++;
  fake = *state != NULL ? ((FakeState *) *state)->saved : (FakeInterpreter) { 0 };
  if (*state != NULL && !((FakeState *) *state)->is_for_good)
    g_clear_pointer (state, g_free);
}

static void
fake_end (gpointer *state, gpointer user_data)
{
  g_assert_true (user_data == &fake);
  fake_counts.end++;
  g_clear_pointer (state, g_free);
  fake = (FakeInterpreter) { .depth = G_MAXUINT };
}

const CothreadSwitchHooks fake_hooks = { fake_start, fake_suspend, fake_resume, fake_end, { 0 } };

void
fake_call (guint depth, void (*func) (gpointer data), gpointer data)
{
  FakeFrame frame = { fake.frame, fake.depth };

  fake.frame = &frame;
  fake.depth++;
  if (depth > 1)
    fake_call (depth - 1, func, data);
  else
    func (data);
  g_assert_true (fake.frame == &frame);
  g_assert_cmpuint (fake.depth, ==, frame.depth + 1);
  fake.frame = frame.previous;
  fake.depth = frame.depth;
}
