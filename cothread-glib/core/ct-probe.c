/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ct-probe.h"

#include "core/ct-slice.h"

#define EXACT_RUNS 8
/* One run in SAMPLE_EVERY; the gaps vary, so that tasks that take turns in a
 * ring are all met. The mean gap is SAMPLE_EVERY - 1. */
#define SAMPLE_EVERY 64
#define SHORTEST_GAP (SAMPLE_EVERY / 2)

static void
look_after (CtProbe *probe, guint switches)
{
  *probe->look_at = *probe->n_switches + switches;
}

void
ct_probe_init (CtProbe *probe, const CtClock *clock, gboolean has_ticks, const guint64 *n_switches, guint64 *look_at)
{
  *probe = (CtProbe) {
    .n_switches = n_switches,
    .look_at = look_at,
    .clock = clock,
    .has_ticks = has_ticks != 0,
    .random = 1,
  };
  probe->begin_us = ct_clock_now (clock);
  probe->begin_ticks = ct_probe_now (probe);
}

guint64
ct_probe_now (const CtProbe *probe)
{
  return probe->has_ticks ? ct_ticks_now () : (guint64) ct_clock_now (probe->clock);
}

double
ct_probe_ticks_per_us (const CtProbe *probe)
{
  gint64 span_us;

  if (!probe->has_ticks)
    return 1;
  span_us = ct_clock_now (probe->clock) - probe->begin_us;
  /* Nobody can have run for long yet. */
  return span_us > 0 ? (double) (ct_ticks_now () - probe->begin_ticks) / (double) span_us : 1000;
}

void
ct_probe_set_timing (CtProbe *probe, CtProbeTiming timing)
{
  probe->timing = (guint8) timing;
  probe->measured = NULL;
  probe->n_exact = EXACT_RUNS;
  if (timing != CT_PROBE_TIMING_OFF || probe->note != NULL)
    look_after (probe, 1);
  else
    *probe->look_at = CT_PROBE_NEVER;
}

static void
add_run (CtTask *task, guint64 ticks, guint weight)
{
  task->run_ticks += ticks * weight;
  task->longest_ticks = MAX (task->longest_ticks, ticks);
}

static void
stop_measuring (CtProbe *probe, guint64 now_ticks)
{
  if (probe->measured != NULL)
    add_run (probe->measured, now_ticks - probe->since_ticks, probe->weight);
  probe->measured = NULL;
}

static void
start_measuring (CtProbe *probe, CtTask *task, guint64 now_ticks, guint weight)
{
  probe->measured = task;
  probe->since_ticks = now_ticks;
  probe->weight = weight;
}

static guint
random_gap (CtProbe *probe)
{
  probe->random = probe->random * 1664525u + 1013904223u; /* Numerical Recipes */
  return SHORTEST_GAP + (probe->random >> 16) % (2 * (SAMPLE_EVERY - 1 - SHORTEST_GAP) + 1);
}

void
ct_probe_look (CtProbe *probe, CtTask *task)
{
  if (probe->note != NULL)
    probe->note (probe, CT_PROBE_RUN, task, NULL);
  if (probe->timing != CT_PROBE_TIMING_OFF)
    {
      guint64 now_ticks = ct_probe_now (probe);
      gboolean was_measured = probe->measured != NULL;

      stop_measuring (probe, now_ticks);
      if (probe->timing == CT_PROBE_TIMING_EXACT || probe->note != NULL)
        start_measuring (probe, task, now_ticks, 1);
      else if (probe->n_exact > 0)
        {
          probe->n_exact--;
          start_measuring (probe, task, now_ticks, 1);
        }
      else if (was_measured)
        {
          look_after (probe, random_gap (probe));
          return;
        }
      else
        start_measuring (probe, task, now_ticks, SAMPLE_EVERY);
    }
  look_after (probe, 1);
}

void
ct_probe_begin_turn (CtProbe *probe)
{
  if (probe->measured != NULL)
    stop_measuring (probe, ct_probe_now (probe));
  if (probe->note != NULL)
    probe->note (probe, CT_PROBE_TURN_BEGIN, NULL, NULL);
  probe->n_exact = EXACT_RUNS;
  if (probe->timing != CT_PROBE_TIMING_OFF)
    look_after (probe, 1);
}

void
ct_probe_end_turn (CtProbe *probe, CtTask *outer)
{
  if (probe->note != NULL)
    probe->note (probe, CT_PROBE_TURN_END, outer, NULL);
  if (probe->timing != CT_PROBE_TIMING_OFF && outer->kind != CT_TASK_MAIN)
    {
      start_measuring (probe, outer, ct_probe_now (probe), 1);
      look_after (probe, 1);
    }
}

void
ct_probe_leave (CtProbe *probe, CtTask *task, gint64 end_us)
{
  if (probe->note != NULL)
    probe->note (probe, CT_PROBE_LEAVE, task, NULL);
  if (probe->timing == CT_PROBE_TIMING_OFF)
    return;
  if (probe->measured != NULL)
    {
      /* It overshot, so it stands for itself alone. */
      if (end_us > 0 && end_us != CT_TIME_NEVER && ct_clock_now (probe->clock) > end_us)
        probe->weight = 1;
      stop_measuring (probe, ct_probe_now (probe));
    }
  else if (task->kind == CT_TASK_NATIVE && end_us > 0 && end_us != CT_TIME_NEVER) /* 0: it was ended early */
    {
      gint64 over_us = ct_clock_now (probe->clock) - end_us;

      if (over_us > 0)
        add_run (task, (guint64) ((double) over_us * ct_probe_ticks_per_us (probe)), 1);
    }
}

void
ct_probe_expect_long (CtProbe *probe)
{
  if (probe->timing == CT_PROBE_TIMING_OFF)
    return;
  look_after (probe, 1);
  probe->n_exact++;
}

void
ct_probe_finish (CtProbe *probe, CtTask *task)
{
  if (probe->note != NULL)
    probe->note (probe, CT_PROBE_FINISH, task, NULL);
  if (probe->measured == task)
    {
      stop_measuring (probe, ct_probe_now (probe));
      if (probe->timing != CT_PROBE_TIMING_OFF)
        look_after (probe, 1);
    }
}
