/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-model.h"
#include "perf.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FRAME_PRIORITY 120 /* GTK_PRIORITY_RESIZE and GDK_PRIORITY_REDRAW */
#define FRAMES_PER_SECOND 60
#define CLICK_PAUSE_US 23000

struct _FrameModel
{
  double paint_ns;
  double started_ns;
  int frame_fd;
  GSource *frame_source;
  GArray *intervals_ms;
  double last_frame_ns;
  double cpu_ns;

  int click_fds[2];
  GSource *click_source;
  GArray *click_delays_ms;
  GThread *user;
  gboolean user_must_end; /* atomic */
};

static gboolean
paint (int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  FrameModel *model = data;
  double now_ns = perf_now_ns ();
  double cpu_ns = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID);
  double interval_ms = (now_ns - model->last_frame_ns) / 1e6;
  guint64 due;

  if (read (fd, &due, sizeof due) != sizeof due)
    return G_SOURCE_CONTINUE;
  g_array_append_val (model->intervals_ms, interval_ms);
  model->last_frame_ns = now_ns;
  while (perf_clock_ns (CLOCK_THREAD_CPUTIME_ID) < cpu_ns + model->paint_ns)
    ;
  model->cpu_ns += perf_clock_ns (CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
  return G_SOURCE_CONTINUE;
}

static gboolean
clicked (int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  FrameModel *model = data;
  double made_ns;

  if (read (fd, &made_ns, sizeof made_ns) == sizeof made_ns)
    {
      double delay_ms = (perf_now_ns () - made_ns) / 1e6;

      g_array_append_val (model->click_delays_ms, delay_ms);
    }
  return G_SOURCE_CONTINUE;
}

static gpointer
click (gpointer data)
{
  FrameModel *model = data;

  while (!g_atomic_int_get (&model->user_must_end))
    {
      double now_ns = perf_now_ns ();

      g_assert (write (model->click_fds[1], &now_ns, sizeof now_ns) == sizeof now_ns);
      g_usleep (CLICK_PAUSE_US);
    }
  return NULL;
}

static GSource *
watch (GMainContext *context, int fd, int priority, GUnixFDSourceFunc func, FrameModel *model)
{
  GSource *source = g_unix_fd_source_new (fd, G_IO_IN);

  g_source_set_priority (source, priority);
  g_source_set_callback (source, G_SOURCE_FUNC (func), model, NULL);
  g_source_attach (source, context);
  return source;
}

FrameModel *
frame_model_new (GMainContext *context, double paint_ns)
{
  const struct timespec period = { 0, 1000000000 / FRAMES_PER_SECOND };
  const struct itimerspec timer = { period, period };
  FrameModel *model = g_new0 (FrameModel, 1);

  model->paint_ns = paint_ns;
  model->intervals_ms = g_array_new (FALSE, FALSE, sizeof (double));
  model->click_delays_ms = g_array_new (FALSE, FALSE, sizeof (double));
  model->frame_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  g_assert (model->frame_fd >= 0 && pipe2 (model->click_fds, O_CLOEXEC) == 0);
  model->frame_source = watch (context, model->frame_fd, FRAME_PRIORITY, paint, model);
  model->click_source = watch (context, model->click_fds[0], G_PRIORITY_DEFAULT, clicked, model);
  model->started_ns = model->last_frame_ns = perf_now_ns ();
  timerfd_settime (model->frame_fd, 0, &timer, NULL);
  model->user = g_thread_new ("user", click, model);
  return model;
}

/* What never came still counts: the last interval is the one that is going on. */
FrameReport
frame_model_report (FrameModel *model)
{
  double now_ns = perf_now_ns ();
  double last_ms = (now_ns - model->last_frame_ns) / 1e6;
  double n_frames = model->intervals_ms->len;

  if (last_ms > 2000.0 / FRAMES_PER_SECOND)
    g_array_append_val (model->intervals_ms, last_ms);
  return (FrameReport) {
    .frames_per_second = n_frames / (now_ns - model->started_ns) * 1e9,
    .interval_p99_ms = perf_quantile (model->intervals_ms, 0.99),
    .interval_max_ms = perf_quantile (model->intervals_ms, 1),
    .click_p99_ms = perf_quantile (model->click_delays_ms, 0.99),
    .click_max_ms = perf_quantile (model->click_delays_ms, 1),
    .cpu_ns = model->cpu_ns,
  };
}

void
frame_model_free (FrameModel *model)
{
  g_atomic_int_set (&model->user_must_end, TRUE);
  g_thread_join (model->user);
  g_source_destroy (model->frame_source);
  g_source_destroy (model->click_source);
  g_source_unref (model->frame_source);
  g_source_unref (model->click_source);
  g_array_unref (model->intervals_ms);
  g_array_unref (model->click_delays_ms);
  close (model->frame_fd);
  close (model->click_fds[0]);
  close (model->click_fds[1]);
  g_free (model);
}
