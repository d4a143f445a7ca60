/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "real-window.h"
#include "perf.h"

#include <gtk/gtk.h>
#include <math.h>

#ifdef HAVE_XTST
#include <X11/Xlib.h>
#include <X11/extensions/XTest.h>
#endif

#define WIDTH 480
#define HEIGHT 360
#define N_DOTS 36
#define LAP_US 2600000
#define CLICK_PAUSE_US 40000
#define CLICK_LOST_US G_USEC_PER_SEC

struct _RealWindow
{
  GtkWidget *window;
  GtkWidget *drawing;
  gulong before_paint;
  gulong after_paint;
  GArray *intervals_ms;
  GArray *click_delays_ms;
  double started_ns;
  double last_frame_ns;
  double paint_began_ns; /* processor time */
  double cpu_ns;

  GThread *user;
  gboolean user_must_end;  /* atomic, as the rest */
  gboolean can_be_clicked; /* set before the window is shown */
  gint64 clicked_us;       /* 0: nothing is under way */
};

static void
draw (G_GNUC_UNUSED GtkDrawingArea *area, cairo_t *cr, int width, int height, G_GNUC_UNUSED gpointer data)
{
  double start = (double) (g_get_monotonic_time () % LAP_US) / LAP_US * 2 * G_PI;

  for (guint i = 0; i < N_DOTS; i++)
    {
      double angle = start - i * 0.05, radius = MIN (width, height) / 2.5;

      cairo_arc (cr, width / 2.0 + radius * cos (angle), height / 2.0 + radius * sin (angle), 8 - i * 0.2, 0, 2 * G_PI);
      cairo_set_source_rgba (cr, 0.2, 0.4, 0.9, 1 - (double) i / N_DOTS);
      cairo_fill (cr);
    }
}

static gboolean
on_tick (GtkWidget *widget, G_GNUC_UNUSED GdkFrameClock *clock, G_GNUC_UNUSED gpointer data)
{
  gtk_widget_queue_draw (widget);
  return G_SOURCE_CONTINUE;
}

static void
on_paint (G_GNUC_UNUSED GdkFrameClock *clock, RealWindow *self)
{
  self->paint_began_ns = perf_clock_ns (CLOCK_THREAD_CPUTIME_ID);
}

/* A frame counts when it has been painted. */
static void
on_painted (G_GNUC_UNUSED GdkFrameClock *clock, RealWindow *self)
{
  double now_ns = perf_now_ns (), interval_ms = (now_ns - self->last_frame_ns) / 1e6;

  g_array_append_val (self->intervals_ms, interval_ms);
  self->last_frame_ns = now_ns;
  self->cpu_ns += perf_clock_ns (CLOCK_THREAD_CPUTIME_ID) - self->paint_began_ns;
}

static void
on_pressed (G_GNUC_UNUSED GtkGestureClick *gesture, G_GNUC_UNUSED int n, G_GNUC_UNUSED double x, G_GNUC_UNUSED double y,
            RealWindow *self)
{
  gint64 clicked_us = __atomic_exchange_n (&self->clicked_us, 0, __ATOMIC_SEQ_CST);
  double delay_ms = (double) (g_get_monotonic_time () - clicked_us) / 1e3;

  if (clicked_us != 0)
    g_array_append_val (self->click_delays_ms, delay_ms);
}

#ifdef HAVE_XTST
static void
click_once (RealWindow *self, Display *display)
{
  gint64 now_us = g_get_monotonic_time ();

  __atomic_store_n (&self->clicked_us, now_us, __ATOMIC_SEQ_CST);
  XTestFakeButtonEvent (display, Button1, True, CurrentTime);
  XFlush (display);
  while (__atomic_load_n (&self->clicked_us, __ATOMIC_SEQ_CST) != 0 && !g_atomic_int_get (&self->user_must_end) &&
         g_get_monotonic_time () < now_us + CLICK_LOST_US)
    g_usleep (500);
  XTestFakeButtonEvent (display, Button1, False, CurrentTime);
  XFlush (display);
}

static gpointer
click (gpointer data)
{
  RealWindow *self = data;
  Display *display = XOpenDisplay (NULL);

  if (display == NULL)
    return NULL;
  XTestFakeMotionEvent (display, -1, WIDTH / 2, HEIGHT / 2, CurrentTime);
  while (!g_atomic_int_get (&self->user_must_end))
    {
      click_once (self, display);
      g_usleep (CLICK_PAUSE_US);
    }
  XCloseDisplay (display);
  return NULL;
}
#endif

static gboolean
can_click (void)
{
#ifdef HAVE_XTST
  Display *display = XOpenDisplay (NULL);
  int event, error, major, minor;
  gboolean can = display != NULL && XTestQueryExtension (display, &event, &error, &major, &minor);

  if (display != NULL)
    XCloseDisplay (display);
  return can;
#else
  return FALSE;
#endif
}

RealWindow *
real_window_new (gboolean is_animated)
{
  RealWindow *self = g_new0 (RealWindow, 1);
  GtkGesture *gesture = gtk_gesture_click_new ();
  GdkFrameClock *clock;

  self->intervals_ms = g_array_new (FALSE, FALSE, sizeof (double));
  self->click_delays_ms = g_array_new (FALSE, FALSE, sizeof (double));
  self->can_be_clicked = can_click ();
  self->window = gtk_window_new ();
  self->drawing = gtk_drawing_area_new ();
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->drawing), draw, self, NULL);
  if (is_animated)
    gtk_widget_add_tick_callback (self->drawing, on_tick, NULL, NULL);
  g_signal_connect (gesture, "pressed", G_CALLBACK (on_pressed), self);
  gtk_widget_add_controller (self->drawing, GTK_EVENT_CONTROLLER (gesture));
  gtk_window_set_default_size (GTK_WINDOW (self->window), WIDTH, HEIGHT);
  gtk_window_set_titlebar (GTK_WINDOW (self->window), gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0));
  gtk_window_set_child (GTK_WINDOW (self->window), self->drawing);
  gtk_window_present (GTK_WINDOW (self->window));
  while (gtk_widget_get_frame_clock (self->drawing) == NULL || gtk_widget_get_width (self->drawing) == 0)
    g_main_context_iteration (NULL, TRUE);
  clock = gtk_widget_get_frame_clock (self->drawing);
  self->before_paint = g_signal_connect (clock, "before-paint", G_CALLBACK (on_paint), self);
  self->after_paint = g_signal_connect_after (clock, "after-paint", G_CALLBACK (on_painted), self);
  real_window_reset (self);
#ifdef HAVE_XTST
  if (self->can_be_clicked && is_animated)
    self->user = g_thread_new ("user", click, self);
#endif
  return self;
}

void
real_window_free (RealWindow *self)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (self->drawing);

  g_atomic_int_set (&self->user_must_end, TRUE);
  if (self->user != NULL)
    g_thread_join (self->user);
  g_signal_handler_disconnect (clock, self->before_paint);
  g_signal_handler_disconnect (clock, self->after_paint);
  gtk_window_destroy (GTK_WINDOW (self->window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_array_unref (self->intervals_ms);
  g_array_unref (self->click_delays_ms);
  g_free (self);
}

gboolean
real_window_can_be_clicked (RealWindow *self)
{
  return self->can_be_clicked;
}

void
real_window_reset (RealWindow *self)
{
  g_array_set_size (self->intervals_ms, 0);
  g_array_set_size (self->click_delays_ms, 0);
  self->started_ns = self->last_frame_ns = perf_now_ns ();
  self->cpu_ns = 0;
}

/* What never came still counts: a click that waits, a frame that is due. */
static void
count_what_is_due (RealWindow *self, double now_ns)
{
  gint64 clicked_us = __atomic_load_n (&self->clicked_us, __ATOMIC_SEQ_CST);
  double frame_ms = (now_ns - self->last_frame_ns) / 1e6, click_ms = now_ns / 1e6 - (double) clicked_us / 1e3;

  if (frame_ms > 34)
    g_array_append_val (self->intervals_ms, frame_ms);
  if (clicked_us != 0 && click_ms > 10)
    g_array_append_val (self->click_delays_ms, click_ms);
}

FrameReport
real_window_report (RealWindow *self)
{
  double now_ns = perf_now_ns ();
  double n_frames = self->intervals_ms->len;
  FrameReport report;

  count_what_is_due (self, now_ns);
  report = (FrameReport) {
    .frames_per_second = n_frames / (now_ns - self->started_ns) * 1e9,
    .interval_p99_ms = perf_quantile (self->intervals_ms, 0.99),
    .interval_max_ms = perf_quantile (self->intervals_ms, 1),
    .click_p99_ms = NAN,
    .click_max_ms = NAN,
    .cpu_ns = self->cpu_ns,
  };
  if (self->click_delays_ms->len > 0)
    {
      report.click_p99_ms = perf_quantile (self->click_delays_ms, 0.99);
      report.click_max_ms = perf_quantile (self->click_delays_ms, 1);
    }
  return report;
}

guint
real_window_get_n_frames (RealWindow *self)
{
  return self->intervals_ms->len;
}
