/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "descriptor-peers.h"
#include "perf.h"

#include <cothread-glib.h>

/* Few descriptors ready of very many that are watched: what it takes from the
 * moment they are ready until their owners have read them. */

static gpointer
read_for_ever (gpointer data, GError **error)
{
  Descriptor *self = data;

  while (cothread_wait_fd (self->fd, G_IO_IN, COTHREAD_FOREVER, error) != 0)
    descriptor_read (self);
  return NULL;
}

/* Reading an eventfd leaves nothing to read. */
static gpointer
drain_for_ever (gpointer data, GError **error)
{
  Descriptor *self = data;
  GIOCondition condition = cothread_wait_fd (self->fd, G_IO_IN, COTHREAD_FOREVER, error);

  while (condition != 0)
    {
      descriptor_read (self);
      condition = cothread_wait_fd_again (self->fd, G_IO_IN, COTHREAD_FOREVER, error);
    }
  return NULL;
}

static void
iterate_default (G_GNUC_UNUSED gpointer data)
{
  g_main_context_iteration (NULL, TRUE);
}

/* A task for each descriptor. */
static double
tasks (const DescriptorLoad *load, CothreadTaskFunc reader)
{
  g_autofree Descriptor *descriptors = descriptors_open (load);
  g_autofree CothreadTask **readers = g_new (CothreadTask *, load->watched);
  double ns;

  for (guint i = 0; i < load->watched; i++)
    readers[i] = cothread_spawn (reader, &descriptors[i]);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  ns = descriptors_measure (load, descriptors, iterate_default, NULL);
  for (guint i = 0; i < load->watched; i++)
    cothread_task_cancel (readers[i]);
  for (guint i = 0; i < load->watched; i++)
    {
      cothread_task_join (readers[i], COTHREAD_FOREVER, NULL, NULL);
      cothread_task_unref (readers[i]);
    }
  descriptors_close (load, descriptors);
  return ns;
}

static double
draining_tasks (gpointer load)
{
  return tasks (load, drain_for_ever);
}

static double
reading_tasks (gpointer load)
{
  return tasks (load, read_for_ever);
}

int
main (int argc, char **argv)
{
  Perf *perf = perf_new ("Descriptors: from ready to read", &argc, &argv, NULL);
  DescriptorLoad one_of_5000 = { 5000, 1, perf_scale (perf, 25000) };
  DescriptorLoad one_of_5000_glib = { 5000, 1, perf_scale (perf, 100) };
  DescriptorLoad one_of_100 = { 100, 1, perf_scale (perf, 10000) };
  DescriptorLoad hundred_of_1000 = { 1000, 100, perf_scale (perf, 500) };
  DescriptorLoad hundred_of_1000_glib = { 1000, 100, perf_scale (perf, 50) };
  const PerfPeer peers_of_5000[] = {
    { "one hand-written source over epoll", descriptors_one_source, &one_of_5000 },
    { "g_unix_fd_add for each", descriptors_source_each, &one_of_5000_glib },
    { "bare epoll loop", descriptors_bare_epoll, &one_of_5000 },
  };
  const PerfPeer peers_of_100[] = {
    { "one hand-written source over epoll", descriptors_one_source, &one_of_100 },
    { "g_unix_fd_add for each", descriptors_source_each, &one_of_100 },
    { "bare epoll loop", descriptors_bare_epoll, &one_of_100 },
  };
  const PerfPeer peers_of_1000[] = {
    { "bare epoll loop", descriptors_bare_epoll, &hundred_of_1000 },
    { "one hand-written source over epoll", descriptors_one_source, &hundred_of_1000 },
    { "g_unix_fd_add for each", descriptors_source_each, &hundred_of_1000_glib },
  };

  descriptors_raise_limit ();
  perf_compare (perf, "1 ready of 5 000 watched", draining_tasks, &one_of_5000, peers_of_5000, G_N_ELEMENTS (peers_of_5000));
  perf_compare (perf, "1 ready of 100 watched", draining_tasks, &one_of_100, peers_of_100, G_N_ELEMENTS (peers_of_100));
  perf_compare (perf, "100 ready of 1 000 watched, each", draining_tasks, &hundred_of_1000,
                peers_of_1000, G_N_ELEMENTS (peers_of_1000));
  perf_compare (perf, "1 ready of 5 000, not known to be drained", reading_tasks, &one_of_5000, peers_of_5000, 1);
  return perf_finish (perf);
}
