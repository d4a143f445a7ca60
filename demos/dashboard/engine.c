/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine.h"

DashEngine *
dash_engine_new (const DashOptions *options)
{
  DashEngine *self = g_new0 (DashEngine, 1);

  self->targets.scheduler = g_object_ref (cothread_scheduler_get_default ());
  self->targets.queue = g_object_ref (cothread_scheduler_get_callback_queue (self->targets.scheduler));
  cothread_scheduler_set_task_timing (self->targets.scheduler, COTHREAD_TASK_TIMING_SAMPLED);
  cothread_callback_queue_set_block_timeout (self->targets.queue, COTHREAD_FOREVER);
  self->probe.queue = self->targets.queue;

  self->targets.flood = dash_flood_new (&self->probe);
  self->targets.indexer = dash_indexer_new (options->folder, &self->probe);
  dash_indexer_set_enabled (self->targets.indexer, options->attach == NULL);
  self->targets.sleepers = dash_sleepers_new ();
  self->targets.echo = dash_echo_new ();

  return self;
}

/* In a task. The order matters: closing the queue first lets go every thread
 * that is blocked by it, so that all of them can be joined; and after that no
 * callback can come and find its owner gone. */
void
dash_engine_stop (DashEngine *self)
{
  cothread_callback_queue_close (self->targets.queue);
  g_clear_pointer (&self->targets.flood, dash_flood_free);
  dash_indexer_stop (self->targets.indexer);
  g_clear_pointer (&self->targets.indexer, dash_indexer_free);
  dash_sleepers_stop (self->targets.sleepers);
  g_clear_pointer (&self->targets.sleepers, dash_sleepers_free);
  dash_echo_stop (self->targets.echo);
  g_clear_pointer (&self->targets.echo, dash_echo_free);
}

void
dash_engine_free (DashEngine *self)
{
  dash_readings_clear (&self->readings);
  g_clear_object (&self->targets.queue);
  g_clear_object (&self->targets.scheduler);
  g_free (self);
}
