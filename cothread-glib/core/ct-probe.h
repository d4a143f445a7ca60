/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ct-clock.h"
#include "core/ct-task.h"

/* What a scheduler tells whoever watches it. Without a watcher the scheduler's
 * `probe` is NULL, and each place costs one branch that is never taken.
 *
 * Time run: reading the processor's counter takes 9 ns, more than half of a
 * yield. So the first runs of a turn are measured one by one (turns that are
 * not busy have no others), and of the rest one in 64, which counts for
 * 64. A run that overshoots the slice ends the turn and is measured, from
 * the end of the slice at the latest, whether it was chosen or not: the long
 * ones are never missed. */

typedef struct _CtProbe CtProbe;

typedef enum
{
  CT_PROBE_SPAWN,
  CT_PROBE_RUN,
  CT_PROBE_WAIT,
  CT_PROBE_WAKE,
  CT_PROBE_FINISH,
  CT_PROBE_TURN_BEGIN,
  CT_PROBE_TURN_END,
  CT_PROBE_LEAVE, /* nobody runs any more in this turn */
  CT_PROBE_CALLBACK_BEGIN,
  CT_PROBE_CALLBACK_END,
} CtProbeEvent;

typedef enum
{
  CT_PROBE_TIMING_OFF,
  CT_PROBE_TIMING_SAMPLED,
  CT_PROBE_TIMING_EXACT,
} CtProbeTiming;

struct _CtProbe
{
  const guint64 *n_switches; /* the scheduler's ... */
  guint64 *look_at;          /* ... and at which of them ct_probe_look() is called */
  guint8 timing;
  guint8 has_ticks;

  CtTask *measured; /* runs since since_ticks; NULL: nobody's run is measured */
  guint64 since_ticks;
  guint weight; /* how many runs this one stands for */
  guint n_exact; /* runs of this turn that are still measured one by one */
  guint32 random;

  const CtClock *clock;
  gint64 begin_us; /* with begin_ticks: the rate of the counter */
  guint64 begin_ticks;

  /* Told about everything, or NULL. `arg`: the reason of a wait, the function
   * of a callback. */
  void (*note) (CtProbe *probe, CtProbeEvent event, const CtTask *task, gconstpointer arg);
  gpointer note_data;
};

#define CT_PROBE_NEVER G_MAXUINT64

void ct_probe_init (CtProbe *probe, const CtClock *clock, gboolean has_ticks, const guint64 *n_switches, guint64 *look_at);
void ct_probe_set_timing (CtProbe *probe, CtProbeTiming timing);

/* A task is about to run. */
void ct_probe_look (CtProbe *probe, CtTask *task);
void ct_probe_begin_turn (CtProbe *probe);
/* Back in `outer`, which ran a nested loop (or is main). */
void ct_probe_end_turn (CtProbe *probe, CtTask *outer);
/* Nobody runs any more; the last who did was `task`, whose slice was to end at
 * end_us. */
void ct_probe_leave (CtProbe *probe, CtTask *task, gint64 end_us);
/* The next run is one worth measuring. */
void ct_probe_expect_long (CtProbe *probe);
void ct_probe_finish (CtProbe *probe, CtTask *task);

static inline void
ct_probe_note (CtProbe *probe, CtProbeEvent event, const CtTask *task, gconstpointer arg)
{
  if (probe->note != NULL)
    probe->note (probe, event, task, arg);
}

/* In the unit of `run_ticks`: the processor's counter, or microseconds. */
guint64 ct_probe_now (const CtProbe *probe);
double ct_probe_ticks_per_us (const CtProbe *probe);
