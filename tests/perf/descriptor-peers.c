/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "descriptor-peers.h"
#include "perf.h"

#include <glib-unix.h>
#include <math.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_A_CALL 256
/* Far from each other and from the last ones, as in a real program. */
#define STRIDE 7919
/* Of a measurement; the least disturbed one counts. */
#define PARTS 10

void
descriptors_raise_limit (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}

Descriptor *
descriptors_open (const DescriptorLoad *load)
{
  Descriptor *descriptors = g_new (Descriptor, load->watched);
  guint *n_read = g_new0 (guint, 1);

  for (guint i = 0; i < load->watched; i++)
    {
      descriptors[i] = (Descriptor) { eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK), n_read };
      if (descriptors[i].fd < 0)
        g_error ("%u descriptors are needed: ulimit -n", load->watched + 20);
    }
  return descriptors;
}

void
descriptors_close (const DescriptorLoad *load, Descriptor *descriptors)
{
  g_free (descriptors[0].n_read);
  for (guint i = 0; i < load->watched; i++)
    close (descriptors[i].fd);
}

void
descriptor_read (Descriptor *descriptor)
{
  guint64 count;

  if (read (descriptor->fd, &count, sizeof count) == sizeof count)
    ++*descriptor->n_read;
}

typedef struct
{
  const DescriptorLoad *load;
  const Descriptor *descriptors;
  void (*iterate) (gpointer data);
  gpointer data;
  guint next;
} Measurement;

/* Returns the nanoseconds from ready to read, without those of the writing. */
static double
measure_rounds (Measurement *self, guint n)
{
  const DescriptorLoad *load = self->load;
  volatile guint *n_read = self->descriptors[0].n_read;
  const guint64 one = 1;
  double ns = 0;

  for (guint round = 0; round < n; round++)
    {
      guint wanted = *n_read + load->ready;
      double start;

      for (guint i = 0; i < load->ready; i++)
        {
          self->next = (self->next + STRIDE) % load->watched;
          g_assert (write (self->descriptors[self->next].fd, &one, sizeof one) == sizeof one);
        }
      start = perf_now_ns ();
      while (*n_read != wanted)
        self->iterate (self->data);
      ns += perf_now_ns () - start;
    }
  return ns / n / load->ready;
}

double
descriptors_measure (const DescriptorLoad *load, const Descriptor *descriptors,
                     void (*iterate) (gpointer data), gpointer data)
{
  Measurement measurement = { load, descriptors, iterate, data, 0 };
  double best = INFINITY;

  for (guint part = 0; part < PARTS; part++)
    best = fmin (best, measure_rounds (&measurement, MAX (1, load->rounds / PARTS)));
  return best;
}

static int
new_epoll (const DescriptorLoad *load, Descriptor *descriptors)
{
  int epoll_fd = epoll_create1 (EPOLL_CLOEXEC);

  for (guint i = 0; i < load->watched; i++)
    {
      struct epoll_event event = { .events = EPOLLIN, .data.ptr = &descriptors[i] };

      epoll_ctl (epoll_fd, EPOLL_CTL_ADD, descriptors[i].fd, &event);
    }
  return epoll_fd;
}

static void
read_ready (int epoll_fd, int timeout_ms)
{
  struct epoll_event events[EVENTS_A_CALL];
  int n = epoll_wait (epoll_fd, events, EVENTS_A_CALL, timeout_ms);

  for (int i = 0; i < n; i++)
    descriptor_read (events[i].data.ptr);
}

static void
iterate_bare (gpointer data)
{
  read_ready (*(int *) data, -1);
}

double
descriptors_bare_epoll (gpointer data)
{
  const DescriptorLoad *load = data;
  g_autofree Descriptor *descriptors = descriptors_open (load);
  int epoll_fd = new_epoll (load, descriptors);
  double ns = descriptors_measure (load, descriptors, iterate_bare, &epoll_fd);

  close (epoll_fd);
  descriptors_close (load, descriptors);
  return ns;
}

static void
iterate_context (gpointer context)
{
  g_main_context_iteration (context, TRUE);
}

typedef struct
{
  GSource parent;
  int epoll_fd;
  gpointer tag;
} EpollSource;

static gboolean
epoll_source_prepare (G_GNUC_UNUSED GSource *source, int *timeout_ms)
{
  *timeout_ms = -1;
  return FALSE;
}

static gboolean
epoll_source_check (GSource *source)
{
  return g_source_query_unix_fd (source, ((EpollSource *) source)->tag) != 0;
}

static gboolean
epoll_source_dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc func, G_GNUC_UNUSED gpointer data)
{
  read_ready (((EpollSource *) source)->epoll_fd, 0);
  return G_SOURCE_CONTINUE;
}

/* The best that can be done by hand: one descriptor in GLib's poll, and no
 * taking it out and putting it back at every dispatch. */
double
descriptors_one_source (gpointer data)
{
  static GSourceFuncs funcs = { epoll_source_prepare, epoll_source_check, epoll_source_dispatch, NULL, NULL, NULL };
  const DescriptorLoad *load = data;
  g_autofree Descriptor *descriptors = descriptors_open (load);
  g_autoptr (GMainContext) context = g_main_context_new ();
  GSource *source = g_source_new (&funcs, sizeof (EpollSource));
  EpollSource *self = (EpollSource *) source;
  double ns;

  self->epoll_fd = new_epoll (load, descriptors);
  self->tag = g_source_add_unix_fd (source, self->epoll_fd, G_IO_IN);
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, context);
  ns = descriptors_measure (load, descriptors, iterate_context, context);
  close (self->epoll_fd);
  g_source_destroy (source);
  g_source_unref (source);
  descriptors_close (load, descriptors);
  return ns;
}

static gboolean
read_one (G_GNUC_UNUSED gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  descriptor_read (data);
  return G_SOURCE_CONTINUE;
}

double
descriptors_source_each (gpointer data)
{
  const DescriptorLoad *load = data;
  g_autofree Descriptor *descriptors = descriptors_open (load);
  g_autoptr (GMainContext) context = g_main_context_new ();
  double ns;

  for (guint i = 0; i < load->watched; i++)
    {
      GSource *source = g_unix_fd_source_new (descriptors[i].fd, G_IO_IN);

      g_source_set_callback (source, G_SOURCE_FUNC (read_one), &descriptors[i], NULL);
      g_source_attach (source, context);
      g_source_unref (source);
    }
  ns = descriptors_measure (load, descriptors, iterate_context, context);
  descriptors_close (load, descriptors);
  return ns;
}
